#include "bag.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "arrays.h"
#include "memory.h"
#include "pool.h"

namespace wordrow {
namespace {

// A table as NumPy arrays, changed in place. Each row is followed by its moments m and v, so that
// one stretch of memory is fetched, not three.
struct Table {
  InOut<float, 3> rows;  // [V, 3, D]
  InOut<std::int32_t, 1> last;
  std::optional<In<bool, 1>> frozen;

  RowTable view() const {
    const std::size_t n_rows = rows.shape(0), dim = rows.shape(2);
    require(rows.shape(1) == 3 && last.shape(0) == n_rows,
            "rows must be [V, 3, D], and `last` have one step a row");
    require(!frozen || frozen->shape(0) == n_rows, "`frozen` must have one value a row");
    float* const w = rows.data();
    return {w,      w + dim, w + 2 * dim, last.data(),
            n_rows, dim,     3 * dim,     frozen ? frozen->data() : nullptr};
  }
};

// Memory for numbers that are read at random; where a row begins, a cache line begins if its
// length allows that.
struct LargeArray {
  explicit LargeArray(std::size_t n_) : n(n_), data(LargePages<float>().allocate(n_)) {}
  ~LargeArray() { LargePages<float>().deallocate(data, n); }
  LargeArray(const LargeArray&) = delete;
  LargeArray& operator=(const LargeArray&) = delete;

  const std::size_t n;
  float* const data;
};

// The rows of a table as RowTable takes them, zeros for moments that there are not: [V, 3, D].
Out<float, 3> interleave(In<float, 2> w, std::optional<In<float, 2>> m,
                         std::optional<In<float, 2>> v) {
  const std::size_t n_rows = w.shape(0), dim = w.shape(1);
  for (const auto* moment : {&m, &v})
    require(!*moment || ((*moment)->shape(0) == n_rows && (*moment)->shape(1) == dim),
            "moments must have the shape of the rows");
  const float* const parts[] = {w.data(), m ? m->data() : nullptr, v ? v->data() : nullptr};
  auto rows = std::make_unique<LargeArray>(n_rows * 3 * dim);
  float* const data = rows->data;
  {
    nb::gil_scoped_release release;
    constexpr std::size_t kRowsPerTask = 4096;
    parallel_for((n_rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
      const std::size_t end = std::min(n_rows, (task + 1) * kRowsPerTask);
      float* to = data + task * kRowsPerTask * 3 * dim;
      for (std::size_t row = task * kRowsPerTask; row < end; ++row)
        for (const float* const part : parts) {
          if (part)
            std::copy_n(part + row * dim, dim, to);
          else
            std::fill_n(to, dim, 0.0f);
          to += dim;
        }
    });
  }
  nb::capsule owner(rows.release(), [](void* p) noexcept { delete static_cast<LargeArray*>(p); });
  return Out<float, 3>(data, {n_rows, 3, dim}, owner);
}

DenseWeight weight_view(const std::vector<InOut<float, 1>>& arrays, std::size_t n) {
  require(arrays.size() == 3, "a weight comes with its two moments");
  for (const auto& array : arrays) require(array.shape(0) == n, "a weight has the wrong size");
  return {arrays[0].data(), arrays[1].data(), arrays[2].data()};
}

// Training documents, their ids checked once against a table's number of rows.
struct Documents {
  Documents(In<std::int32_t, 1> ids, In<std::int64_t, 1> offsets, std::size_t n_rows_,
            bool skips_zeros)
      : n_rows((require_bags(ids, offsets, n_rows_), n_rows_)),
        bags(build(ids, offsets, n_rows_, skips_zeros)) {}
  static BagDocuments build(const In<std::int32_t, 1>& ids, const In<std::int64_t, 1>& offsets,
                            std::size_t n_rows, bool skips_zeros) {
    nb::gil_scoped_release release;
    return BagDocuments(ids.data(), offsets.data(), offsets.shape(0) - 1, n_rows, skips_zeros);
  }
  std::size_t n_rows;
  BagDocuments bags;
};

// An optimizer that one training at a time may use.
struct LockedOptimizer {
  RowOptimizer optimizer;
  std::mutex mutex;
  LockedOptimizer(const OptimizerConfig& config, std::int32_t step) : optimizer(config, step) {}

  std::unique_lock<std::mutex> lock() {
    std::unique_lock<std::mutex> held(mutex, std::try_to_lock);
    if (!held)
      throw std::runtime_error("this model is being trained in another thread; wait for that");
    return held;
  }
  void require_known(const RowTable& table) const {
    for (std::size_t row = 0; row < table.n_rows; ++row)
      require(table.last[row] == 0 ||
                  (table.last[row] >= optimizer.flushed() && table.last[row] <= optimizer.step()),
              "`last` must hold steps of this optimizer since its last flush");
  }
};

OptimizerKind kind_of(const std::string& name) {
  if (name == "adam") return OptimizerKind::kAdam;
  if (name == "sgd") return OptimizerKind::kSgd;
  if (name == "adagrad") return OptimizerKind::kAdagrad;
  require(name == "rmsprop", "the kind must be 'adam', 'sgd', 'adagrad' or 'rmsprop'");
  return OptimizerKind::kRmsprop;
}

// Labels by document: [B], the class of each, or [B, n_units], a number for each sigmoid.
using Classes = std::optional<In<std::int32_t, 1>>;
using Targets = std::optional<In<float, 2>>;

nb::tuple train(LockedOptimizer& shared, const Table& table, Classes classes,
                const Documents& documents, InOut<float, 1> kernel, InOut<float, 1> kernel_m,
                InOut<float, 1> kernel_v, InOut<float, 1> bias, InOut<float, 1> bias_m,
                InOut<float, 1> bias_v, In<std::int64_t, 1> order, std::size_t batch_size,
                In<double, 1> learning_rates, nb::object callback, Targets targets, bool sigmoid,
                bool max_pool, double dropout, std::uint64_t seed) {
  const auto held = shared.lock();
  const RowTable view = table.view();
  shared.require_known(view);
  const std::size_t n_units = bias.shape(0), n = order.shape(0), n_documents = documents.bags.size();
  BagModel model{view, weight_view({kernel, kernel_m, kernel_v}, view.dim * n_units),
                 weight_view({bias, bias_m, bias_v}, n_units), n_units, sigmoid};
  model.pooling = max_pool ? Pooling::kMax : Pooling::kMean;
  model.dropout = dropout;
  model.seed = seed;
  require(documents.n_rows == view.n_rows, "the documents were checked against another table");
  require(dropout >= 0 && dropout < 1, "dropout must be in [0, 1)");
  require(classes.has_value() != targets.has_value(), "give classes or targets");
  require(!targets || sigmoid, "targets are for sigmoids");
  require(!classes || !sigmoid || n_units == 1, "more than one sigmoid needs targets");
  require(classes ? classes->shape(0) == n_documents
                  : targets->shape(0) == n_documents && targets->shape(1) == n_units,
          "labels and documents differ in number");
  require(n_units > 0 && batch_size > 0 && n > 0, "n_units, batch_size and order must not be 0");
  require(learning_rates.shape(0) >= (n - 1) / batch_size + 1,
          "learning_rates must have one value a batch");
  const auto n_classes = static_cast<std::int32_t>(sigmoid ? 2 : n_units);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t at = order.data()[i];
    require(at >= 0 && static_cast<std::size_t>(at) < n_documents,
            "order must number the documents");
    require(!classes || (classes->data()[at] >= 0 && classes->data()[at] < n_classes),
            "labels must be in [0, number of classes)");
  }
  PythonWatch watch(std::move(callback));
  const BagLabels labels{classes ? classes->data() : nullptr, targets ? targets->data() : nullptr};
  BagResult result;
  {
    nb::gil_scoped_release release;
    result = train_bag(model, shared.optimizer, documents.bags, labels, order.data(), n, batch_size,
                       learning_rates.data(), [&](const BagResult& now) {
                         return watch.ask(now.n_documents, now.loss, now.n_correct);
                       });
  }
  watch.rethrow();
  return nb::make_tuple(result.n_documents, result.loss, result.n_correct, result.not_finite);
}

}  // namespace

void define_bag(nb::module_& module) {
  nb::class_<Table>(module, "RowTable")
      .def(
          "__init__",
          [](Table* self, InOut<float, 3> rows, InOut<std::int32_t, 1> last,
             std::optional<In<bool, 1>> frozen) {
            new (self) Table{rows, last, frozen};
            self->view();
          },
          nb::arg("rows").noconvert(), nb::arg("last").noconvert(),
          nb::arg("frozen").none() = nb::none());
  module.def("interleave", &interleave, nb::arg("rows").noconvert(), nb::arg("m").noconvert().none(),
             nb::arg("v").noconvert().none());
  nb::class_<LockedOptimizer>(module, "RowOptimizer")
      .def(
          "__init__",
          [](LockedOptimizer* self, const std::string& kind, double beta_1, double beta_2,
             double epsilon, std::int32_t step, bool nesterov, bool lazy) {
            const OptimizerKind own = kind_of(kind);
            // Closer to 1, momentum would outlast any training.
            require(beta_1 >= 0 && beta_1 <= 0.9999, "beta_1 must be in [0, 0.9999]");
            require(beta_2 > 0 && beta_2 < 1, "beta_2 must be in (0, 1)");
            require(epsilon >= 1e-37, "epsilon must be at least 1e-37");
            require(step >= 0, "step must not be negative");
            new (self) LockedOptimizer({own, beta_1, beta_2, epsilon, nesterov, lazy}, step);
          },
          nb::kw_only(), nb::arg("kind") = "adam", nb::arg("beta_1"), nb::arg("beta_2"),
          nb::arg("epsilon"), nb::arg("step"), nb::arg("nesterov") = false, nb::arg("lazy") = false)
      .def_prop_ro("step", [](const LockedOptimizer& self) { return self.optimizer.step(); })
      .def(
          "flush",
          [](LockedOptimizer& self, const Table& table) {
            const auto held = self.lock();
            const RowTable view = table.view();
            self.require_known(view);
            nb::gil_scoped_release release;
            self.optimizer.flush(view);
          },
          nb::arg("table"));
  nb::class_<Documents>(module, "BagDocuments")
      .def(nb::init<In<std::int32_t, 1>, In<std::int64_t, 1>, std::size_t, bool>(),
           nb::arg("ids").noconvert(), nb::arg("offsets").noconvert(), nb::kw_only(),
           nb::arg("n_rows"), nb::arg("skips_zeros") = false)
      .def("__len__", [](const Documents& self) { return self.bags.size(); });
  module.def("train_bag", &train, nb::arg("optimizer"), nb::arg("table"),
             nb::arg("classes").none().noconvert(), nb::arg("documents"), nb::kw_only(),
             nb::arg("kernel").noconvert(), nb::arg("kernel_m").noconvert(),
             nb::arg("kernel_v").noconvert(), nb::arg("bias").noconvert(),
             nb::arg("bias_m").noconvert(), nb::arg("bias_v").noconvert(),
             nb::arg("order").noconvert(), nb::arg("batch_size"), nb::arg("learning_rates"),
             nb::arg("watch").none() = nb::none(), nb::arg("targets").none().noconvert(),
             nb::arg("sigmoid"), nb::arg("max_pool"), nb::arg("dropout"), nb::arg("seed"));
}

}  // namespace wordrow
