// Rows of a table under Adam that are stale: no batch has used them for some steps. The caller
// tells what they missed (missed_updates.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace wordrow {

struct StaleRows {
  const std::int32_t* ids;  // [n]: distinct; ids of n_rows and above are skipped
  std::size_t n, n_rows, dim;
  const float* terms;              // [n, n_terms]: C_p of each row
  const float *decay_m, *decay_v;  // [n]: the factors for its moments
  const float* keep;               // [n]: what weight decay keeps of it, or none
  std::size_t n_terms;             // at most kMaxTerms
  float epsilon;
};

// rows [n, dim]: the rows with their missed updates applied; zeros for ids that are skipped. The
// table does not change.
void gather_stale(const float* w, const float* m, const float* v, const StaleRows& stale,
                  float* rows);

// Applies to the rows in the table what they missed, and then a step: gradient [n, dim].
void update_stale(float* w, float* m, float* v, const StaleRows& stale, const float* gradient,
                  const AdamStep& step);

}  // namespace wordrow
