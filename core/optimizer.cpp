#include "optimizer.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "memory.h"
#include "pool.h"

namespace wordrow {
namespace {

// What may be left out of a sum whose terms add up to about 1 / (1 - beta_1).
constexpr double kTolerance = 1e-7;
// An update smaller than this in a moment is none; it also keeps float32 from
// denormal numbers, which are slow.
constexpr double kSmallestPower = 1e-30;

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
    : config_(config),
      moves_(!config.lazy && (config.rule == Rule::kAdam || config.rule == Rule::kRmsprop ||
                              (config.rule == Rule::kSgd && config.beta_1 > 0))),
      step_(step) {
  if (config_.rule != Rule::kAdam) config_.beta_2 = config_.rule == Rule::kRmsprop ? config_.beta_2 : 1;
  if (config_.rule == Rule::kAdagrad || config_.rule == Rule::kRmsprop) config_.beta_1 = 0;
  if (config_.beta_1 > 0) {
    n_steps_kept_ = static_cast<int>(
        std::ceil(std::log(kTolerance * (1 - config_.beta_1)) / std::log(config_.beta_1)));
    choose_terms();
  } else {
    n_terms_ = 1;  // no momentum: an untouched row does not move
  }
  start_history();
}

void RowOptimizer::start_history() {
  settled_ = step_;
  alphas_.clear();
  for (int p = 0; p < n_terms_; ++p) sums_[p].assign(1, 0.0);
  terms_.assign(1, Terms{});
  powers_1_.assign(1, 1.0f);
  powers_2_.assign(1, 1.0f);
}

// Takes the fewest terms whose remainder, at most sum_j beta_1^j delta_j^P /
// beta_2^(j/2) of m / (sqrt(v) + eps), is below the tolerance.
void RowOptimizer::choose_terms() {
  const double root = std::sqrt(config_.beta_2);
  for (int terms = 1; terms <= kMaxTerms && n_terms_ == 0; ++terms) {
    double remainder = 0;
    for (int j = 1; j <= n_steps_kept_; ++j)
      remainder += std::pow(config_.beta_1, j) * std::pow(1 - std::pow(root, j), terms) /
                   std::pow(root, j);
    if (remainder * (1 - config_.beta_1) <= kTolerance) n_terms_ = terms;
  }
  for (int p = 0; p < n_terms_; ++p)
    for (int j = 1; j <= n_steps_kept_; ++j)
      weights_[p].push_back(std::pow(config_.beta_1, j) * std::pow(1 - std::pow(root, j), p));
}

void RowOptimizer::reserve(std::size_t n) {
  alphas_.reserve(alphas_.size() + n);
  for (int p = 0; p < n_terms_; ++p) sums_[p].reserve(sums_[p].size() + n);
  terms_.reserve(terms_.size() + n);
  powers_1_.reserve(powers_1_.size() + n);
  powers_2_.reserve(powers_2_.size() + n);
}

void RowOptimizer::begin_step(double learning_rate) {
  const double t = step_ + 1.0;
  double alpha = learning_rate, drift = 0;
  if (config_.rule == Rule::kAdam)
    drift = alpha *= std::sqrt(1 - std::pow(config_.beta_2, t)) / (1 - std::pow(config_.beta_1, t));
  else if (config_.rule == Rule::kSgd)
    drift = config_.nesterov ? -config_.beta_1 : -1.0;
  alphas_.push_back(drift);
  const auto rounded = [](double x) { return static_cast<float>(x); };
  current_ = {1.0f, rounded(alpha),     rounded(config_.epsilon),    rounded(config_.beta_1),
              rounded(config_.beta_2),  rounded(1 - config_.beta_1), rounded(1 - config_.beta_2)};
}

void RowOptimizer::end_step() {
  ++step_;
  // Rows updated at s have now missed one step more; older than K, their sums
  // have saturated.
  const double alpha = alphas_.back();
  const auto n = static_cast<std::size_t>(step_ - settled_);  // s = settled_ + n - j
  const std::size_t reach = std::min(n, static_cast<std::size_t>(n_steps_kept_));
  for (int p = 0; p < n_terms_; ++p) {
    double* sums = sums_[p].data() + n;
    for (std::size_t j = 1; j <= reach; ++j) {
      double& sum = sums[-static_cast<std::ptrdiff_t>(j)];
      sum += alpha * weights_[p][j - 1];
      terms_[n - j].of[p] = static_cast<float>(sum);
    }
    sums_[p].push_back(0);
  }
  terms_.push_back(Terms{});
  const double power_1 = std::pow(config_.beta_1, static_cast<double>(n));
  powers_1_.push_back(power_1 < kSmallestPower ? 0.0f : static_cast<float>(power_1));
  powers_2_.push_back(static_cast<float>(std::pow(config_.beta_2, static_cast<double>(n))));
}

void RowOptimizer::prefetch(const RowTable& table, std::size_t row) {
  const std::size_t at = row * table.stride;
  for (std::size_t d = 0; d < table.dim; d += 16) {  // a cache line holds 16
    prefetch_to_write(table.w + at + d);
    prefetch_to_write(table.m + at + d);
    prefetch_to_write(table.v + at + d);
  }
}

void RowOptimizer::catch_up(const RowTable& table, std::size_t row, std::int32_t last) const {
  const std::int32_t missed = step_ - last;
  if (!moves_ || last == 0 || missed == 0 || table.is_fixed(row)) return;
  if (n_terms_ == 0) return catch_up_step_by_step(table, row, missed);
  CatchUp away;
  const Terms& terms = terms_[static_cast<std::size_t>(last - settled_)];
  std::copy_n(terms.of, kMaxTerms, away.terms);
  away.n_terms = n_terms_;
  away.beta_1_power = powers_1_[static_cast<std::size_t>(missed)];
  away.beta_2_power = powers_2_[static_cast<std::size_t>(missed)];
  away.epsilon = config_.rule == Rule::kSgd ? 1.0f : static_cast<float>(config_.epsilon);
  const std::size_t at = row * table.stride;
  kernels().catch_up(table.w + at, table.m + at, table.v + at, table.dim, away);
}

void RowOptimizer::catch_up_step_by_step(const RowTable& table, std::size_t row,
                                      std::int32_t missed) const {
  const double root = std::sqrt(config_.beta_2);
  const auto first = static_cast<std::size_t>(step_ - missed - settled_);
  const std::int32_t n = std::min(missed, n_steps_kept_);
  for (std::size_t i = row * table.stride; i < row * table.stride + table.dim; ++i) {
    double moment = table.m[i], x = std::sqrt(static_cast<double>(table.v[i])), sum = 0;
    for (std::int32_t j = 0; j < n; ++j) {
      moment *= config_.beta_1;
      x *= root;
      sum += alphas_[first + static_cast<std::size_t>(j)] * moment / (x + config_.epsilon);
    }
    table.w[i] -= static_cast<float>(sum);
    table.m[i] *= powers_1_[static_cast<std::size_t>(missed)];
    table.v[i] *= powers_2_[static_cast<std::size_t>(missed)];
  }
}

void RowOptimizer::update(const RowTable& table, std::size_t row, const float* gradient) const {
  const std::size_t at = row * table.stride;
  update(table.w + at, table.m + at, table.v + at, gradient, table.dim);
}

void RowOptimizer::update(float* w, float* m, float* v, const float* gradient, std::size_t n) const {
  switch (config_.rule) {
    case Rule::kAdam: return kernels().adam(w, m, v, gradient, n, current_);
    case Rule::kSgd: return kernels().descend(w, m, gradient, n, current_, config_.nesterov);
    case Rule::kAdagrad: return kernels().descend_scaled(w, v, gradient, n, current_, 1.0f, 1.0f);
    case Rule::kRmsprop:
      return kernels().descend_scaled(w, v, gradient, n, current_, current_.keep_2, current_.new_2);
  }
}

void RowOptimizer::settle(const RowTable& table) {
  constexpr std::size_t kRowsPerPart = 1024;
  parallel_for((table.n_rows + kRowsPerPart - 1) / kRowsPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(table.n_rows, (part + 1) * kRowsPerPart);
    for (std::size_t row = part * kRowsPerPart; row < end; ++row) {
      if (table.last[row] == 0) continue;
      catch_up(table, row, table.last[row]);
      table.last[row] = step_;
    }
  });
  start_history();
}

}  // namespace wordrow
