// Some rows of a table under Adam, where the caller knows what they missed while
// they rested (optimizer.h says how that is summed).
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace wordrow {

struct RestingRows {
  const std::int32_t* ids;  // [n]: which rows; distinct; those that are no rows are passed over
  std::size_t n, n_rows, dim;
  const float* terms;           // [n, n_terms]: the sums of what each row missed
  const float *fade_m, *fade_v;  // [n]: what is left of its moments
  const float* keep;             // [n]: what weight decay has left of it, or none
  std::size_t n_terms;           // at most kMaxTerms
  float epsilon;
};

// rows [n, dim]: the rows, up to date; zeros where there is no row. The table is not changed.
void read_resting(const float* w, const float* m, const float* v, const RestingRows& resting,
                  float* rows);

// Brings the rows up to date in the table, and applies a step to them: gradient [n, dim].
void update_resting(float* w, float* m, float* v, const RestingRows& resting,
                    const float* gradient, const AdamStep& step);

}  // namespace wordrow
