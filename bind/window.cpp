#include "window.h"

#include <nanobind/stl/optional.h>

#include "arrays.h"
#include "flat.h"
#include "matrix.h"

namespace wordrow {
namespace {

Groups groups_of(const In<std::int32_t, 2>& row_indices, std::size_t n) {
  const Groups groups{row_indices.data(), row_indices.shape(0), row_indices.shape(1)};
  require(groups.size > 0 && are_row_indices(groups, n),
          "row_indices must be numbers of rows, or -1");
  return groups;
}

// The windows' activated sums, or the maximum of each pool of them.
Out<float, 2> windows(In<float, 2> rows, In<std::int32_t, 2> row_indices,
                      std::optional<In<float, 1>> bias, std::optional<In<std::int32_t, 2>> pools,
                      int activation) {
  const Groups steps = groups_of(row_indices, rows.shape(0));
  const std::size_t dim = rows.shape(1) / steps.size;
  require(rows.shape(1) == steps.size * dim, "rows must be [R, K * dim]");
  require(!bias || bias->shape(0) == dim, "bias must be [dim]");
  require(activation >= 0 && activation <= static_cast<int>(Activation::kHardSigmoid),
          "the core has no such activation");
  const Windows job{rows.data(), rows.shape(0), dim, bias ? bias->data() : nullptr, steps,
                    static_cast<Activation>(activation)};
  const Groups all = pools ? groups_of(*pools, steps.n) : steps;
  std::unique_ptr<float[]> out(new float[all.n * dim]);
  {
    nb::gil_scoped_release release;
    if (pools)
      window_max(job, all, out.get());
    else
      window_sums(job, out.get());
  }
  return to_numpy<2>(std::move(out), {all.n, dim});
}

Out<float, 2> matrix_product(In<float, 2> a, In<float, 2> b) {
  require(a.shape(1) == b.shape(0), "a must have as many columns as b has rows");
  std::unique_ptr<float[]> out(new float[a.shape(0) * b.shape(1)]);
  {
    nb::gil_scoped_release release;
    product(a.data(), a.shape(0), a.shape(1), b.data(), b.shape(1), out.get());
  }
  return to_numpy<2>(std::move(out), {a.shape(0), b.shape(1)});
}

Out<float, 2> flat(In<float, 2> table, In<std::int32_t, 2> ids, In<float, 2> kernel) {
  const FlatTexts texts{table.data(), ids.data(), kernel.data(), table.shape(0),
                        table.shape(1), ids.shape(0), ids.shape(1), kernel.shape(1)};
  require(kernel.shape(0) == texts.n_steps * texts.dim, "kernel must be [T * D, units]");
  require(are_rows(texts.ids, ids.size(), texts.n_rows), "ids must be rows of the table");
  std::unique_ptr<float[]> out(new float[texts.n_texts * texts.n_units]);
  {
    nb::gil_scoped_release release;
    flat_product(texts, out.get());
  }
  return to_numpy<2>(std::move(out), {texts.n_texts, texts.n_units});
}

}  // namespace

void define_window(nb::module_& module) {
  module.def("windows", &windows, nb::arg("rows").noconvert(), nb::arg("row_indices").noconvert(),
             nb::arg("bias").none().noconvert(), nb::arg("pools").none().noconvert(), nb::kw_only(),
             nb::arg("activation"));
  module.def("product", &matrix_product, nb::arg("a").noconvert(), nb::arg("b").noconvert());
  module.def("flat_product", &flat, nb::arg("table").noconvert(), nb::arg("ids").noconvert(),
             nb::arg("kernel").noconvert());
}

}  // namespace wordrow
