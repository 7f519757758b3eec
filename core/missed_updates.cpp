#include "missed_updates.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace wordrow {
namespace {

// What may be left out of a sum whose terms add up to about 1 / (1 - beta_1).
constexpr double kTolerance = 1e-7;
constexpr double kLong = 1e-100;
// In place of a `keep` of 0, which could not be divided by. As a float32 it is 0, too.
constexpr double kLeastKeep = 1e-150;

}  // namespace

MissedUpdates::MissedUpdates(MissedUpdatesConfig config, std::int32_t step)
    : config_(std::move(config)), step_(step), powers_(config_.decays.size()) {
  if (config_.beta_1 > 0) choose_terms();
  flush();
}

// Takes the fewest terms whose remainder, at most sum_j beta_1^j delta_j^P / beta_2^(j/2) of
// m / (sqrt(v) + eps), is below the tolerance.
void MissedUpdates::choose_terms() {
  const double beta_1 = config_.beta_1, root = std::sqrt(config_.beta_2);
  const double n_steps = std::ceil(std::log(kTolerance * (1 - beta_1)) / std::log(beta_1));
  for (int terms = 1; terms <= kMaxTerms && n_terms_ == 0; ++terms) {
    double remainder = 0;
    for (double j = 1; j <= n_steps; ++j)
      remainder += std::pow(beta_1, j) * std::pow(1 - std::pow(root, j), terms) / std::pow(root, j);
    if (remainder * (1 - beta_1) <= kTolerance) n_terms_ = terms;
  }
  has_closed_form_ = n_terms_ > 0;
  reach_ = static_cast<std::size_t>(n_steps);
  for (double j = 1; j <= n_steps; ++j)
    for (int p = 0; p < n_terms_; ++p)
      weights_.push_back(std::pow(beta_1, j) * std::pow(1 - std::pow(root, j), p));
}

void MissedUpdates::flush() {
  flushed_ = step_;
  rates_.clear();
  keeps_.clear();
  products_.assign(1, 1.0);
  sums_.assign(static_cast<std::size_t>(n_terms_), 0.0);
  rounded_.assign(1, Terms{});
  for (auto& powers : powers_)
    if (powers.empty()) powers.push_back(1.0f);
}

void MissedUpdates::reserve(std::size_t n) {
  rates_.reserve(rates_.size() + n);
  keeps_.reserve(keeps_.size() + n);
  products_.reserve(products_.size() + n);
  sums_.reserve(sums_.size() + n * static_cast<std::size_t>(n_terms_));
  rounded_.reserve(rounded_.size() + n);
  for (auto& powers : powers_) powers.reserve(rates_.size() + n + 1);
}

void MissedUpdates::add_step(double rate, double keep) {
  ++step_;
  rates_.push_back(rate);
  keeps_.push_back(keep);
  const std::size_t n = rates_.size(), n_terms = static_cast<std::size_t>(n_terms_);
  products_.push_back(products_.back() * (keep == 0 ? kLeastKeep : keep));
  for (std::size_t i = 0; i < powers_.size(); ++i)
    if (powers_[i].size() <= n)
      powers_[i].push_back(static_cast<float>(std::pow(config_.decays[i], static_cast<double>(n))));
  const double scale = rate / products_[n];
  for (std::size_t j = 1; j <= std::min(n, reach_); ++j)
    for (std::size_t p = 0; p < n_terms; ++p) {
      double& sum = sums_[(n - j) * n_terms + p];
      sum += scale * weights_[(j - 1) * n_terms + p];
      rounded_[n - j].of[p] = static_cast<float>(sum);
    }
  sums_.resize(sums_.size() + n_terms, 0.0);
  rounded_.push_back(Terms{});
}

bool MissedUpdates::is_long() const { return std::abs(products_.back()) < kLong; }

MissedUpdates::Terms MissedUpdates::terms(std::int32_t last) const {
  if (!config_.weight_decay) return rounded_terms(last);
  Terms found{};
  copy_terms(&last, 1, found.of);
  return found;
}

void MissedUpdates::copy_terms(const std::int32_t* last, std::size_t n, float* out) const {
  const std::size_t n_terms = static_cast<std::size_t>(n_terms_);
  for (std::size_t i = 0; i < n; ++i, out += n_terms) {
    const double* sums = sums_.data() + index(last[i]) * n_terms;
    for (std::size_t p = 0; p < n_terms; ++p)
      out[p] = static_cast<float>(products_.back() * sums[p]);
  }
}

float MissedUpdates::keep(std::int32_t last) const {
  return static_cast<float>(products_.back() / products_[index(last)]);
}

}  // namespace wordrow
