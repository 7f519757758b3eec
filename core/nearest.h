// Exact nearest neighbours by cosine similarity.
#pragma once

#include <cstddef>
#include <cstdint>

#include "memory.h"
#include "pool.h"

namespace wordrow {

struct Directions {
  const float* table;   // [n_rows, dim]
  const float* scales;  // [n_rows]: 1 / the length of a row; 0: it is never named
  std::size_t n_rows, dim;
};

// out [n_rows] = 1 / the length of each row, 0 for rows of zeros.
void inverse_lengths(const float* table, std::size_t n_rows, std::size_t dim, float* out);

// rows, scores [n_queries, n]: the rows with the largest scaled products, largest first, the
// lower number first of equal ones; row -1 where there are no more. queries: [n_queries, dim].
// Throws Stopped.
void find_nearest(const Directions& directions, const float* queries, std::size_t n_queries,
                  std::size_t n, std::int64_t* rows, float* scores, const Watch& watch);

// The same rows at length 1, rounded to a byte a number: a query reads a quarter of the memory. The
// result is exact: each row's rounding error is known, and all rows that could be among the n best
// are compared again unrounded.
class RoundedRows {
 public:
  explicit RoundedRows(const Directions& directions);
  // The n best for one query, as from find_nearest.
  void find_nearest(const Directions& directions, const float* query, std::size_t n,
                    std::int64_t* rows, float* scores) const;
  std::size_t n_rows() const { return steps_.size(); }
  std::size_t stride() const { return stride_; }

 private:
  std::size_t stride_;
  LargeVector<std::int8_t> bytes_;  // [n_rows, stride]
  LargeVector<float> steps_;        // [n_rows]: the value of one unit of a byte
  LargeVector<float> errors_;       // [n_rows]: the length of the rounding error
};

}  // namespace wordrow
