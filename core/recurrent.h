// The recurrent layers, answering: LSTM, GRU and a simple one, with masks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace wordrow {

enum class Cell { kSimple, kLstm, kGru };

// What to run, over arrays that are not owned. G is 1, 4 or 3 (i f g o; z r g).
struct Recurrent {
  Cell cell = Cell::kLstm;
  Activation activation = Activation::kTanh, gate = Activation::kSigmoid;
  bool reset_after = true;               // of a GRU
  std::size_t n_texts = 0, n_steps = 0, n_units = 0;
  const float* z = nullptr;              // inputs @ kernel + bias [B, T, G * U]
  const float* kernel = nullptr;         // [U, G * U]
  const float* recurrent_bias = nullptr; // [3 * U], of a GRU with reset_after, or none
  const bool* mask = nullptr;            // [B, T]: a step that is not real changes nothing; or none
  float* h = nullptr;                    // [B, U]: the first state, then the last
  float* c = nullptr;                    // [B, U], of an LSTM
  float* sequence = nullptr;             // [B, T, U]: h after every step, or none
};

std::size_t n_gates(Cell cell);

void run_recurrent(const Recurrent& job);

}  // namespace wordrow
