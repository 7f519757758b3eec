// Windows over the steps of texts: convolution, and pooling of what it gives,
// forward and backward. Nothing depends on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace wordrow {

// n groups of `size` places each, of rows or of other groups; -1 where there is none.
struct Groups {
  const std::int32_t* places;  // [n, size]
  std::size_t n, size;
};
// Whether every place is below a number, or none.
bool are_places(const Groups& groups, std::size_t n_rows);

// A convolution's windows. What row r gives as a window's step k is rows[r, k]: [n_rows, size, dim];
// a window's sum is the bias and what its steps give.
struct Windows {
  const float* rows;
  std::size_t n_rows, dim;
  const float* bias;  // [dim], or none
  Groups steps;       // the row of each step
  Activation activation;
};

// out [n, dim] = activation(the windows' sums)
void window_sums(const Windows& windows, float* out);
// The gradients of rows and bias (or none), overwritten.
void window_sums_back(const Windows& windows, const float* out, const float* dout, float* drows,
                      float* dbias);

// out [pools.n, dim] = activation(the largest sum of each pool's windows); zeros where it has none.
void window_max(const Windows& windows, const Groups& pools, float* out);
// The gradients, as above; windows of a pool that are equally large share it.
void window_max_back(const Windows& windows, const Groups& pools, const float* out,
                     const float* dout, float* drows, float* dbias);

}  // namespace wordrow
