#include "missed_updates.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "arrays.h"

namespace wordrow {
namespace {

void create(MissedUpdates* self, std::int32_t step, double beta_1, std::optional<double> beta_2,
            std::vector<double> decays, bool weight_decay) {
  require(step >= 0, "step must not be negative");
  require(beta_1 >= 0 && beta_1 < 1, "beta_1 must be in [0, 1)");
  require(!beta_2 || (*beta_2 > 0 && *beta_2 < 1), "beta_2 must be in (0, 1), or None");
  // Closer to 1, momentum would outlast any training.
  require(!beta_2 || beta_1 <= 0.9999, "beta_1 must be at most 0.9999 beside beta_2");
  for (const double decay : decays) require(decay >= 0 && decay <= 1, "decays must be in [0, 1]");
  new (self) MissedUpdates({beta_1, beta_2.value_or(1.0), std::move(decays), weight_decay}, step);
}

void add_step(MissedUpdates& self, double rate, double keep) {
  require(std::isfinite(rate) && std::isfinite(keep), "rate and keep must be finite");
  require(self.has_weight_decay() || keep == 1, "keep must be 1 without weight decay");
  self.add_step(rate, keep);
}

// What rows have missed that were last updated at these steps: (terms, decays, keep). With ids, what
// these rows of a table have missed; ids that are no rows have missed nothing.
nb::tuple since(const MissedUpdates& self, In<std::int32_t, 1> last,
                std::optional<In<std::int32_t, 1>> ids) {
  require(self.has_closed_form(), "the betas need more terms than the core adds up: train densely");
  const std::size_t n = ids ? ids->shape(0) : last.shape(0);
  const std::size_t n_rows = last.shape(0), n_terms = static_cast<std::size_t>(self.n_terms());
  const std::int32_t *steps = last.data(), now = self.step();
  std::vector<std::int32_t> of_ids;
  if (ids) {
    of_ids.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto id = static_cast<std::size_t>(ids->data()[i]);  // negative ids become too large
      of_ids[i] = id < n_rows ? last.data()[id] : now;
    }
    steps = of_ids.data();
  }
  bool valid = true;
  for (std::size_t i = 0; i < n; ++i) valid &= (steps[i] >= 0) & (steps[i] <= now);
  require(valid, "`last` must hold steps from 0 to the last step");
  nb::object terms = nb::none(), keep = nb::none();
  if (n_terms > 0) {
    std::unique_ptr<float[]> sums(new float[n * n_terms]);
    self.copy_terms(steps, n, sums.get());
    terms = nb::cast(to_numpy<2>(std::move(sums), {n, n_terms}));
  }
  const auto each_row = [&](auto&& value) {
    std::unique_ptr<float[]> values(new float[n]);
    for (std::size_t i = 0; i < n; ++i) values[i] = value(steps[i]);
    return to_numpy<1>(std::move(values), {n});
  };
  nb::list decays;
  for (std::size_t d = 0; d < self.n_decays(); ++d)
    decays.append(each_row([&](std::int32_t step) { return self.decay(d, step); }));
  if (self.has_weight_decay())
    keep = nb::cast(each_row([&](std::int32_t step) { return self.keep(step); }));
  return nb::make_tuple(terms, decays, keep);
}

// Sets the step that last updated some rows; ids that are no rows are passed over.
void touch(InOut<std::int32_t, 1> last, In<std::int32_t, 1> ids, std::int32_t step) {
  for (std::size_t i = 0; i < ids.shape(0); ++i) {
    const auto id = static_cast<std::size_t>(ids.data()[i]);
    if (id < last.shape(0)) last.data()[id] = step;
  }
}

}  // namespace

void define_missed_updates(nb::module_& module) {
  module.def("touch", &touch, nb::arg("last").noconvert(), nb::arg("ids").noconvert(),
             nb::arg("step"));
  nb::class_<MissedUpdates>(module, "MissedUpdates")
      .def("__init__", &create, nb::kw_only(), nb::arg("step") = 0, nb::arg("beta_1") = 0.0,
           nb::arg("beta_2").none() = nb::none(), nb::arg("decays") = std::vector<double>(),
           nb::arg("weight_decay") = false)
      .def("add_step", &add_step, nb::arg("rate"), nb::arg("keep") = 1.0)
      .def("flush", &MissedUpdates::flush)
      .def("since", &since, nb::arg("last").noconvert(),
           nb::arg("ids").noconvert().none() = nb::none())
      .def_prop_ro("step", &MissedUpdates::step)
      .def_prop_ro("flushed", &MissedUpdates::flushed)
      .def_prop_ro("n_terms", &MissedUpdates::n_terms)
      .def_prop_ro("has_closed_form", &MissedUpdates::has_closed_form)
      .def_prop_ro("is_long", &MissedUpdates::is_long)
      .def_prop_ro(
          "rates", [](const MissedUpdates& self) { return to_numpy(std::vector(self.rates())); },
          nb::rv_policy::move)
      .def_prop_ro(
          "keeps", [](const MissedUpdates& self) { return to_numpy(std::vector(self.keeps())); },
          nb::rv_policy::move);
}

}  // namespace wordrow
