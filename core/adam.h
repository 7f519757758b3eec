// Keras's Adam on the rows of a table, touching only the rows a step uses and
// equal to the dense optimizer: what an untouched row would have gained from
// its moments is applied when it is next read.
//
// A row last updated at step s, read before step t, missed k = t - 1 - s steps:
//
//   dw = - sum_{j=1..k} alpha_{s+j} beta_1^j m / (beta_2^(j/2) sqrt(v) + eps)
//
// With q = sqrt(v) / (sqrt(v) + eps) and delta_j = 1 - beta_2^(j/2), the
// fraction is a geometric series in q delta_j, so that
//
//   dw = - m / (sqrt(v) + eps) * sum_p q^p C_p(s, k),
//   C_p(s, k) = sum_{j=1..min(k, K)} alpha_{s+j} beta_1^j delta_j^p
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

struct AdamConfig {
  double beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7;
};

// The weights of one table with its moments. Not owned.
struct AdamTable {
  float *w, *m, *v;    // [n_rows, dim], each row `stride` behind the one before it
  std::int32_t* last;  // [n_rows]: the step that last updated the row, 0 if none
  std::size_t n_rows, dim, stride;
};

// A step of a whole weight of n numbers, in one pass over memory, by all threads.
void adam_whole(float* w, float* m, float* v, const float* gradient, std::size_t n,
                const AdamStep& step);

// Whether none of x is infinite or not a number; by all threads.
bool are_finite(const float* x, std::size_t n);

class AdamClock {
 public:
  // Starts after `step` steps, with every row of every table up to date.
  AdamClock(const AdamConfig& config, std::int32_t step);

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
  static void prefetch(const AdamTable& table, std::size_t row);
  // Brings a row that was last updated at step `last` up to the end of the last ended step.
  void catch_up(const AdamTable& table, std::size_t row, std::int32_t last) const;
  // Applies the step that has begun to a row that is up to date; `last` is the caller's to keep.
  void update(const AdamTable& table, std::size_t row, const float* gradient) const;
  // The same for other weights.
  void update(float* w, float* m, float* v, const float* gradient, std::size_t n) const;

  // Brings every touched row up to date and forgets the history.
  void settle(const AdamTable& table);

 private:
  void choose_terms();
  void start_history();
  void catch_up_step_by_step(const AdamTable& table, std::size_t row, std::int32_t missed) const;

  AdamConfig config_;
  std::int32_t step_, settled_ = 0;  // steps ended; the step of the last settling
  AdamStep current_{};
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
