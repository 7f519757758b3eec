// Keras's optimizers on the rows of a table. A step touches only the rows it uses; what a row
// missed meanwhile is applied before it is next read (missed_updates.h), so that the result equals
// that of the dense optimizer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"
#include "missed_updates.h"

namespace wordrow {

enum class OptimizerKind { kAdam, kSgd, kAdagrad, kRmsprop };

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::kAdam;
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
  const bool* frozen = nullptr;  // [n_rows]: rows that are not trained; or none
  bool is_frozen(std::size_t row) const { return frozen && frozen[row]; }
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

  std::int32_t step() const { return missed_.step(); }
  // The step of the last flush: rows that were ever used were up to date then.
  std::int32_t flushed() const { return missed_.flushed(); }

  // Makes room for n more steps, so that they allocate nothing.
  void reserve(std::size_t n) { missed_.reserve(n); }

  // Begins the next step with this learning rate.
  void begin_step(double learning_rate);
  // Ends it: from now on rows that it did not update have missed it.
  void end_step() { missed_.add_step(rate_); }

  // Asks for a row and its moments to be fetched.
  static void prefetch(const RowTable& table, std::size_t row);
  // Applies to a row what it missed since step `last`.
  void apply_missed(const RowTable& table, std::size_t row, std::int32_t last) const;
  // Applies the step that has begun to a row that is up to date; `last` is the caller's to keep.
  void update(const RowTable& table, std::size_t row, const float* gradient) const;
  // The same for other weights.
  void update(float* w, float* m, float* v, const float* gradient, std::size_t n) const;

  // Brings every row that was ever used up to date, and forgets what was missed.
  void flush(const RowTable& table);

 private:
  float decay_m(std::int32_t last) const;  // the factor for m
  void apply_step_by_step(const RowTable& table, std::size_t row, std::int32_t last) const;

  OptimizerConfig config_;
  bool moves_;  // whether rows or their moments change without a gradient
  MissedUpdates missed_;
  double rate_ = 0;     // of the current step, as MissedUpdates takes it
  AdamStep current_{};  // the current step, as far as the other optimizers share its settings
};

}  // namespace wordrow
