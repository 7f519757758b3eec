#include "recurrent.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "matrix.h"
#include "memory.h"
#include "pool.h"

namespace wordrow {
namespace {

constexpr std::size_t kMaxTexts = 32;  // processed together: their states stay in the cache

// ---- which steps are computed ---------------------------------------------

// The unmasked steps of one text, or the steps that texts have in common.
struct Line {
  std::size_t text, begin, length;  // its steps are begin ... begin + length of all
};

// All steps to compute. Padding in front is the same for every text. Where it is not masked, its
// states are computed once, on the common line; each text goes on from the state where its own
// steps begin.
struct Plan {
  std::vector<Line> lines;         // the longest first
  Line common = {0, 0, 0};
  std::vector<std::size_t> lead;   // of each text: how many steps of the common line it begins with
  std::vector<std::int32_t> rows;  // of each step: its row of z
  std::vector<std::int32_t> times;

  explicit Plan(const Recurrent& job);
  // Where the masked steps after a line's step k end: they have the same state.
  std::size_t until(const Recurrent& job, const Line& line, std::size_t k) const {
    return k + 1 < line.length ? static_cast<std::size_t>(times[line.begin + k + 1])
                               : job.n_steps;
  }

 private:
  void find_common(const Recurrent& job);
};

// Finds the row that most texts begin with, if steps are given as rows.
void Plan::find_common(const Recurrent& job) {
  lead.assign(job.n_texts, 0);
  if (!job.row_indices || job.mask || job.first_h || job.first_c || job.n_steps == 0) return;
  std::vector<std::int32_t> firsts(job.n_texts);
  for (std::size_t b = 0; b < job.n_texts; ++b) firsts[b] = job.row_indices[b * job.n_steps];
  std::sort(firsts.begin(), firsts.end());
  std::size_t most = 0;
  std::int32_t row = 0;
  for (std::size_t i = 0, j = 0; i < firsts.size(); i = j) {
    while (j < firsts.size() && firsts[j] == firsts[i]) ++j;
    if (j - i > most) most = j - i, row = firsts[i];
  }
  if (most < 2) return;
  for (std::size_t b = 0; b < job.n_texts; ++b) {
    const std::int32_t* const row_indices = job.row_indices + b * job.n_steps;
    while (lead[b] < job.n_steps && row_indices[lead[b]] == row) ++lead[b];
  }
  common.length = *std::max_element(lead.begin(), lead.end());
}

Plan::Plan(const Recurrent& job) {
  find_common(job);
  std::vector<std::size_t> lengths(job.n_texts);
  for (std::size_t b = 0; b < job.n_texts; ++b) {
    lengths[b] = job.n_steps - lead[b];
    if (job.mask)
      lengths[b] = static_cast<std::size_t>(
          std::count(job.mask + b * job.n_steps, job.mask + (b + 1) * job.n_steps, true));
  }
  std::vector<std::size_t> order(job.n_texts);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  const auto add = [&](std::size_t text, std::size_t t) {
    const std::size_t at = text * job.n_steps + t;
    rows.push_back(job.row_indices ? job.row_indices[at] : static_cast<std::int32_t>(at));
    times.push_back(static_cast<std::int32_t>(t));
  };
  for (const std::size_t b : order) {
    lines.push_back({b, rows.size(), lengths[b]});
    for (std::size_t t = lead[b]; t < job.n_steps; ++t)
      if (!job.mask || job.mask[b * job.n_steps + t]) add(b, t);
  }
  if (common.length) {
    const auto longest = std::max_element(lead.begin(), lead.end()) - lead.begin();
    common.begin = rows.size();
    for (std::size_t t = 0; t < common.length; ++t) add(static_cast<std::size_t>(longest), t);
  }
}

// ---- shared by all steps ------------------------------------------------------

// The recurrent kernel, packed: of the gates and, where a GRU multiplies it separately, of the
// candidate. Both are transposed for the backward pass.
struct Matrices {
  Packed gates, candidate;

  void pack(const Recurrent& job, bool back) {
    const std::size_t n = job.n_units, width = n_gates(job.cell) * n;
    const bool apart = job.cell == Cell::kGru && !job.reset_after;
    const std::size_t joint = apart ? 2 * n : width;
    if (back) {
      gates.pack(job.kernel, joint, n, 1, width);
      if (apart) candidate.pack(job.kernel + 2 * n, n, n, 1, width);
    } else {
      gates.pack(job.kernel, n, joint, width);
      if (apart) candidate.pack(job.kernel + 2 * n, n, n, width);
    }
  }
};

// Scratch memory, reused by later calls: fresh pages would take time.
struct Workspace {
  Matrices matrices;
  Room<float> common_h, common_c;  // [S + 1, U]: the states after each common step
  LargeVector<float> dz, inner;    // [steps, G * U], of the backward pass
  Room<float> first;               // [2, B, U]: gradients of the initial states

  struct GiveBack {
    void operator()(Workspace* space) const {
      std::lock_guard<std::mutex> lock(mutex());
      free().emplace_back(space);
    }
  };
  static std::unique_ptr<Workspace, GiveBack> take() {
    std::lock_guard<std::mutex> lock(mutex());
    if (free().empty()) return std::unique_ptr<Workspace, GiveBack>(new Workspace);
    std::unique_ptr<Workspace, GiveBack> space(free().back().release());
    free().pop_back();
    return space;
  }

 private:
  // Never destroyed: threads may still be running at exit.
  static std::mutex& mutex() {
    static auto* const one = new std::mutex;
    return *one;
  }
  static std::vector<std::unique_ptr<Workspace>>& free() {
    static auto* const all = new std::vector<std::unique_ptr<Workspace>>;
    return *all;
  }
};

struct Sizes {
  std::size_t n, width, stride;  // U, G * U, and G * U in whole panels
  explicit Sizes(const Recurrent& job)
      : n(job.n_units), width(n_gates(job.cell) * job.n_units), stride(padded(width)) {}
};

bool has_inner(const Recurrent& job) {
  return job.cell == Cell::kLstm || (job.cell == Cell::kGru && job.reset_after);
}

// The residuals, by computed step. These are at most B * T, since the steps on the common line are
// also those of at least one text. T: float or const float.
template <class T>
struct Residuals {
  T* gates;   // [steps, stride]: the gates' values
  T* before;  // [steps, U]: h before the step
  T* inner;   // [steps, U]: c after it; of a GRU with reset_after, what the state adds to the
              // candidate; else none

  Residuals(const Recurrent& job, T* memory) : gates(memory), before(nullptr), inner(nullptr) {
    if (!memory) return;
    const std::size_t capacity = job.n_texts * job.n_steps;
    before = gates + capacity * Sizes(job).stride;
    if (has_inner(job)) inner = before + capacity * job.n_units;
  }
  explicit operator bool() const { return gates != nullptr; }
};

// The states that a text starts from: those after its common steps, or the initial ones.
struct FirstStates {
  const Recurrent& job;
  const Plan& plan;
  const float *common_h, *common_c;

  const float* h(std::size_t text) const { return of(job.first_h, common_h, text); }
  const float* c(std::size_t text) const { return of(job.first_c, common_c, text); }

 private:
  const float* of(const float* given, const float* common, std::size_t text) const {
    if (plan.lead[text]) return common + plan.lead[text] * job.n_units;
    return given ? given + text * job.n_units : nullptr;  // none: zeros
  }
};

void copy_or_zero(const float* from, std::size_t n, float* to) {
  if (from) {
    std::copy_n(from, n, to);
  } else {
    std::fill_n(to, n, 0.0f);
  }
}

// ---- forward --------------------------------------------------------------

// Runs some lines together, step by step.
class Forward {
 public:
  Forward(const Recurrent& job, const Plan& plan, const Matrices& matrices,
          const Residuals<float>& residuals)
      : job_(job), plan_(plan), matrices_(matrices), residuals_(residuals), size_(job),
        gates_(kMaxTexts * size_.stride), inner_(kMaxTexts * size_.stride),
        h_(kMaxTexts * padded(size_.n)), c_(h_.size()), part_(h_.size()) {}

  // Calls after(line, k, h, c) after each step of a line.
  template <class After>
  void run(const std::vector<const Line*>& lines, const After& after) {
    std::size_t n = lines.size();
    for (std::size_t k = 0;; ++k) {
      while (n > 0 && lines[n - 1]->length <= k) --n;
      if (n == 0) return;
      step(lines, n, k);
      for (std::size_t i = 0; i < n; ++i) after(*lines[i], k, h(i), c(i));
    }
  }
  float* h(std::size_t i) { return h_.data() + i * padded(size_.n); }
  float* c(std::size_t i) { return c_.data() + i * padded(size_.n); }

 private:
  void step(const std::vector<const Line*>& lines, std::size_t n, std::size_t k) {
    const bool apart = job_.cell == Cell::kGru && job_.reset_after;
    float *sums[kMaxTexts], *targets[kMaxTexts];
    const float* states[kMaxTexts];
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = lines[i]->begin + k;
      sums[i] =
          residuals_ ? residuals_.gates + at * size_.stride : gates_.data() + i * size_.stride;
      const float* const z = job_.z + static_cast<std::size_t>(plan_.rows[at]) * size_.width;
      std::copy_n(z, size_.width, sums[i]);
      std::fill(sums[i] + size_.width, sums[i] + size_.stride, 0.0f);
      if (residuals_) std::copy_n(h(i), size_.n, residuals_.before + at * size_.n);
      states[i] = h(i);
      targets[i] = sums[i];
      if (!apart) continue;  // the state's part of the sums is kept separate
      targets[i] = inner_.data() + i * size_.stride;
      copy_or_zero(job_.recurrent_bias, size_.width, targets[i]);
      std::fill(targets[i] + size_.width, targets[i] + size_.stride, 0.0f);
    }
    matrices_.gates.multiply(targets, states, n);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = lines[i]->begin + k;
      if (job_.cell == Cell::kLstm) {
        kernels().lstm_forward(job_.activations, sums[i], c(i), h(i), size_.n);
        if (residuals_) std::copy_n(c(i), size_.n, residuals_.inner + at * size_.n);
      } else if (job_.cell == Cell::kSimple) {
        kernels().activate(job_.activations.activation, sums[i], size_.n);
        std::copy_n(sums[i], size_.n, h(i));
      } else if (apart) {
        gru_reset_after(sums[i], targets[i], h(i));
        if (residuals_)
          std::copy_n(targets[i] + 2 * size_.n, size_.n, residuals_.inner + at * size_.n);
      }
    }
    if (job_.cell == Cell::kGru && !apart) gru_reset_before(sums, n);
  }

  void gru_reset_after(float* s, const float* inner, float* state) {
    const std::size_t n = size_.n;
    for (std::size_t u = 0; u < 2 * n; ++u) s[u] += inner[u];
    kernels().activate(job_.activations.gate, s, 2 * n);
    for (std::size_t u = 0; u < n; ++u) s[2 * n + u] += s[n + u] * inner[2 * n + u];
    gru_mix(s, state);
  }

  void gru_reset_before(float* const* sums, std::size_t n_lines) {
    const float* states[kMaxTexts];
    float* targets[kMaxTexts];
    const std::size_t n = size_.n;
    for (std::size_t i = 0; i < n_lines; ++i) {
      float *const s = sums[i], *const reset = part_.data() + i * padded(n);
      kernels().activate(job_.activations.gate, s, 2 * n);
      for (std::size_t u = 0; u < n; ++u) reset[u] = s[n + u] * h(i)[u];
      // The candidate's sums move to a buffer as wide as whole panels.
      targets[i] = inner_.data() + i * size_.stride;
      std::copy_n(s + 2 * n, n, targets[i]);
      std::fill(targets[i] + n, targets[i] + padded(n), 0.0f);
      states[i] = reset;
    }
    matrices_.candidate.multiply(targets, states, n_lines);
    for (std::size_t i = 0; i < n_lines; ++i) {
      std::copy_n(targets[i], n, sums[i] + 2 * n);
      gru_mix(sums[i], h(i));
    }
  }

  void gru_mix(float* s, float* state) {
    const std::size_t n = size_.n;
    kernels().activate(job_.activations.activation, s + 2 * n, n);
    for (std::size_t u = 0; u < n; ++u)
      state[u] = s[u] * state[u] + (1.0f - s[u]) * s[2 * n + u];
  }

  const Recurrent& job_;
  const Plan& plan_;
  const Matrices& matrices_;
  const Residuals<float> residuals_;
  const Sizes size_;
  std::vector<float> gates_, inner_, h_, c_, part_;
};

// Cuts lines into parts of at most kMaxTexts, each with long and short ones.
std::vector<std::vector<const Line*>> parts_of(const Plan& plan) {
  const auto n_threads = static_cast<std::size_t>(wordrow::n_threads());
  const std::size_t n = plan.lines.size(), least = (n + kMaxTexts - 1) / kMaxTexts;
  const std::size_t n_parts =
      std::min(std::max<std::size_t>(1, n), (least + n_threads - 1) / n_threads * n_threads);
  std::vector<std::vector<const Line*>> parts(n_parts);
  for (std::size_t i = 0; i < n; ++i) parts[i % n_parts].push_back(&plan.lines[i]);
  return parts;
}

}  // namespace

std::size_t n_gates(Cell cell) {
  return cell == Cell::kSimple ? 1 : cell == Cell::kLstm ? 4 : 3;
}

std::size_t residual_width(const Recurrent& job) {
  return Sizes(job).stride + (has_inner(job) ? 2 : 1) * job.n_units;
}

void recurrent_forward(const Recurrent& job, const RecurrentStates& out, float* residuals) {
  const Plan plan(job);
  const Sizes size(job);
  if (residuals)
    prefer_large_pages(residuals, job.n_texts * job.n_steps * residual_width(job) * sizeof(float));
  const Residuals<float> saved(job, residuals);
  const auto space = Workspace::take();
  space->matrices.pack(job, false);
  const std::size_t n = size.n, n_common = plan.common.length;
  float* const common_h = space->common_h.of((n_common + 1) * n);
  float* const common_c = space->common_c.of((n_common + 1) * n);
  if (n_common) {
    Forward forward(job, plan, space->matrices, saved);
    forward.run({&plan.common}, [&](const Line&, std::size_t k, const float* h, const float* c) {
      std::copy_n(h, n, common_h + (k + 1) * n);
      std::copy_n(c, n, common_c + (k + 1) * n);
    });
  }
  const FirstStates first{job, plan, common_h, common_c};
  const auto parts = parts_of(plan);
  parallel_for(parts.size(), [&](std::size_t p) {
    Forward forward(job, plan, space->matrices, saved);
    for (std::size_t i = 0; i < parts[p].size(); ++i) {
      const Line& line = *parts[p][i];
      copy_or_zero(first.h(line.text), n, forward.h(i));
      copy_or_zero(first.c(line.text), n, forward.c(i));
      if (!out.sequence) continue;
      float* const to = out.sequence + line.text * job.n_steps * n;
      const std::size_t until =
          line.length ? static_cast<std::size_t>(plan.times[line.begin]) : job.n_steps;
      for (std::size_t t = 0; t < until; ++t)
        std::copy_n(plan.lead[line.text] ? common_h + (t + 1) * n : forward.h(i), n, to + t * n);
    }
    forward.run(parts[p], [&](const Line& line, std::size_t k, const float* h, const float*) {
      if (!out.sequence) return;
      float* const to = out.sequence + line.text * job.n_steps * n;
      const std::size_t end = plan.until(job, line, k);
      for (auto t = static_cast<std::size_t>(plan.times[line.begin + k]); t < end; ++t)
        std::copy_n(h, n, to + t * n);
    });
    for (std::size_t i = 0; i < parts[p].size(); ++i) {
      std::copy_n(forward.h(i), n, out.h + parts[p][i]->text * n);
      if (out.c) std::copy_n(forward.c(i), n, out.c + parts[p][i]->text * n);
    }
  });
}

// ---- backward ---------------------------------------------------------------

namespace {

class Backward {
 public:
  Backward(const Recurrent& job, const Matrices& matrices, const Residuals<const float>& residuals,
           float* dz, float* inner)
      : job_(job), matrices_(matrices), residuals_(residuals), dz_(dz), inner_(inner), size_(job),
        dh_(kMaxTexts * padded(size_.n), 0.0f), dc_(dh_.size(), 0.0f), new_(dh_.size(), 0.0f),
        part_(dh_.size(), 0.0f), zeros_(size_.n, 0.0f) {}

  // before(line, k, dh, dc): adds the gradients of outputs that use the states after step k.
  // c_first(line): c before the line's first step, or none.
  template <class Before, class First>
  void run(const std::vector<const Line*>& lines, const Before& before, const First& c_first) {
    std::size_t n = 0;
    for (std::size_t k = lines.empty() ? 0 : lines[0]->length; k-- > 0;) {
      while (n < lines.size() && lines[n]->length > k) ++n;
      for (std::size_t i = 0; i < n; ++i) before(*lines[i], k, dh(i), dc(i));
      step(lines, n, k, c_first);
    }
  }
  float* dh(std::size_t i) { return dh_.data() + i * padded(size_.n); }
  float* dc(std::size_t i) { return dc_.data() + i * padded(size_.n); }

 private:
  template <class First>
  void step(const std::vector<const Line*>& lines, std::size_t n_lines, std::size_t k,
            const First& c_first) {
    const std::size_t n = size_.n;
    const Activation outer = job_.activations.activation;
    float* targets[kMaxTexts];
    const float* from[kMaxTexts];
    for (std::size_t i = 0; i < n_lines; ++i) {
      const std::size_t at = lines[i]->begin + k;
      const float* const gates = residuals_.gates + at * size_.stride;
      float* const dz = dz_ + at * size_.width;
      targets[i] = new_.data() + i * padded(n);
      from[i] = dz;
      std::fill_n(targets[i], padded(n), 0.0f);
      if (job_.cell == Cell::kLstm) {
        const float* const c = residuals_.inner + at * n;
        const float* before = k > 0 ? c - n : c_first(*lines[i]);
        if (!before) before = zeros_.data();
        kernels().lstm_backward(job_.activations, gates, before, c, dh(i), dc(i), dz, n);
      } else if (job_.cell == Cell::kSimple) {
        std::copy_n(dh(i), n, dz);
        kernels().slopes(outer, gates, dz, n);
      } else {
        gru(i, at, targets[i]);
        if (job_.reset_after) from[i] = inner_ + at * size_.width;
      }
    }
    if (job_.cell == Cell::kGru && !job_.reset_after) gru_reset_before(lines, n_lines, k, targets);
    matrices_.gates.multiply(targets, from, n_lines);
    for (std::size_t i = 0; i < n_lines; ++i) std::copy_n(targets[i], n, dh(i));
  }

  // Gradients of the candidate, z and, with reset_after, r; target: the part of h's through z.
  void gru(std::size_t i, std::size_t at, float* target) {
    const std::size_t n = size_.n;
    const float *const keep = residuals_.gates + at * size_.stride, *const reset = keep + n;
    const float *const candidate = keep + 2 * n, *const before = residuals_.before + at * n;
    const float* const d = dh(i);
    float* const dz = dz_ + at * size_.width;
    for (std::size_t u = 0; u < n; ++u) {
      dz[u] = d[u] * (before[u] - candidate[u]);
      dz[2 * n + u] = d[u] * (1.0f - keep[u]);
      target[u] = d[u] * keep[u];
    }
    kernels().slopes(job_.activations.gate, keep, dz, n);
    kernels().slopes(job_.activations.activation, candidate, dz + 2 * n, n);
    if (!job_.reset_after) return;
    const float* const inner = residuals_.inner + at * n;
    for (std::size_t u = 0; u < n; ++u) dz[n + u] = dz[2 * n + u] * inner[u];
    kernels().slopes(job_.activations.gate, reset, dz + n, n);
    float* const to_state = inner_ + at * size_.width;
    std::copy_n(dz, 2 * n, to_state);
    for (std::size_t u = 0; u < n; ++u) to_state[2 * n + u] = dz[2 * n + u] * reset[u];
  }

  void gru_reset_before(const std::vector<const Line*>& lines, std::size_t n_lines, std::size_t k,
                        float* const* targets) {
    const std::size_t n = size_.n;
    float* to[kMaxTexts];
    const float* from[kMaxTexts];
    for (std::size_t i = 0; i < n_lines; ++i) {
      to[i] = part_.data() + i * padded(n);
      from[i] = dz_ + (lines[i]->begin + k) * size_.width + 2 * n;
      std::fill_n(to[i], padded(n), 0.0f);
    }
    matrices_.candidate.multiply(to, from, n_lines);  // the gradient of r * h
    for (std::size_t i = 0; i < n_lines; ++i) {
      const std::size_t at = lines[i]->begin + k;
      const float* const reset = residuals_.gates + at * size_.stride + n;
      const float* const before = residuals_.before + at * n;
      float *const d_reset = dz_ + at * size_.width + n, *const product = inner_ + at * size_.width;
      for (std::size_t u = 0; u < n; ++u) {
        d_reset[u] = to[i][u] * before[u];
        targets[i][u] += to[i][u] * reset[u];
        product[u] = reset[u] * before[u];
      }
      kernels().slopes(job_.activations.gate, reset, d_reset, n);
    }
  }

  const Recurrent& job_;
  const Matrices& matrices_;
  const Residuals<const float> residuals_;
  // inner_: of a GRU, gradients of the state's part of the sums; with reset before, r * h.
  float *const dz_, *const inner_;
  const Sizes size_;
  std::vector<float> dh_, dc_, new_, part_, zeros_;
};

void add(const float* from, std::size_t n, float* to) { kernels().add(to, from, n, 1.0f); }

// out.z: the gradients of all steps, summed by row.
void add_up_rows(const Plan& plan, const Recurrent& job, const float* dz, float* out) {
  constexpr std::size_t kColumns = 64;
  const std::size_t width = Sizes(job).width;
  parallel_for((width + kColumns - 1) / kColumns, [&](std::size_t task) {
    const std::size_t first = task * kColumns, n = std::min(kColumns, width - first);
    for (std::size_t row = 0; row < job.n_rows; ++row) std::fill_n(out + row * width + first, n, 0.0f);
    for (std::size_t at = 0; at < plan.rows.size(); ++at)
      add(dz + at * width + first, n, out + static_cast<std::size_t>(plan.rows[at]) * width + first);
  });
}

void reserve(LargeVector<float>& numbers, std::size_t n) {
  if (numbers.size() < n) numbers.resize(n);  // contents are overwritten
}

}  // namespace

void recurrent_backward(const Recurrent& job, const float* residuals,
                        const RecurrentGradients& gradients, const RecurrentInputGradients& out) {
  const Residuals<const float> saved(job, residuals);
  const Plan plan(job);
  const Sizes size(job);
  const auto space = Workspace::take();
  const std::size_t n = size.n, width = size.width, n_steps = plan.rows.size();
  const bool is_gru = job.cell == Cell::kGru;
  space->matrices.pack(job, true);
  reserve(space->dz, n_steps * width);
  if (is_gru) reserve(space->inner, n_steps * width);
  float *const dz = space->dz.data(), *const inner = space->inner.data();
  float* const first_dh = space->first.of(2 * job.n_texts * n);
  float* const first_dc = first_dh + job.n_texts * n;

  // After k common steps, c is residual k - 1 of the common line.
  const float* const common_c = saved.inner ? saved.inner + plan.common.begin * n : nullptr;
  const auto c_first = [&](const Line& line) -> const float* {
    if (&line == &plan.common) return nullptr;
    if (plan.lead[line.text]) return common_c + (plan.lead[line.text] - 1) * n;
    return job.first_c ? job.first_c + line.text * n : nullptr;
  };
  const auto add_sequence = [&](std::size_t text, std::size_t begin, std::size_t end, float* dh) {
    if (!gradients.sequence) return;
    for (std::size_t t = begin; t < end; ++t)
      add(gradients.sequence + (text * job.n_steps + t) * n, n, dh);
  };
  const auto parts = parts_of(plan);
  parallel_for(parts.size(), [&](std::size_t p) {
    Backward back(job, space->matrices, saved, dz, inner);
    for (std::size_t i = 0; i < parts[p].size(); ++i) {
      const std::size_t text = parts[p][i]->text;
      if (gradients.h) add(gradients.h + text * n, n, back.dh(i));
      if (gradients.c) add(gradients.c + text * n, n, back.dc(i));
    }
    back.run(
        parts[p],
        [&](const Line& line, std::size_t k, float* dh, float*) {
          add_sequence(line.text, static_cast<std::size_t>(plan.times[line.begin + k]),
                       plan.until(job, line, k), dh);
        },
        c_first);
    for (std::size_t i = 0; i < parts[p].size(); ++i) {
      const Line& line = *parts[p][i];
      if (!plan.lead[line.text])  // masked steps in front output the initial state
        add_sequence(line.text, 0,
                     line.length ? static_cast<std::size_t>(plan.times[line.begin]) : job.n_steps,
                     back.dh(i));
      std::copy_n(back.dh(i), n, first_dh + line.text * n);
      std::copy_n(back.dc(i), n, first_dc + line.text * n);
    }
  });
  if (plan.common.length) {
    Backward back(job, space->matrices, saved, dz, inner);
    back.run(
        {&plan.common},
        [&](const Line&, std::size_t k, float* dh, float* dc) {
          for (std::size_t b = 0; b < job.n_texts; ++b) {
            if (plan.lead[b] > k) add_sequence(b, k, k + 1, dh);
            if (plan.lead[b] != k + 1) continue;
            add(first_dh + b * n, n, dh);
            add(first_dc + b * n, n, dc);
          }
        },
        c_first);
  }

  add_up_rows(plan, job, dz, out.z);
  const std::size_t joint = job.cell == Cell::kGru && !job.reset_after ? 2 * n : width;
  const float* const to_state = is_gru && job.reset_after ? inner : dz;
  transposed_product(out.kernel, width, saved.before, n, n, to_state, width, joint, n_steps);
  if (joint < width)
    transposed_product(out.kernel + joint, width, inner, width, n, dz + joint, width, n, n_steps);
  if (out.recurrent_bias) {
    std::fill_n(out.recurrent_bias, width, 0.0f);
    for (std::size_t at = 0; at < n_steps; ++at) add(to_state + at * width, width, out.recurrent_bias);
  }
  if (out.first_h) std::copy_n(first_dh, job.n_texts * n, out.first_h);
  if (out.first_c) std::copy_n(first_dc, job.n_texts * n, out.first_c);
}

}  // namespace wordrow
