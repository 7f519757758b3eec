#include "matrix.h"

#include <algorithm>
#include <vector>

#include "pool.h"

namespace wordrow {

void Packed::pack(const float* from, std::size_t k, std::size_t n, std::size_t row_stride,
                  std::size_t column_stride) {
  k_ = k;
  n_panels_ = n_panels(n);
  float* const data = data_.of(n_panels_ * k * kPanel);
  for (std::size_t panel = 0; panel < n_panels_; ++panel) {
    const std::size_t first = panel * kPanel, width = std::min(kPanel, n - first);
    for (std::size_t i = 0; i < k; ++i) {
      float* const to = data + (panel * k + i) * kPanel;
      for (std::size_t j = 0; j < width; ++j)
        to[j] = from[i * row_stride + (first + j) * column_stride];
      std::fill(to + width, to + kPanel, 0.0f);
    }
  }
}

void transposed_product(float* c, std::size_t c_stride, const float* a, std::size_t a_stride,
                        std::size_t m, const float* b, std::size_t b_stride, std::size_t n,
                        std::size_t n_rows) {
  // Rows of a that are read again for each panel of b stay in the cache meanwhile.
  constexpr std::size_t kRowsAtOnce = 128;
  const std::size_t n_whole = n / kPanel, rest = n % kPanel;
  const std::size_t per_task = std::max<std::size_t>(1, (n_whole + 15) / 16);
  const std::size_t n_tasks = (n_whole + per_task - 1) / per_task;
  for (std::size_t i = 0; i < m; ++i) std::fill_n(c + i * c_stride, n, 0.0f);
  parallel_for(n_tasks + (rest > 0), [&](std::size_t task) {
    if (task == n_tasks) {  // the columns behind the last whole panel, through a copy
      std::vector<float> columns(kRowsAtOnce * kPanel, 0.0f), sums(m * kPanel, 0.0f);
      for (std::size_t row = 0; row < n_rows; row += kRowsAtOnce) {
        const std::size_t n_now = std::min(kRowsAtOnce, n_rows - row);
        for (std::size_t i = 0; i < n_now; ++i)
          std::copy_n(b + (row + i) * b_stride + n_whole * kPanel, rest,
                      columns.data() + i * kPanel);
        kernels().add_products(sums.data(), kPanel, a + row * a_stride, a_stride, m,
                               columns.data(), kPanel, n_now);
      }
      for (std::size_t i = 0; i < m; ++i)
        std::copy_n(sums.data() + i * kPanel, rest, c + i * c_stride + n_whole * kPanel);
      return;
    }
    const std::size_t last = std::min(n_whole, (task + 1) * per_task);
    for (std::size_t row = 0; row < n_rows; row += kRowsAtOnce)
      for (std::size_t panel = task * per_task; panel < last; ++panel)
        kernels().add_products(c + panel * kPanel, c_stride, a + row * a_stride, a_stride, m,
                               b + row * b_stride + panel * kPanel, b_stride,
                               std::min(kRowsAtOnce, n_rows - row));
  });
}

}  // namespace wordrow
