#include "rows.h"

#include <algorithm>

#include "isa.h"
#include "pool.h"

namespace wordrow {

void bag_mean(const float* table, std::size_t dim, const std::int32_t* ids,
              const std::int64_t* offsets, std::size_t n_bags, float* out) {
  constexpr std::size_t kBagsPerPart = 64;
  const Kernels& kernel = kernels();
  parallel_for((n_bags + kBagsPerPart - 1) / kBagsPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(n_bags, (part + 1) * kBagsPerPart);
    for (std::size_t bag = part * kBagsPerPart; bag < end; ++bag) {
      float* const sum = out + bag * dim;
      std::fill(sum, sum + dim, 0.0f);
      const std::int64_t first = offsets[bag], last = offsets[bag + 1];
      for (std::int64_t i = first; i < last; ++i)
        kernel.add(sum, table + static_cast<std::size_t>(ids[i]) * dim, dim, 1.0f);
      if (last == first) continue;
      const float scale = 1.0f / static_cast<float>(last - first);
      for (std::size_t d = 0; d < dim; ++d) sum[d] *= scale;
    }
  });
}

}  // namespace wordrow
