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

// Texts of one length, padded: text i has the rows ids[i * n_steps ...], where the mask is true.
struct PaddedBags {
  const std::int32_t* ids;  // [n_bags, n_steps]
  const bool* mask;         // the same, or none where all steps are real
  std::size_t n_bags, n_steps;
};

// Finds the distinct ids of a batch: unique [n_unique] in the order they are met, where[i] the
// place of ids[i] among them. Ids are trusted to be in [0, n_rows); unique has room for as many as
// there are. first_at [n_rows] is scratch that may hold anything that is not negative: what it
// takes depends on the batch alone. Ids already in `unique`, n_known of them, come first.
std::size_t find_unique(const std::int32_t* ids, std::size_t n_ids, std::int32_t* first_at,
                        std::size_t n_known, std::int32_t* unique, std::int32_t* where);

// Copies rows out of a table and back: row i is ids[i] of the table. Ids that are no rows of it
// give zeros, and take nothing.
void take_rows(const float* table, std::size_t n_rows, std::size_t dim, const std::int32_t* ids,
               std::size_t n_ids, float* rows);
void put_rows(float* table, std::size_t n_rows, std::size_t dim, const std::int32_t* ids,
              std::size_t n_ids, const float* rows);

// out [n_bags, dim]: the mean of each text's real rows, zeros where there are none.
void padded_mean(const float* table, std::size_t dim, const PaddedBags& bags, float* out);
// dtable [n_rows, dim], overwritten: the gradient of the rows for that of their means.
void padded_mean_back(const float* dout, std::size_t dim, const PaddedBags& bags,
                      std::size_t n_rows, float* dtable);

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
