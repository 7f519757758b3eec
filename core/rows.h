// Reading rows of a table.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wordrow {

// out[b] = mean of table[ids[offsets[b] : offsets[b + 1]]], zeros where that
// is empty. table: [n_rows, dim], out: [n_bags, dim]. Ids are trusted.
void bag_mean(const float* table, std::size_t dim, const std::int32_t* ids,
              const std::int64_t* offsets, std::size_t n_bags, float* out);

// Whether all ids are rows of a table.
bool are_rows(const std::int32_t* ids, std::size_t n_ids, std::size_t n_rows);

// Padded texts: text i has the ids from ids[i * n_steps] on, where the mask is true.
struct PaddedBags {
  const std::int32_t* ids;  // [n_bags, n_steps]
  const bool* mask;         // [n_bags, n_steps]; none: all true
  std::size_t n_bags, n_steps;
};

// Finds the distinct ids of a batch: unique [n_unique] in order of first appearance, where[i] the
// index of ids[i] in it. The first n_known entries of `unique` are given. Ids are trusted to be in
// [0, n_rows), and `unique` to have room. first_at [n_rows] is scratch and may hold any numbers
// that are not negative, so that the time depends on the batch alone.
std::size_t find_unique(const std::int32_t* ids, std::size_t n_ids, std::int32_t* first_at,
                        std::size_t n_known, std::int32_t* unique, std::int32_t* where);

// Copies rows out of a table and back: rows[i] is table[ids[i]]. Ids outside of the table read
// zeros and write nothing.
void take_rows(const float* table, std::size_t n_rows, std::size_t dim, const std::int32_t* ids,
               std::size_t n_ids, float* rows);
void put_rows(float* table, std::size_t n_rows, std::size_t dim, const std::int32_t* ids,
              std::size_t n_ids, const float* rows);

// out [n_bags, dim]: the mean of each text's unmasked rows, zeros where there are none.
void padded_mean(const float* table, std::size_t dim, const PaddedBags& bags, float* out);
// dtable [n_rows, dim], overwritten: the gradient of the table, given that of the means.
void padded_mean_back(const float* dout, std::size_t dim, const PaddedBags& bags,
                      std::size_t n_rows, float* dtable);

// Embedding, mean and Dense in one: out [n_bags, n_units] are probabilities, by sigmoids or a
// softmax.
struct BagClassifier {
  const float* table;   // [V, dim]
  const float* kernel;  // [dim, n_units]
  const float* bias;    // [n_units]
  std::size_t dim, n_units;
  bool sigmoid;
};
void bag_predict(const BagClassifier& model, const std::int32_t* ids, const std::int64_t* offsets,
                 std::size_t n_bags, float* out);

}  // namespace wordrow
