// Reading rows of a table.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wordrow {

// out[b] = mean of table[ids[offsets[b] : offsets[b + 1]]], zeros where that
// is empty. table: [n_rows, dim], out: [n_bags, dim]. Ids are trusted.
void bag_mean(const float* table, std::size_t dim, const std::int32_t* ids,
              const std::int64_t* offsets, std::size_t n_bags, float* out);

}  // namespace wordrow
