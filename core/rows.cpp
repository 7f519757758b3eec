#include "rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "isa.h"
#include "memory.h"
#include "pool.h"

namespace wordrow {

namespace {

constexpr std::size_t kBagsPerPart = 64;

// The mean row of one bag; zeros where it is empty.
void mean_of(const float* table, std::size_t dim, const std::int32_t* first,
             const std::int32_t* last, float* sum) {
  const Kernels& kernel = kernels();
  constexpr std::ptrdiff_t kAhead = 8;  // rows that are fetched before they are needed
  std::fill(sum, sum + dim, 0.0f);
  for (const std::int32_t* id = first; id != last; ++id) {
    if (last - id > kAhead)
      prefetch_address(table + static_cast<std::size_t>(id[kAhead]) * dim);
    kernel.add(sum, table + static_cast<std::size_t>(*id) * dim, dim, 1.0f);
  }
  if (last == first) return;
  const float scale = 1.0f / static_cast<float>(last - first);
  for (std::size_t d = 0; d < dim; ++d) sum[d] *= scale;
}

template <class Each>
void each_bag(std::size_t n_bags, const Each& each) {
  parallel_for((n_bags + kBagsPerPart - 1) / kBagsPerPart, [&](std::size_t part) {
    each(part * kBagsPerPart, std::min(n_bags, (part + 1) * kBagsPerPart));
  });
}

void softmax(float* x, std::size_t n) {
  const float top = *std::max_element(x, x + n);
  float sum = 0;
  for (std::size_t k = 0; k < n; ++k) sum += x[k] = std::exp(x[k] - top);
  for (std::size_t k = 0; k < n; ++k) x[k] /= sum;
}

}  // namespace

void bag_mean(const float* table, std::size_t dim, const std::int32_t* ids,
              const std::int64_t* offsets, std::size_t n_bags, float* out) {
  each_bag(n_bags, [&](std::size_t begin, std::size_t end) {
    for (std::size_t bag = begin; bag < end; ++bag)
      mean_of(table, dim, ids + offsets[bag], ids + offsets[bag + 1], out + bag * dim);
  });
}

void bag_answers(const BagAnswers& model, const std::int32_t* ids, const std::int64_t* offsets,
                 std::size_t n_bags, float* out) {
  each_bag(n_bags, [&](std::size_t begin, std::size_t end) {
    std::vector<float> hidden(model.dim);
    for (std::size_t bag = begin; bag < end; ++bag) {
      mean_of(model.table, model.dim, ids + offsets[bag], ids + offsets[bag + 1], hidden.data());
      float* const scores = out + bag * model.n_units;
      std::copy_n(model.bias, model.n_units, scores);
      if (model.n_units == 1) {
        scores[0] += kernels().dot(hidden.data(), model.kernel, model.dim);
      } else {
        for (std::size_t d = 0; d < model.dim; ++d)
          kernels().add(scores, model.kernel + d * model.n_units, model.n_units, hidden[d]);
      }
      if (model.sigmoid) {
        for (std::size_t k = 0; k < model.n_units; ++k)
          scores[k] = 1.0f / (1.0f + std::exp(-scores[k]));
      } else {
        softmax(scores, model.n_units);
      }
    }
  });
}

}  // namespace wordrow
