#include "matrix.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "pool.h"

namespace wordrow {

void Packed::pack(const float* from, std::size_t k, std::size_t n, std::size_t row_stride,
                  std::size_t column_stride) {
  k_ = k;
  n_panels_ = n_panels(n);
  float* const data = data_.of(n_panels_ * k * kPanel);
  // Row by row, as memory has them.
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t panel = 0; panel < n_panels_; ++panel) {
      const std::size_t first = panel * kPanel, width = std::min(kPanel, n - first);
      const float* const own = from + i * row_stride + first * column_stride;
      float* const to = data + (panel * k + i) * kPanel;
      if (column_stride == 1 && width == kPanel) {
        std::memcpy(to, own, kPanel * sizeof(float));
        continue;
      }
      for (std::size_t j = 0; j < width; ++j) to[j] = own[j * column_stride];
      std::fill(to + width, to + kPanel, 0.0f);
    }
}

void product(const float* a, std::size_t m, std::size_t k, const float* b, std::size_t n,
             float* c) {
  // A task has some rows and some panels of columns: its sums and its part of b stay in the cache.
  constexpr std::size_t kRows = 128, kDepth = 256;
  const std::size_t row_tasks = (m + kRows - 1) / kRows, panels = n_panels(n);
  const std::size_t enough = static_cast<std::size_t>(n_threads()) * 2;
  const std::size_t column_tasks =
      row_tasks == 0 ? 1 : std::min(panels, (enough + row_tasks - 1) / row_tasks);
  parallel_for(row_tasks * column_tasks, [&](std::size_t task) {
    const std::size_t first = task / column_tasks * kRows, n_rows = std::min(kRows, m - first);
    const std::size_t begin = panels * (task % column_tasks) / column_tasks;
    const std::size_t end = panels * (task % column_tasks + 1) / column_tasks;
    const std::size_t n_whole = std::min(end, n / kPanel) - begin, width = (end - begin) * kPanel;
    std::vector<float> sums(n_rows * width, 0.0f);
    std::vector<float*> lines(n_rows);
    std::vector<const float*> from(n_rows);
    Packed rest;
    for (std::size_t i = 0; i < k; i += kDepth) {
      const std::size_t depth = std::min(kDepth, k - i);
      const float* const part = b + i * n + begin * kPanel;
      for (std::size_t j = 0; j < n_rows; ++j) {
        lines[j] = sums.data() + j * width;
        from[j] = a + (first + j) * k + i;
      }
      // Columns of rows far apart, which no processor foresees.
      for (std::size_t d = depth; d < depth + std::min(kDepth, k - i - depth); ++d)
        for (std::size_t panel = 0; panel < end - begin; ++panel)
          prefetch_address(part + d * n + panel * kPanel);
      kernels().multiply(lines.data(), from.data(), n_rows, part, n, kPanel, depth, n_whole);
      if (begin + n_whole == end) continue;
      rest.pack(part + n_whole * kPanel, depth, n % kPanel, n);
      for (std::size_t j = 0; j < n_rows; ++j) lines[j] += n_whole * kPanel;
      rest.multiply(lines.data(), from.data(), n_rows);
    }
    const std::size_t n_columns = std::min(width, n - begin * kPanel);
    for (std::size_t j = 0; j < n_rows; ++j)
      std::copy_n(sums.data() + j * width, n_columns, c + (first + j) * n + begin * kPanel);
  });
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
