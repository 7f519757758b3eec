// Recurrent layers, forward and backward: LSTM, GRU and a simple one, with masks. Only unmasked
// steps are computed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace wordrow {

enum class Cell { kSimple, kLstm, kGru };

// A run of a recurrent layer. Its arrays are not owned. G: 1, 4 (i f g o) or 3 (z r g) gates.
struct Recurrent {
  Cell cell = Cell::kLstm;
  CellActivations activations = {Activation::kTanh, Activation::kSigmoid};
  bool reset_after = true;  // of a GRU
  std::size_t n_texts = 0, n_steps = 0, n_units = 0;
  std::size_t n_rows = 0;                     // of z
  const float* z = nullptr;                   // inputs @ kernel + bias [n_rows, G * U]
  const std::int32_t* row_indices = nullptr;  // [B, T]: each step's row of z; none: in order
  const float* kernel = nullptr;              // [U, G * U]
  const float* recurrent_bias = nullptr;      // [3 * U], of a GRU with reset_after, or none
  const bool* mask = nullptr;                 // [B, T]: false: the step changes nothing; or none
  const float* first_h = nullptr;             // [B, U]: initial states; none: zeros
  const float* first_c = nullptr;             // [B, U], of an LSTM
};

std::size_t n_gates(Cell cell);

struct RecurrentStates {
  float* h = nullptr;         // [B, U]: the last states
  float* c = nullptr;         // [B, U], of an LSTM
  float* sequence = nullptr;  // [B, T, U]: h after each step, or none
};

// How many floats of residuals the backward pass needs for each of the B * T steps.
std::size_t residual_width(const Recurrent& job);

// residuals: [B * T * residual_width], written as far as there are unmasked steps; none: no
// backward pass will follow.
void recurrent_forward(const Recurrent& job, const RecurrentStates& out, float* residuals);

// Gradients of the outputs, shaped as in RecurrentStates; each may be none.
struct RecurrentGradients {
  const float *h = nullptr, *c = nullptr, *sequence = nullptr;
};
// Gradients of the inputs, overwritten.
struct RecurrentInputGradients {
  float* z;               // [n_rows, G * U]
  float* kernel;          // [U, G * U]
  float* recurrent_bias;  // [3 * U], or none
  float *first_h, *first_c;  // [B, U], or none
};
void recurrent_backward(const Recurrent& job, const float* residuals,
                        const RecurrentGradients& gradients, const RecurrentInputGradients& out);

}  // namespace wordrow
