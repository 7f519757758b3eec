// Reading rows of a table.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wordrow {

// out[b] = mean of table[ids[offsets[b] : offsets[b + 1]]], zeros where that
// is empty. table: [n_rows, dim], out: [n_bags, dim]. Ids are trusted.
void bag_mean(const float* table, std::size_t dim, const std::int32_t* ids,
              const std::int64_t* offsets, std::size_t n_bags, float* out);

// Embedding, mean and Dense in one: out [n_bags, n_units] are probabilities. One unit has a
// sigmoid, or all have one each; else they share a softmax.
struct BagAnswers {
  const float* table;   // [V, dim]
  const float* kernel;  // [dim, n_units]
  const float* bias;    // [n_units]
  std::size_t dim, n_units;
  bool sigmoid;
};
void bag_answers(const BagAnswers& model, const std::int32_t* ids, const std::int64_t* offsets,
                 std::size_t n_bags, float* out);

}  // namespace wordrow
