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

nb::object recurrent(const std::string& cell, In<float, 3> z, In<float, 2> kernel,
                     std::vector<InOut<float, 2>> states, std::optional<In<bool, 2>> mask,
                     int activation, int gate, std::optional<In<float, 1>> recurrent_bias,
                     bool reset_after, bool sequences) {
  Recurrent job;
  job.cell = cell_of(cell);
  job.activation = activation_of(activation);
  job.gate = activation_of(gate);
  job.reset_after = reset_after;
  job.n_texts = z.shape(0);
  job.n_steps = z.shape(1);
  job.n_units = kernel.shape(0);
  const std::size_t width = n_gates(job.cell) * job.n_units;
  require(kernel.shape(1) == width && z.shape(2) == width, "z and kernel must have G * U columns");
  require(states.size() == (job.cell == Cell::kLstm ? 2u : 1u), "an LSTM has two states, others one");
  for (const auto& state : states)
    require(state.shape(0) == job.n_texts && state.shape(1) == job.n_units,
            "states must be [B, U]");
  require(!mask || (mask->shape(0) == job.n_texts && mask->shape(1) == job.n_steps),
          "the mask must be [B, T]");
  require(!recurrent_bias || recurrent_bias->shape(0) == width, "recurrent_bias must be [G * U]");
  job.z = z.data();
  job.kernel = kernel.data();
  job.recurrent_bias = recurrent_bias ? recurrent_bias->data() : nullptr;
  job.mask = mask ? mask->data() : nullptr;
  job.h = states[0].data();
  job.c = states.size() > 1 ? states[1].data() : nullptr;
  std::unique_ptr<float[]> sequence;
  const std::size_t size = job.n_texts * job.n_steps * job.n_units;
  if (sequences) sequence = std::make_unique<float[]>(size);
  job.sequence = sequence.get();
  {
    nb::gil_scoped_release release;
    run_recurrent(job);
  }
  if (!sequences) return nb::none();
  float* const data = sequence.release();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  return nb::cast(Out<float, 3>(data, {job.n_texts, job.n_steps, job.n_units}, owner));
}

}  // namespace

void define_recurrent(nb::module_& module) {
  module.def("recurrent", &recurrent, nb::arg("cell"), nb::arg("z").noconvert(),
             nb::arg("kernel").noconvert(), nb::arg("states").noconvert(), nb::arg("mask").none(),
             nb::kw_only(), nb::arg("activation"), nb::arg("gate"),
             nb::arg("recurrent_bias").none(), nb::arg("reset_after"), nb::arg("sequences"));
}

}  // namespace wordrow
