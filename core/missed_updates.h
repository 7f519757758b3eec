// What a row of a table misses while no batch uses it, in closed form.
//
// Most optimizers move a row even at steps where its gradient is zero: momentum carries it on,
// optimizer state decays, weight decay shrinks it. Training skips such rows and makes up for it
// when a row is next used, which equals training the whole table at every step.
//
// Under Adam, a row last updated at step s has missed, k steps later,
//
//   dw = - sum_{j=1..k} alpha_{s+j} beta_1^j m / (beta_2^(j/2) sqrt(v) + eps)
//
// Let x = sqrt(v), q = x / (x + eps) and delta_j = 1 - beta_2^(j/2). The denominator is
// (x + eps) (1 - q delta_j), and 1 / (1 - q delta_j) is a geometric series, so that
//
//   dw = - m / (x + eps) * sum_p q^p C_p(s, k)
//   C_p(s, k) = sum_{j=1..min(k, K)} alpha_{s+j} beta_1^j delta_j^p * d_{s+j+1} ... d_{s+k}
//
// where d_i is what weight decay keeps of a weight at step i: 1 without weight decay.
// C_p does not depend on the row. beta_1^j is negligible after K steps, and delta_j^P by then tells
// how many terms P are needed. C_p is stored divided by the product of all d since the last flush,
// so that a step adds to the newest K sums only; older ones are complete.
//
// Momentum without a denominator (SGD, RMSprop) is the term p = 0 alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "isa.h"

namespace wordrow {

struct MissedUpdatesConfig {
  double beta_1 = 0;           // what momentum keeps at each step; 0: none
  double beta_2 = 1;           // what the mean square in the denominator keeps; 1: no denominator
  std::vector<double> decays;  // what each array of optimizer state keeps at a zero gradient
  bool weight_decay = false;
};

// The steps since all rows were last up to date.
class MissedUpdates {
 public:
  struct Terms {
    float of[kMaxTerms];
  };

  // Starts after `step` steps, with every row up to date.
  MissedUpdates(MissedUpdatesConfig config, std::int32_t step);

  // Adds a step. rate: alpha; -1 where momentum already holds the learning rate. keep: d.
  void add_step(double rate, double keep = 1);
  // Forgets all steps: every row has been brought up to date.
  void flush();
  // Makes room for n more steps, so that adding them allocates nothing.
  void reserve(std::size_t n);

  std::int32_t step() const { return step_; }        // steps so far
  std::int32_t flushed() const { return flushed_; }  // the step of the last flush
  int n_terms() const { return n_terms_; }           // 0: no momentum, rows stay where they are
  std::size_t reach() const { return reach_; }       // K
  std::size_t n_decays() const { return config_.decays.size(); }
  bool has_weight_decay() const { return config_.weight_decay; }
  // Whether kMaxTerms terms are enough. If not, there are no terms: add up rates() step by step.
  bool has_closed_form() const { return has_closed_form_; }
  // Whether the product of all `keep` is so small that rows should be flushed.
  bool is_long() const;
  const std::vector<double>& rates() const { return rates_; }  // of the steps since the flush
  const std::vector<double>& keeps() const { return keeps_; }

  // What a row has missed that was last updated at step `last`, at most step(). A row that was
  // never updated has missed all steps since the flush.
  std::size_t n_missed(std::int32_t last) const { return rates_.size() - index(last); }
  Terms terms(std::int32_t last) const;  // C_p
  // The same where there is no weight decay: read from a table.
  const Terms& rounded_terms(std::int32_t last) const { return rounded_[index(last)]; }
  // The same for n rows, one behind the other: [n, n_terms].
  void copy_terms(const std::int32_t* last, std::size_t n, float* out) const;
  // The power of one decay factor.
  float decay(std::size_t i, std::int32_t last) const { return powers_[i][n_missed(last)]; }
  float keep(std::int32_t last) const;  // the product of d

 private:
  std::size_t index(std::int32_t last) const {
    return last > flushed_ ? static_cast<std::size_t>(last - flushed_) : 0;
  }
  void choose_terms();

  MissedUpdatesConfig config_;
  std::int32_t step_, flushed_;
  int n_terms_ = 0;
  bool has_closed_form_ = true;
  std::size_t reach_ = 0;
  std::vector<double> weights_;             // [K, P]: beta_1^j delta_j^p
  std::vector<double> sums_;                // [s - flushed, P]: C_p(s) / product
  std::vector<Terms> rounded_;              // [s - flushed]: C_p(s), where there is no weight decay
  std::vector<double> products_;            // [s - flushed]: of all d up to step s
  std::vector<std::vector<float>> powers_;  // of each decay factor [k]; outlive a flush
  std::vector<double> rates_, keeps_;
};

}  // namespace wordrow
