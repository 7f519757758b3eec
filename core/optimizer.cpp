#include "optimizer.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "memory.h"
#include "pool.h"

namespace wordrow {
namespace {

// Smaller factors for m are 0: float32's denormal numbers are slow.
constexpr float kLeastPower = 1e-30f;

// The betas that an optimizer does not have are those of no momentum and no denominator.
OptimizerConfig with_own_betas(OptimizerConfig config) {
  const bool is_adam = config.kind == OptimizerKind::kAdam;
  if (!is_adam && config.kind != OptimizerKind::kRmsprop) config.beta_2 = 1;
  if (!is_adam && config.kind != OptimizerKind::kSgd) config.beta_1 = 0;
  return config;
}

// The arrays of optimizer state are m and v.
MissedUpdatesConfig missed_by(const OptimizerConfig& config) {
  return {config.beta_1, config.beta_2, {config.beta_1, config.beta_2}, false};
}

// Calls work(first, number) for parts of n numbers.
template <class Work>
void each_part(std::size_t n, Work work) {
  constexpr std::size_t kPerPart = 1 << 15;
  parallel_for((n + kPerPart - 1) / kPerPart, [&](std::size_t part) {
    work(part * kPerPart, std::min(kPerPart, n - part * kPerPart));
  });
}

}  // namespace

void adam_whole(float* w, float* m, float* v, const float* gradient, std::size_t n,
                const AdamStep& step) {
  each_part(n, [&](std::size_t first, std::size_t number) {
    kernels().adam(w + first, m + first, v + first, gradient + first, number, step);
  });
}

bool are_finite(const float* x, std::size_t n) {
  std::atomic<bool> fine{true};
  each_part(n, [&](std::size_t first, std::size_t number) {
    if (!kernels().all_finite(x + first, number)) fine = false;
  });
  return fine;
}

RowOptimizer::RowOptimizer(const OptimizerConfig& config, std::int32_t step)
    : config_(with_own_betas(config)),
      moves_(!config.lazy &&
             (config.kind == OptimizerKind::kAdam || config.kind == OptimizerKind::kRmsprop ||
              (config.kind == OptimizerKind::kSgd && config.beta_1 > 0))),
      missed_(missed_by(config_), step) {}

void RowOptimizer::begin_step(double learning_rate) {
  const double t = step() + 1.0;
  double alpha = learning_rate;
  rate_ = 0;
  if (config_.kind == OptimizerKind::kAdam)
    rate_ = alpha *= std::sqrt(1 - std::pow(config_.beta_2, t)) / (1 - std::pow(config_.beta_1, t));
  else if (config_.kind == OptimizerKind::kSgd)  // its m holds the learning rate
    rate_ = config_.nesterov ? -config_.beta_1 : -1.0;
  const auto rounded = [](double x) { return static_cast<float>(x); };
  current_ = {1.0f, rounded(alpha),     rounded(config_.epsilon),    rounded(config_.beta_1),
              rounded(config_.beta_2),  rounded(1 - config_.beta_1), rounded(1 - config_.beta_2)};
}

void RowOptimizer::prefetch(const RowTable& table, std::size_t row) {
  const std::size_t at = row * table.stride;
  for (std::size_t d = 0; d < table.dim; d += 16) {  // a cache line holds 16
    prefetch_to_write(table.w + at + d);
    prefetch_to_write(table.m + at + d);
    prefetch_to_write(table.v + at + d);
  }
}

void RowOptimizer::apply_missed(const RowTable& table, std::size_t row, std::int32_t last) const {
  if (!moves_ || last == 0 || last == step() || table.is_frozen(row)) return;
  if (!missed_.has_closed_form()) return apply_step_by_step(table, row, last);
  MissedUpdate missed;
  const MissedUpdates::Terms& terms = missed_.rounded_terms(last);
  std::copy_n(terms.of, kMaxTerms, missed.terms);
  missed.n_terms = std::max(1, missed_.n_terms());  // without momentum, a single 0
  missed.decay_m = decay_m(last);
  missed.decay_v = missed_.decay(1, last);
  missed.epsilon = config_.kind == OptimizerKind::kSgd ? 1.0f : static_cast<float>(config_.epsilon);
  const std::size_t at = row * table.stride;
  kernels().apply_missed(table.w + at, table.m + at, table.v + at, table.dim, missed);
}

float RowOptimizer::decay_m(std::int32_t last) const {
  const float power = missed_.decay(0, last);
  return power < kLeastPower ? 0.0f : power;
}

void RowOptimizer::apply_step_by_step(const RowTable& table, std::size_t row,
                                      std::int32_t last) const {
  const double root = std::sqrt(config_.beta_2);
  const std::size_t n_missed = missed_.n_missed(last), n = std::min(n_missed, missed_.reach());
  const double* const rates = missed_.rates().data() + missed_.rates().size() - n_missed;
  const float decay_of_m = decay_m(last), decay_of_v = missed_.decay(1, last);
  for (std::size_t i = row * table.stride; i < row * table.stride + table.dim; ++i) {
    double moment = table.m[i], x = std::sqrt(static_cast<double>(table.v[i])), sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      moment *= config_.beta_1;
      x *= root;
      sum += rates[j] * moment / (x + config_.epsilon);
    }
    table.w[i] -= static_cast<float>(sum);
    table.m[i] *= decay_of_m;
    table.v[i] *= decay_of_v;
  }
}

void RowOptimizer::update(const RowTable& table, std::size_t row, const float* gradient) const {
  const std::size_t at = row * table.stride;
  update(table.w + at, table.m + at, table.v + at, gradient, table.dim);
}

void RowOptimizer::update(float* w, float* m, float* v, const float* gradient, std::size_t n) const {
  switch (config_.kind) {
    case OptimizerKind::kAdam: return kernels().adam(w, m, v, gradient, n, current_);
    case OptimizerKind::kSgd: return kernels().sgd(w, m, gradient, n, current_, config_.nesterov);
    case OptimizerKind::kAdagrad: return kernels().adagrad(w, v, gradient, n, current_, 1.0f, 1.0f);
    case OptimizerKind::kRmsprop:
      return kernels().adagrad(w, v, gradient, n, current_, current_.keep_2, current_.new_2);
  }
}

void RowOptimizer::flush(const RowTable& table) {
  constexpr std::size_t kRowsPerPart = 1024;
  parallel_for((table.n_rows + kRowsPerPart - 1) / kRowsPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(table.n_rows, (part + 1) * kRowsPerPart);
    for (std::size_t row = part * kRowsPerPart; row < end; ++row) {
      if (table.last[row] == 0) continue;
      apply_missed(table, row, table.last[row]);
      table.last[row] = step();
    }
  });
  missed_.flush();
}

}  // namespace wordrow
