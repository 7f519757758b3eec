#include "bag.h"

#include "arrays.h"

namespace wordrow {
namespace {

// A table and its moments as NumPy arrays, changed in place.
struct Table {
  InOut<float, 2> w, m, v;
  InOut<std::int32_t, 1> last;

  AdamTable view() const {
    const std::size_t n_rows = w.shape(0), dim = w.shape(1);
    require(m.shape(0) == n_rows && m.shape(1) == dim && v.shape(0) == n_rows &&
                v.shape(1) == dim && last.shape(0) == n_rows,
            "a table and its moments must have one shape");
    return {w.data(), m.data(), v.data(), last.data(), n_rows, dim};
  }
};

AdamWeight weight_view(const std::vector<InOut<float, 1>>& arrays, std::size_t n) {
  require(arrays.size() == 3, "a weight comes with its two moments");
  for (const auto& array : arrays) require(array.shape(0) == n, "a weight has the wrong size");
  return {arrays[0].data(), arrays[1].data(), arrays[2].data()};
}

// The documents of a training, checked once against a table's number of rows.
struct Documents {
  Documents(In<std::int32_t, 1> ids, In<std::int64_t, 1> offsets, std::size_t n_rows_)
      : n_rows((require_bags(ids, offsets, n_rows_), n_rows_)), bags(build(ids, offsets)) {}
  static BagDocuments build(const In<std::int32_t, 1>& ids, const In<std::int64_t, 1>& offsets) {
    nb::gil_scoped_release release;
    return BagDocuments(ids.data(), offsets.data(), offsets.shape(0) - 1);
  }
  std::size_t n_rows;
  BagDocuments bags;
};

nb::tuple train(AdamClock& clock, const Table& table, In<std::int32_t, 1> labels,
                const Documents& documents, InOut<float, 1> kernel, InOut<float, 1> kernel_m,
                InOut<float, 1> kernel_v, InOut<float, 1> bias, InOut<float, 1> bias_m,
                InOut<float, 1> bias_v, In<std::int64_t, 1> order, std::size_t batch_size,
                In<double, 1> learning_rates, nb::object callback) {
  const AdamTable view = table.view();
  const std::size_t n_units = bias.shape(0), n = order.shape(0);
  const BagModel model{view, weight_view({kernel, kernel_m, kernel_v}, view.dim * n_units),
                       weight_view({bias, bias_m, bias_v}, n_units), n_units};
  require(documents.n_rows == view.n_rows, "the documents were checked against another table");
  require(labels.shape(0) == documents.bags.size(), "labels and documents differ in number");
  require(n_units > 0 && batch_size > 0 && n > 0, "n_units, batch_size and order must not be 0");
  require(learning_rates.shape(0) >= (n + batch_size - 1) / batch_size,
          "learning_rates must have one value a batch");
  const auto n_classes = static_cast<std::int32_t>(n_units == 1 ? 2 : n_units);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t at = order.data()[i];
    require(at >= 0 && static_cast<std::size_t>(at) < labels.shape(0),
            "order must number the documents");
    require(labels.data()[at] >= 0 && labels.data()[at] < n_classes,
            "labels must be in [0, number of classes)");
  }
  PythonWatch watch(std::move(callback));
  BagResult result;
  {
    nb::gil_scoped_release release;
    result = train_bag(model, clock, documents.bags, labels.data(), order.data(), n, batch_size,
                       learning_rates.data(), [&](const BagResult& now) {
                         return watch.ask(now.n_documents, now.loss, now.n_correct);
                       });
  }
  watch.rethrow();
  return nb::make_tuple(result.n_documents, result.loss, result.n_correct);
}

}  // namespace

void define_bag(nb::module_& module) {
  nb::class_<Table>(module, "AdamTable")
      .def("__init__",
           [](Table* self, InOut<float, 2> w, InOut<float, 2> m, InOut<float, 2> v,
              InOut<std::int32_t, 1> last) {
             new (self) Table{w, m, v, last};
             self->view();
           },
           nb::arg("w").noconvert(), nb::arg("m").noconvert(), nb::arg("v").noconvert(),
           nb::arg("last").noconvert());
  nb::class_<AdamClock>(module, "AdamClock")
      .def("__init__",
           [](AdamClock* self, double beta_1, double beta_2, double epsilon, std::int32_t step) {
             require(beta_1 >= 0 && beta_1 < 1, "beta_1 must be in [0, 1)");
             require(beta_2 > 0 && beta_2 < 1, "beta_2 must be in (0, 1)");
             require(epsilon > 0, "epsilon must be above 0");
             new (self) AdamClock({beta_1, beta_2, epsilon}, step);
           },
           nb::kw_only(), nb::arg("beta_1"), nb::arg("beta_2"), nb::arg("epsilon"),
           nb::arg("step"))
      .def_prop_ro("step", &AdamClock::step)
      .def_prop_ro("n_terms", &AdamClock::n_terms)
      .def("settle", [](AdamClock& self, const Table& table) { self.settle(table.view()); },
           nb::arg("table"));
  nb::class_<Documents>(module, "BagDocuments")
      .def(nb::init<In<std::int32_t, 1>, In<std::int64_t, 1>, std::size_t>(), nb::arg("ids"),
           nb::arg("offsets"), nb::kw_only(), nb::arg("n_rows"))
      .def("__len__", [](const Documents& self) { return self.bags.size(); });
  module.def("train_bag", &train, nb::arg("clock"), nb::arg("table"), nb::arg("labels"),
             nb::arg("documents"), nb::kw_only(), nb::arg("kernel").noconvert(),
             nb::arg("kernel_m").noconvert(), nb::arg("kernel_v").noconvert(),
             nb::arg("bias").noconvert(), nb::arg("bias_m").noconvert(),
             nb::arg("bias_v").noconvert(), nb::arg("order"), nb::arg("batch_size"),
             nb::arg("learning_rates"), nb::arg("watch").none() = nb::none());
}

}  // namespace wordrow
