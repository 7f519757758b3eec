#include "window.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "matrix.h"
#include "pool.h"

namespace wordrow {

namespace {

WindowRows rows_of(const Windows& windows) {
  return {windows.rows, windows.bias, windows.steps.size, windows.dim};
}

// Calls work(first, number) for ranges of n items, by all threads.
template <class Work>
void each_of(std::size_t n, std::size_t at_once, const Work& work) {
  parallel_for((n + at_once - 1) / at_once, [&](std::size_t task) {
    work(task * at_once, std::min(at_once, n - task * at_once));
  });
}

void copy_columns(const float* from, std::size_t n, float* to) {
  if (n == kPanel)
    std::memcpy(to, from, kPanel * sizeof(float));  // a constant size
  else
    std::copy_n(from, n, to);
}

// Backpropagates gradients of activated sums to rows and bias. Each task has columns of its own and
// adds to them line by line, by add(gradients [number, kPanel], first, number, columns, room) for
// the lines from `first` on.
template <class Add>
void bring_back(const Windows& windows, std::size_t n, const float* out, const float* dout,
                float* drows, float* dbias, const Add& add) {
  constexpr std::size_t kLines = 64;
  const std::size_t dim = windows.dim, row_size = windows.steps.size * dim;
  each_of(windows.n_rows, 512, [&](std::size_t first, std::size_t number) {
    std::fill_n(drows + first * row_size, number * row_size, 0.0f);
  });
  parallel_for(n_panels(dim), [&](std::size_t panel) {
    const WindowColumns columns{panel * kPanel, std::min(kPanel, dim - panel * kPanel)};
    std::vector<float> values(kLines * kPanel, 0.0f), gradients(kLines * kPanel, 0.0f), room;
    float bias_sums[kPanel] = {};
    for (std::size_t first = 0; first < n; first += kLines) {
      const std::size_t number = std::min(kLines, n - first);
      for (std::size_t i = 0; i < number; ++i) {
        const std::size_t from = (first + i) * dim + columns.first;
        copy_columns(out + from, columns.number, values.data() + i * kPanel);
        copy_columns(dout + from, columns.number, gradients.data() + i * kPanel);
      }
      kernels().slopes(windows.activation, values.data(), gradients.data(), number * kPanel);
      add(gradients.data(), first, number, columns, room);
      for (std::size_t i = 0; i < number; ++i)
        for (std::size_t j = 0; j < kPanel; ++j) bias_sums[j] += gradients[i * kPanel + j];
    }
    if (dbias) std::copy_n(bias_sums, columns.number, dbias + columns.first);
  });
}

}  // namespace

bool are_row_indices(const Groups& groups, std::size_t n_rows) {
  // No early exit, so that the loop is vectorised.
  const auto limit = static_cast<std::uint32_t>(std::min(n_rows, std::size_t{1} << 31));
  std::uint32_t wrong = 0;
  for (std::size_t i = 0; i < groups.n * groups.size; ++i)
    wrong |= static_cast<std::uint32_t>(groups.row_indices[i]) + 1 > limit;
  return wrong == 0;
}

void window_sums(const Windows& windows, float* out) {
  const std::size_t dim = windows.dim;
  each_of(windows.steps.n, 512, [&](std::size_t first, std::size_t number) {
    kernels().sum_windows(out + first * dim, rows_of(windows),
                          windows.steps.row_indices + first * windows.steps.size, number);
    kernels().activate(windows.activation, out + first * dim, number * dim);
  });
}

void window_sums_back(const Windows& windows, const float* out, const float* dout, float* drows,
                      float* dbias) {
  const WindowRows rows = rows_of(windows);
  bring_back(windows, windows.steps.n, out, dout, drows, dbias,
             [&](const float* gradients, std::size_t first, std::size_t number,
                 const WindowColumns& columns, std::vector<float>&) {
               kernels().add_windows(drows, gradients, rows,
                                     windows.steps.row_indices + first * windows.steps.size, number,
                                     columns);
             });
}

namespace {

bool is_empty(const Groups& pools, std::size_t pool) {
  const std::int32_t* const own = pools.row_indices + pool * pools.size;
  return std::all_of(own, own + pools.size, [](std::int32_t place) { return place < 0; });
}

}  // namespace

void window_max(const Windows& windows, const Groups& pools, float* out) {
  const std::size_t dim = windows.dim;
  const std::size_t at_once = std::max<std::size_t>(1, 512 / pools.size);
  each_of(pools.n, at_once, [&](std::size_t first, std::size_t number) {
    kernels().max_windows(out + first * dim, rows_of(windows), windows.steps.row_indices, number,
                          pools.row_indices + first * pools.size, pools.size);
    // Activations are monotonic: the largest sum gives the largest value.
    kernels().activate(windows.activation, out + first * dim, number * dim);
    if (windows.activation == Activation::kLinear || windows.activation == Activation::kRelu)
      return;
    for (std::size_t i = first; i < first + number; ++i)
      if (is_empty(pools, i)) std::fill_n(out + i * dim, dim, 0.0f);
  });
}

void window_max_back(const Windows& windows, const Groups& pools, const float* out,
                     const float* dout, float* drows, float* dbias) {
  const WindowRows rows = rows_of(windows);
  bring_back(windows, pools.n, out, dout, drows, dbias,
             [&](float* gradients, std::size_t first, std::size_t number,
                 const WindowColumns& columns, std::vector<float>& room) {
               for (std::size_t i = 0; i < number; ++i)
                 if (is_empty(pools, first + i)) std::fill_n(gradients + i * kPanel, kPanel, 0.0f);
               room.resize(pools.size * kPanel);
               kernels().max_windows_back(drows, gradients, rows, windows.steps.row_indices, number,
                                          pools.row_indices + first * pools.size, pools.size,
                                          columns, room.data());
             });
}

}  // namespace wordrow
