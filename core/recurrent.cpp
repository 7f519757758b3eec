#include "recurrent.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "pool.h"

namespace wordrow {
namespace {

constexpr std::size_t kTextsPerPart = 8;

// A matrix [k, n] as panels of kPanel columns, each contiguous, zeros behind the last column.
struct Packed {
  std::size_t k = 0, n_panels = 0;
  std::vector<float> data;

  Packed() = default;
  Packed(const float* from, std::size_t k_, std::size_t row_stride, std::size_t n)
      : k(k_), n_panels((n + kPanel - 1) / kPanel), data(n_panels * k_ * kPanel, 0.0f) {
    for (std::size_t panel = 0; panel < n_panels; ++panel) {
      const std::size_t first = panel * kPanel, width = std::min(kPanel, n - first);
      for (std::size_t i = 0; i < k; ++i)
        std::copy_n(from + i * row_stride + first, width, data.data() + (panel * k + i) * kPanel);
    }
  }
  std::size_t width() const { return n_panels * kPanel; }
};

std::size_t padded(std::size_t n) { return (n + kPanel - 1) / kPanel * kPanel; }

// The texts of one part, all read together step by step.
class Part {
 public:
  Part(const Recurrent& job, const Packed& gates, const Packed& candidate, std::size_t first,
       std::size_t last)
      : job_(job), gates_(gates), candidate_(candidate), first_(first), last_(last),
        units_(job.n_units), width_(n_gates(job.cell) * job.n_units),
        sums_(kTextsPerPart * padded(width_)), inner_(kTextsPerPart * padded(width_)),
        scratch_(kTextsPerPart * padded(units_)) {}

  void run() {
    for (std::size_t t = 0; t < job_.n_steps; ++t) {
      n_active_ = 0;
      for (std::size_t b = first_; b < last_; ++b)
        if (!job_.mask || job_.mask[b * job_.n_steps + t]) active_[n_active_++] = b;
      if (n_active_ > 0) step(t);
      if (!job_.sequence) continue;
      for (std::size_t b = first_; b < last_; ++b)
        std::copy_n(job_.h + b * units_, units_, job_.sequence + (b * job_.n_steps + t) * units_);
    }
  }

 private:
  float* sums(std::size_t i) { return sums_.data() + i * padded(width_); }
  float* inner(std::size_t i) { return inner_.data() + i * padded(width_); }
  float* scratch(std::size_t i) { return scratch_.data() + i * padded(units_); }
  float* h(std::size_t i) const { return job_.h + active_[i] * units_; }

  void activate(Activation kind, float* x, std::size_t n) const { kernels().activate(kind, x, n); }

  // out[i] += a[i] @ matrix, for every active text.
  void multiply(const Packed& matrix, const float* const* a, float* const* out) const {
    kernels().multiply(out, a, n_active_, matrix.data.data(), matrix.k, matrix.n_panels);
  }

  void step(std::size_t t) {
    const float* states[kTextsPerPart];
    float* targets[kTextsPerPart];
    const bool apart = job_.cell == Cell::kGru && job_.reset_after;
    for (std::size_t i = 0; i < n_active_; ++i) {
      const float* const z = job_.z + (active_[i] * job_.n_steps + t) * width_;
      std::copy_n(z, width_, sums(i));
      states[i] = h(i);
      targets[i] = sums(i);
      if (!apart) continue;  // what comes from the state must stay apart from what comes in
      targets[i] = inner(i);
      if (job_.recurrent_bias)
        std::copy_n(job_.recurrent_bias, width_, inner(i));
      else
        std::fill_n(inner(i), width_, 0.0f);
    }
    multiply(gates_, states, targets);
    for (std::size_t i = 0; i < n_active_; ++i) {
      if (job_.cell == Cell::kSimple) simple(i);
      if (job_.cell == Cell::kLstm) lstm(i);
      if (apart) gru_reset_after(i);
    }
    if (job_.cell == Cell::kGru && !apart) gru_reset_before();
  }

  void simple(std::size_t i) {
    activate(job_.activation, sums(i), units_);
    std::copy_n(sums(i), units_, h(i));
  }

  void lstm(std::size_t i) {
    float* const s = sums(i);
    const std::size_t n = units_;
    activate(job_.gate, s, 2 * n);
    activate(job_.activation, s + 2 * n, n);
    activate(job_.gate, s + 3 * n, n);
    float* const c = job_.c + active_[i] * n;
    for (std::size_t u = 0; u < n; ++u) c[u] = s[n + u] * c[u] + s[u] * s[2 * n + u];
    float* const squashed = scratch(i);
    std::copy_n(c, n, squashed);
    activate(job_.activation, squashed, n);
    float* const state = h(i);
    for (std::size_t u = 0; u < n; ++u) state[u] = s[3 * n + u] * squashed[u];
  }

  void gru_reset_after(std::size_t i) {
    float *const s = sums(i), *const in = inner(i);
    const std::size_t n = units_;
    for (std::size_t u = 0; u < 2 * n; ++u) s[u] += in[u];
    activate(job_.gate, s, 2 * n);
    for (std::size_t u = 0; u < n; ++u) s[2 * n + u] += s[n + u] * in[2 * n + u];
    gru_mix(i);
  }

  void gru_reset_before() {
    const float* states[kTextsPerPart];
    float* targets[kTextsPerPart];
    const std::size_t n = units_;
    for (std::size_t i = 0; i < n_active_; ++i) {
      float *const s = sums(i), *const reset = scratch(i);
      activate(job_.gate, s, 2 * n);
      for (std::size_t u = 0; u < n; ++u) reset[u] = s[n + u] * h(i)[u];
      // The candidate's sums move to a place of their own, as wide as its panels.
      std::copy_n(s + 2 * n, n, inner(i));
      states[i] = reset;
      targets[i] = inner(i);
    }
    multiply(candidate_, states, targets);
    for (std::size_t i = 0; i < n_active_; ++i) {
      std::copy_n(inner(i), n, sums(i) + 2 * n);
      gru_mix(i);
    }
  }

  void gru_mix(std::size_t i) {
    float* const s = sums(i);
    const std::size_t n = units_;
    activate(job_.activation, s + 2 * n, n);
    float* const state = h(i);
    for (std::size_t u = 0; u < n; ++u)
      state[u] = s[u] * state[u] + (1.0f - s[u]) * s[2 * n + u];
  }

  const Recurrent& job_;
  const Packed &gates_, &candidate_;
  const std::size_t first_, last_, units_, width_;
  std::vector<float> sums_, inner_, scratch_;
  std::size_t active_[kTextsPerPart] = {}, n_active_ = 0;
};

}  // namespace

std::size_t n_gates(Cell cell) {
  return cell == Cell::kSimple ? 1 : cell == Cell::kLstm ? 4 : 3;
}

void run_recurrent(const Recurrent& job) {
  const std::size_t n = job.n_units, width = n_gates(job.cell) * n;
  const bool split = job.cell == Cell::kGru && !job.reset_after;
  const Packed gates(job.kernel, n, width, split ? 2 * n : width);
  const Packed candidate = split ? Packed(job.kernel + 2 * n, n, width, n) : Packed();
  parallel_for((job.n_texts + kTextsPerPart - 1) / kTextsPerPart, [&](std::size_t part) {
    const std::size_t first = part * kTextsPerPart;
    Part(job, gates, candidate, first, std::min(job.n_texts, first + kTextsPerPart)).run();
  });
}

}  // namespace wordrow
