#include "adam_rows.h"

#include <algorithm>
#include <vector>

#include "memory.h"
#include "pool.h"

namespace wordrow {

namespace {

// Calls each(i, where row ids[i] begins) for rows and missing(i) for other ids, prefetching the
// rows that come next.
template <class Each, class Missing>
void each_stale(const StaleRows& stale, const float* w, const float* m, const float* v,
                const Each& each, const Missing& missing) {
  constexpr std::size_t kPerPart = 512, kAhead = 6;
  const auto id = [&](std::size_t i) { return static_cast<std::size_t>(stale.ids[i]); };
  parallel_for((stale.n + kPerPart - 1) / kPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(stale.n, (part + 1) * kPerPart);
    for (std::size_t i = part * kPerPart; i < end; ++i) {
      if (i + kAhead < end && id(i + kAhead) < stale.n_rows) {
        const std::size_t next = id(i + kAhead) * stale.dim;
        for (const float* const table : {w, m, v})
          for (std::size_t d = 0; d < stale.dim; d += 16) prefetch_address(table + next + d);
      }
      if (id(i) < stale.n_rows)
        each(i, id(i) * stale.dim);
      else
        missing(i);
    }
  });
}

void apply_missed(const StaleRows& stale, std::size_t i, float* w, float* m, float* v) {
  MissedUpdate missed{};
  std::copy_n(stale.terms + i * stale.n_terms, stale.n_terms, missed.terms);
  missed.n_terms = static_cast<int>(stale.n_terms);
  missed.decay_m = stale.decay_m[i];
  missed.decay_v = stale.decay_v[i];
  missed.epsilon = stale.epsilon;
  if (stale.keep)
    for (std::size_t d = 0; d < stale.dim; ++d) w[d] *= stale.keep[i];
  if (missed.decay_m != 1.0f || missed.decay_v != 1.0f)  // else it missed nothing
    kernels().apply_missed(w, m, v, stale.dim, missed);
}

}  // namespace

void gather_stale(const float* w, const float* m, const float* v, const StaleRows& stale,
                  float* rows) {
  const std::size_t dim = stale.dim;
  each_stale(
      stale, w, m, v,
      [&](std::size_t i, std::size_t at) {
        thread_local std::vector<float> moments;
        moments.resize(2 * dim);
        std::copy_n(w + at, dim, rows + i * dim);
        std::copy_n(m + at, dim, moments.data());
        std::copy_n(v + at, dim, moments.data() + dim);
        apply_missed(stale, i, rows + i * dim, moments.data(), moments.data() + dim);
      },
      [&](std::size_t i) { std::fill_n(rows + i * dim, dim, 0.0f); });
}

void update_stale(float* w, float* m, float* v, const StaleRows& stale, const float* gradient,
                  const AdamStep& step) {
  each_stale(
      stale, w, m, v,
      [&](std::size_t i, std::size_t at) {
        apply_missed(stale, i, w + at, m + at, v + at);
        kernels().adam(w + at, m + at, v + at, gradient + i * stale.dim, stale.dim, step);
      },
      [](std::size_t) {});
}

}  // namespace wordrow
