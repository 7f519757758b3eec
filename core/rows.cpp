#include "rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "isa.h"
#include "memory.h"
#include "pool.h"

namespace wordrow {

namespace {

constexpr std::size_t kBagsPerPart = 16;

// The mean row of one bag; zeros where it is empty.
void mean_of(const float* table, std::size_t dim, const std::int32_t* first,
             const std::int32_t* last, float* sum) {
  const Kernels& kernel = kernels();
  constexpr std::ptrdiff_t kAhead = 8;  // rows to prefetch
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

namespace {

// Calls each(i, address of row ids[i], or none) for all ids, prefetching rows.
template <class Table, class Each>
void each_row(Table* table, std::size_t n_rows, std::size_t dim, const std::int32_t* ids,
              std::size_t n_ids, const Each& each) {
  constexpr std::size_t kIdsPerPart = 512, kAhead = 8;
  const auto row = [&](std::size_t i) -> Table* {
    const auto id = static_cast<std::size_t>(ids[i]);  // negative ids become too large
    return id < n_rows ? table + id * dim : nullptr;
  };
  parallel_for((n_ids + kIdsPerPart - 1) / kIdsPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(n_ids, (part + 1) * kIdsPerPart);
    for (std::size_t i = part * kIdsPerPart; i < end; ++i) {
      Table* const next = i + kAhead < end ? row(i + kAhead) : nullptr;
      for (std::size_t d = 0; next && d < dim; d += 16) prefetch_address(next + d);
      each(i, row(i));
    }
  });
}

}  // namespace

bool are_rows(const std::int32_t* ids, std::size_t n_ids, std::size_t n_rows) {
  constexpr std::size_t kPerPart = 1 << 16;
  const auto limit = static_cast<std::uint32_t>(std::min(n_rows, std::size_t{1} << 31));
  std::atomic<bool> all{true};
  parallel_for((n_ids + kPerPart - 1) / kPerPart, [&](std::size_t part) {
    const std::int32_t *const own = ids + part * kPerPart;
    const std::size_t n = std::min(n_ids - part * kPerPart, kPerPart);
    std::uint32_t wrong = 0;  // no early exit, so that the loop is vectorised
    for (std::size_t i = 0; i < n; ++i) wrong |= static_cast<std::uint32_t>(own[i]) >= limit;
    if (wrong) all = false;
  });
  return all;
}

std::size_t find_unique(const std::int32_t* ids, std::size_t n_ids, std::int32_t* first_at,
                        std::size_t n_known, std::int32_t* unique, std::int32_t* where) {
  constexpr std::size_t kAhead = 16;
  std::size_t n = n_known;
  for (std::size_t i = 0; i < n_known; ++i) first_at[unique[i]] = static_cast<std::int32_t>(i);
  for (std::size_t i = 0; i < n_ids; ++i) {
    if (i + kAhead < n_ids) prefetch_address(first_at + ids[i + kAhead]);
    const std::int32_t id = ids[i];
    const auto at = static_cast<std::size_t>(first_at[id]);
    if (at < n && unique[at] == id) {  // otherwise first_at[id] is from another batch
      where[i] = first_at[id];
      continue;
    }
    first_at[id] = where[i] = static_cast<std::int32_t>(n);
    unique[n++] = id;
  }
  return n;
}

void take_rows(const float* table, std::size_t n_rows, std::size_t dim, const std::int32_t* ids,
               std::size_t n_ids, float* rows) {
  each_row(table, n_rows, dim, ids, n_ids, [&](std::size_t i, const float* row) {
    if (row) {
      std::copy_n(row, dim, rows + i * dim);
    } else {
      std::fill_n(rows + i * dim, dim, 0.0f);
    }
  });
}

void put_rows(float* table, std::size_t n_rows, std::size_t dim, const std::int32_t* ids,
              std::size_t n_ids, const float* rows) {
  each_row(table, n_rows, dim, ids, n_ids, [&](std::size_t i, float* row) {
    if (row) std::copy_n(rows + i * dim, dim, row);
  });
}

namespace {

// 1 / the number of a text's unmasked steps; 0 where there are none.
float share_of(const PaddedBags& bags, std::size_t bag) {
  std::size_t n = bags.n_steps;
  if (bags.mask) {
    const bool* const mask = bags.mask + bag * bags.n_steps;
    n = static_cast<std::size_t>(std::count(mask, mask + bags.n_steps, true));
  }
  return n ? 1.0f / static_cast<float>(n) : 0.0f;
}

}  // namespace

void padded_mean(const float* table, std::size_t dim, const PaddedBags& bags, float* out) {
  each_bag(bags.n_bags, [&](std::size_t begin, std::size_t end) {
    std::vector<std::int32_t> real(bags.n_steps);
    for (std::size_t bag = begin; bag < end; ++bag) {
      std::size_t n = 0;
      for (std::size_t t = bag * bags.n_steps; t < (bag + 1) * bags.n_steps; ++t) {
        real[n] = bags.ids[t];
        n += !bags.mask || bags.mask[t];
      }
      mean_of(table, dim, real.data(), real.data() + n, out + bag * dim);
    }
  });
}

void padded_mean_back(const float* dout, std::size_t dim, const PaddedBags& bags,
                      std::size_t n_rows, float* dtable) {
  // Each part owns one stretch of the table, so no two threads write to a row.
  constexpr std::size_t kParts = 8;
  std::vector<float> scaled(bags.n_bags * dim, 0.0f);
  for (std::size_t bag = 0; bag < bags.n_bags; ++bag)
    kernels().add(scaled.data() + bag * dim, dout + bag * dim, dim, share_of(bags, bag));
  parallel_for(kParts, [&](std::size_t part) {
    const std::size_t first = n_rows * part / kParts, last = n_rows * (part + 1) / kParts;
    std::fill(dtable + first * dim, dtable + last * dim, 0.0f);
    for (std::size_t bag = 0; bag < bags.n_bags; ++bag)
      for (std::size_t t = bag * bags.n_steps; t < (bag + 1) * bags.n_steps; ++t) {
        const auto row = static_cast<std::size_t>(bags.ids[t]);
        if (row - first < last - first && (!bags.mask || bags.mask[t]))
          kernels().add(dtable + row * dim, scaled.data() + bag * dim, dim, 1.0f);
      }
  });
}

void bag_predict(const BagClassifier& model, const std::int32_t* ids, const std::int64_t* offsets,
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
