// The recurrent layers, forward and backward: LSTM, GRU and a simple one, with
// masks. Only steps that are real are run. A text's steps lie together, in the
// order of its length among the texts, so that nothing depends on the number
// of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"
#include "memory.h"

namespace wordrow {

enum class Cell { kSimple, kLstm, kGru };

// What to run, over arrays that are not owned. G is 1, 4 or 3 (i f g o; z r g).
struct Recurrent {
  Cell cell = Cell::kLstm;
  CellActivations activations = {Activation::kTanh, Activation::kSigmoid};
  bool reset_after = true;                // of a GRU
  std::size_t n_texts = 0, n_steps = 0, n_units = 0;
  std::size_t n_rows = 0;                 // of z
  const float* z = nullptr;               // inputs @ kernel + bias [n_rows, G * U]
  const std::int32_t* places = nullptr;   // [B, T]: the row of each step; or none, then in order
  const float* kernel = nullptr;          // [U, G * U]
  const float* recurrent_bias = nullptr;  // [3 * U], of a GRU with reset_after, or none
  const bool* mask = nullptr;             // [B, T]: a step that is not real changes nothing; or none
  const float* first_h = nullptr;         // [B, U]: the first states; or none, then zeros
  const float* first_c = nullptr;         // [B, U], of an LSTM
};

std::size_t n_gates(Cell cell);

struct RecurrentStates {
  float* h = nullptr;         // [B, U]: the last states
  float* c = nullptr;         // [B, U], of an LSTM
  float* sequence = nullptr;  // [B, T, U]: h after every step, or none
};

// What the way back needs of the way there, by step that was run.
struct RecurrentSaved {
  LargeVector<float> gates;   // [steps, G * U, in whole panels]: their values
  LargeVector<float> inner;   // [steps, U]: c after it; of a GRU what the state adds to the candidate
  LargeVector<float> before;  // [steps, U]: h before it
};

// saved: or none, where there is no way back.
void run_recurrent(const Recurrent& job, const RecurrentStates& out, RecurrentSaved* saved);

// Gradients of the outputs [as in RecurrentStates], each or none ...
struct RecurrentGradients {
  const float *h = nullptr, *c = nullptr, *sequence = nullptr;
};
// ... and of what they were made from. Arrays of the forms above, overwritten.
struct RecurrentBack {
  float* z;               // [n_rows, G * U]
  float* kernel;          // [U, G * U]
  float* recurrent_bias;  // [3 * U], or none
  float *first_h, *first_c;  // [B, U], or none
};
void run_recurrent_back(const Recurrent& job, const RecurrentSaved& saved,
                        const RecurrentGradients& gradients, const RecurrentBack& out);

}  // namespace wordrow
