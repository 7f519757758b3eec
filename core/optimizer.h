// Keras's optimizers on the rows of a table, touching only the rows a step uses
// and equal to the dense optimizer: what an untouched row would have gained
// from its moments is applied when it is next read.
//
// Under Adam a row last updated at step s, read before step t, missed k = t - 1 - s steps:
//
//   dw = - sum_{j=1..k} alpha_{s+j} beta_1^j m / (beta_2^(j/2) sqrt(v) + eps)
//
// With q = sqrt(v) / (sqrt(v) + eps) and delta_j = 1 - beta_2^(j/2), the
// fraction is a geometric series in q delta_j, so that
//
//   dw = - m / (sqrt(v) + eps) * sum_p q^p C_p(s, k),
//   C_p(s, k) = sum_{j=1..min(k, K)} alpha_{s+j} beta_1^j delta_j^p
//
// SGD's momentum is the same with v = 0, eps = 1 and alpha = -1 (its m holds the learning rate);
// without a gradient RMSprop's v fades, and no weight moves; under Adagrad, plain SGD and lazy
// optimizers nothing does.
//
// C_p does not depend on the row. K is where beta_1^j has died out; the number
// of terms follows from the weight that remains. Where too many would be
// needed, the sum is taken step by step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "isa.h"

namespace wordrow {

enum class Rule { kAdam, kSgd, kAdagrad, kRmsprop };

struct OptimizerConfig {
  Rule rule = Rule::kAdam;
  double beta_1 = 0.9;    // of Adam; SGD's momentum
  double beta_2 = 0.999;  // of Adam; RMSprop's rho
  double epsilon = 1e-7;
  bool nesterov = false;  // of SGD
  bool lazy = false;      // rows that a step does not use stay as they are
};

// The weights of one table with its moments. Not owned.
struct RowTable {
  float *w, *m, *v;    // [n_rows, dim], each row `stride` behind the one before it
  std::int32_t* last;  // [n_rows]: the step that last updated the row, 0 if none
  std::size_t n_rows, dim, stride;
  const bool* fixed = nullptr;  // [n_rows]: rows that nothing moves; none: all are trained
  bool is_fixed(std::size_t row) const { return fixed && fixed[row]; }
};

// A step of a whole weight of n numbers, in one pass over memory, by all threads.
void adam_whole(float* w, float* m, float* v, const float* gradient, std::size_t n,
                const AdamStep& step);

// Whether none of x is infinite or not a number; by all threads.
bool are_finite(const float* x, std::size_t n);

class RowOptimizer {
 public:
  // Starts after `step` steps, with every row of every table up to date.
  RowOptimizer(const OptimizerConfig& config, std::int32_t step);

  std::int32_t step() const { return step_; }
  // The step that every touched row was up to date at; rows are touched later.
  std::int32_t settled() const { return settled_; }
  int n_terms() const { return n_terms_; }  // 0: step by step

  // Makes room for n more steps, so that they allocate nothing.
  void reserve(std::size_t n);

  // Begins the next step with this learning rate.
  void begin_step(double learning_rate);
  // Ends it: from now on rows that it did not update have missed it.
  void end_step();

  // Asks for a row and its moments to be fetched.
  static void prefetch(const RowTable& table, std::size_t row);
  // Brings a row that was last updated at step `last` up to the end of the last ended step.
  void catch_up(const RowTable& table, std::size_t row, std::int32_t last) const;
  // Applies the step that has begun to a row that is up to date; `last` is the caller's to keep.
  void update(const RowTable& table, std::size_t row, const float* gradient) const;
  // The same for other weights.
  void update(float* w, float* m, float* v, const float* gradient, std::size_t n) const;

  // Brings every touched row up to date and forgets the history.
  void settle(const RowTable& table);

 private:
  void choose_terms();
  void start_history();
  void catch_up_step_by_step(const RowTable& table, std::size_t row, std::int32_t missed) const;

  OptimizerConfig config_;
  bool moves_;  // whether rows or their moments change without a gradient
  std::int32_t step_, settled_ = 0;  // steps ended; the step of the last settling
  AdamStep current_{};  // for other rules, as far as they have the same
  int n_steps_kept_ = 0, n_terms_ = 0;        // K and the number of terms
  std::vector<double> weights_[kMaxTerms];    // [p][j - 1] = beta_1^j delta_j^p
  std::vector<double> sums_[kMaxTerms];       // [p][s - settled_] = C_p(s, step_ - s)
  struct Terms {
    float of[kMaxTerms];
  };
  std::vector<Terms> terms_;                  // [s - settled_]: the same, rounded
  std::vector<double> alphas_;                // [s - settled_ - 1] = alpha_s
  std::vector<float> powers_1_, powers_2_;    // [k] = beta^k
};

}  // namespace wordrow
