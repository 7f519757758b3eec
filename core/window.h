// Windows over the steps of texts: convolution and pooling, forward and backward. The bits do not
// depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace wordrow {

// n groups of `size` indices each, of rows or of other groups; -1 for none.
struct Groups {
  const std::int32_t* row_indices;  // [n, size]
  std::size_t n, size;
};
// Whether all indices are below n_rows, or -1.
bool are_row_indices(const Groups& groups, std::size_t n_rows);

// A convolution's windows. A window's sum is the bias plus rows[r, k] for each of its steps k, r
// the step's row.
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
// The gradients, as above; equal maxima of a pool share the gradient.
void window_max_back(const Windows& windows, const Groups& pools, const float* out,
                     const float* dout, float* drows, float* dbias);

}  // namespace wordrow
