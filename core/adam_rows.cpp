#include "adam_rows.h"

#include <algorithm>
#include <vector>

#include "memory.h"
#include "pool.h"

namespace wordrow {

namespace {

// Calls each(i, where row ids[i] begins) for rows, and missing(i) where there is none; what is
// needed next of the arrays is fetched meanwhile.
template <class Each, class Missing>
void each_resting(const RestingRows& resting, const float* w, const float* m, const float* v,
                  const Each& each, const Missing& missing) {
  constexpr std::size_t kPerPart = 512, kAhead = 6;
  const auto id = [&](std::size_t i) { return static_cast<std::size_t>(resting.ids[i]); };
  parallel_for((resting.n + kPerPart - 1) / kPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(resting.n, (part + 1) * kPerPart);
    for (std::size_t i = part * kPerPart; i < end; ++i) {
      if (i + kAhead < end && id(i + kAhead) < resting.n_rows) {
        const std::size_t next = id(i + kAhead) * resting.dim;
        for (const float* const table : {w, m, v})
          for (std::size_t d = 0; d < resting.dim; d += 16) prefetch_address(table + next + d);
      }
      if (id(i) < resting.n_rows)
        each(i, id(i) * resting.dim);
      else
        missing(i);
    }
  });
}

void bring_up(const RestingRows& resting, std::size_t i, float* w, float* m, float* v) {
  CatchUp away{};
  std::copy_n(resting.terms + i * resting.n_terms, resting.n_terms, away.terms);
  away.n_terms = static_cast<int>(resting.n_terms);
  away.beta_1_power = resting.fade_m[i];
  away.beta_2_power = resting.fade_v[i];
  away.epsilon = resting.epsilon;
  if (resting.keep)
    for (std::size_t d = 0; d < resting.dim; ++d) w[d] *= resting.keep[i];
  if (away.beta_1_power != 1.0f || away.beta_2_power != 1.0f)  // else it missed nothing
    kernels().catch_up(w, m, v, resting.dim, away);
}

}  // namespace

void read_resting(const float* w, const float* m, const float* v, const RestingRows& resting,
                  float* rows) {
  const std::size_t dim = resting.dim;
  each_resting(
      resting, w, m, v,
      [&](std::size_t i, std::size_t at) {
        thread_local std::vector<float> moments;
        moments.resize(2 * dim);
        std::copy_n(w + at, dim, rows + i * dim);
        std::copy_n(m + at, dim, moments.data());
        std::copy_n(v + at, dim, moments.data() + dim);
        bring_up(resting, i, rows + i * dim, moments.data(), moments.data() + dim);
      },
      [&](std::size_t i) { std::fill_n(rows + i * dim, dim, 0.0f); });
}

void update_resting(float* w, float* m, float* v, const RestingRows& resting,
                    const float* gradient, const AdamStep& step) {
  each_resting(
      resting, w, m, v,
      [&](std::size_t i, std::size_t at) {
        bring_up(resting, i, w + at, m + at, v + at);
        kernels().adam(w + at, m + at, v + at, gradient + i * resting.dim, resting.dim, step);
      },
      [](std::size_t) {});
}

}  // namespace wordrow
