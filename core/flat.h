// Embedding, Flatten and Dense in one, forward and backward: the concatenated rows of each text
// times a matrix. The concatenation is never materialized, and steps that most texts begin with in
// common (padding) are computed once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wordrow {

// n_steps and dim are above 0.
struct FlatTexts {
  const float* table;       // [n_rows, dim]
  const std::int32_t* ids;  // [n_texts, n_steps], trusted to be rows
  const float* kernel;      // [n_steps * dim, n_units]
  std::size_t n_rows, dim, n_texts, n_steps, n_units;
};

// out [n_texts, n_units] = the sum over t of table[ids[:, t]] @ kernel[t * dim : (t + 1) * dim]
void flat_product(const FlatTexts& texts, float* out);
// The gradients of table and kernel, overwritten.
void flat_product_back(const FlatTexts& texts, const float* dout, float* dtable, float* dkernel);

}  // namespace wordrow
