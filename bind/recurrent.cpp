#include "recurrent.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>

#include "arrays.h"

namespace wordrow {
namespace {

Cell cell_of(const std::string& name) {
  if (name == "simple") return Cell::kSimple;
  if (name == "lstm") return Cell::kLstm;
  require(name == "gru", "the cell must be 'simple', 'lstm' or 'gru'");
  return Cell::kGru;
}

Activation activation_of(int number) {
  require(number >= 0 && number <= static_cast<int>(Activation::kHardSigmoid),
          "the core has no such activation");
  return static_cast<Activation>(number);
}

// One array a state: h, and c of an LSTM.
using States = std::vector<InOut<float, 2>>;

nb::object recurrent(const std::string& cell, In<float, 2> z,
                     std::optional<In<std::int32_t, 2>> row_indices, In<float, 2> kernel,
                     States last, States first, std::optional<In<bool, 2>> mask,
                     std::size_t n_steps, int activation, int gate,
                     std::optional<In<float, 1>> recurrent_bias, bool reset_after, bool sequences) {
  Recurrent job;
  job.cell = cell_of(cell);
  job.activations = {activation_of(activation), activation_of(gate)};
  job.reset_after = reset_after;
  const std::size_t n_states = job.cell == Cell::kLstm ? 2 : 1;
  require(last.size() == n_states && (first.empty() || first.size() == n_states),
          "an LSTM has two states, others one");
  job.n_texts = last[0].shape(0);
  job.n_steps = n_steps;
  job.n_units = kernel.shape(0);
  job.n_rows = z.shape(0);
  const std::size_t width = n_gates(job.cell) * job.n_units;
  require(kernel.shape(1) == width && z.shape(1) == width, "z and kernel must have G * U columns");
  for (const States& states : {last, first})
    for (const auto& state : states)
      require(state.shape(0) == job.n_texts && state.shape(1) == job.n_units,
              "states must be [B, U]");
  require(!mask || (mask->shape(0) == job.n_texts && mask->shape(1) == job.n_steps),
          "the mask must be [B, T]");
  require(!row_indices ||
              (row_indices->shape(0) == job.n_texts && row_indices->shape(1) == job.n_steps),
          "row_indices must be [B, T]");
  require(row_indices || job.n_rows == job.n_texts * job.n_steps, "z must have a row a step");
  require(!recurrent_bias || recurrent_bias->shape(0) == width, "recurrent_bias must be [G * U]");
  require(!row_indices || are_rows(row_indices->data(), row_indices->size(), job.n_rows),
          "row_indices must be rows of z");
  job.z = z.data();
  job.row_indices = row_indices ? row_indices->data() : nullptr;
  job.kernel = kernel.data();
  job.recurrent_bias = recurrent_bias ? recurrent_bias->data() : nullptr;
  job.mask = mask ? mask->data() : nullptr;
  job.first_h = first.empty() ? nullptr : first[0].data();
  job.first_c = first.size() > 1 ? first[1].data() : nullptr;
  std::unique_ptr<float[]> sequence;
  const std::size_t size = job.n_texts * job.n_steps * job.n_units;
  if (sequences) sequence.reset(new float[size]);
  const RecurrentStates out{last[0].data(), last.size() > 1 ? last[1].data() : nullptr,
                            sequence.get()};
  {
    nb::gil_scoped_release release;
    recurrent_forward(job, out, nullptr);
  }
  if (!sequences) return nb::none();
  return nb::cast(to_numpy<3>(std::move(sequence), {job.n_texts, job.n_steps, job.n_units}));
}

// How many floats of residuals a step has: XLA allocates them.
std::size_t width_of_residuals(int cell, std::size_t n_units, bool reset_after) {
  Recurrent job;
  require(cell >= 0 && cell <= static_cast<int>(Cell::kGru), "the core has no such cell");
  job.cell = static_cast<Cell>(cell);
  job.n_units = n_units;
  job.reset_after = reset_after;
  return residual_width(job);
}

}  // namespace

void define_recurrent(nb::module_& module) {
  module.def("recurrent", &recurrent, nb::arg("cell"), nb::arg("z").noconvert(),
             nb::arg("row_indices").none().noconvert(), nb::arg("kernel").noconvert(),
             nb::arg("last").noconvert(), nb::arg("first").noconvert(), nb::arg("mask").none(),
             nb::kw_only(), nb::arg("n_steps"), nb::arg("activation"), nb::arg("gate"),
             nb::arg("recurrent_bias").none(), nb::arg("reset_after"), nb::arg("sequences"));
  module.def("residual_width", &width_of_residuals, nb::arg("cell"), nb::arg("n_units"),
             nb::kw_only(), nb::arg("reset_after"));
}

}  // namespace wordrow
