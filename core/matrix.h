// Matrix products for the kernels: a matrix is packed once, then multiplied by any number of rows.
#pragma once

#include <cstddef>

#include "isa.h"
#include "memory.h"

namespace wordrow {

inline std::size_t n_panels(std::size_t n_columns) { return (n_columns + kPanel - 1) / kPanel; }
inline std::size_t padded(std::size_t n_columns) { return n_panels(n_columns) * kPanel; }

// A matrix [k, n] as panels of kPanel columns, each contiguous, zeros behind the last column.
class Packed {
 public:
  // Element (i, j) is from[i * row_stride + j * column_stride].
  void pack(const float* from, std::size_t k, std::size_t n, std::size_t row_stride,
            std::size_t column_stride = 1);

  // out[r] += a[r] @ this, for rows of padded(n) numbers
  void multiply(float* const* out, const float* const* a, std::size_t n_rows) const {
    multiply(out, a, n_rows, n_panels_);
  }
  // The same with the first panels alone.
  void multiply(float* const* out, const float* const* a, std::size_t n_rows,
                std::size_t n_panels) const {
    kernels().multiply(out, a, n_rows, data_.data(), kPanel, k_ * kPanel, k_, n_panels);
  }

 private:
  std::size_t k_ = 0, n_panels_ = 0;
  Room<float> data_;
};

// c [m, n] = a [m, k] @ b [k, n], by all threads.
void product(const float* a, std::size_t m, std::size_t k, const float* b, std::size_t n, float* c);

// c [m, n] = a.T @ b, by all threads: a [n_rows, m], b [n_rows, n], rows a stride
// apart. Sums are taken in the order of the rows, whatever the number of threads.
void transposed_product(float* c, std::size_t c_stride, const float* a, std::size_t a_stride, std::size_t m,
                        const float* b, std::size_t b_stride, std::size_t n, std::size_t n_rows);

}  // namespace wordrow
