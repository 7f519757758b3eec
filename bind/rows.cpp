#include "rows.h"

#include <nanobind/stl/optional.h>

#include <algorithm>
#include <vector>

#include "arrays.h"

namespace wordrow {
namespace {

Out<float, 2> mean(In<float, 2> table, In<std::int32_t, 1> ids, In<std::int64_t, 1> offsets) {
  require_bags(ids, offsets, table.shape(0));
  const std::size_t n = offsets.shape(0) - 1, dim = table.shape(1);
  auto out = std::make_unique<float[]>(n * dim);
  {
    nb::gil_scoped_release release;
    bag_mean(table.data(), dim, ids.data(), offsets.data(), n, out.get());
  }
  return to_numpy<2>(std::move(out), {n, dim});
}

Out<float, 2> predict(In<float, 2> table, In<std::int32_t, 1> ids, In<std::int64_t, 1> offsets,
                      In<float, 2> kernel, In<float, 1> bias, bool sigmoid) {
  require_bags(ids, offsets, table.shape(0));
  const BagClassifier model{table.data(),   kernel.data(),   bias.data(),
                            table.shape(1), kernel.shape(1), sigmoid};
  require(kernel.shape(0) == model.dim && bias.shape(0) == model.n_units && model.n_units > 0,
          "kernel must be [D, units] and bias [units]");
  const std::size_t n = offsets.shape(0) - 1;
  auto out = std::make_unique<float[]>(n * model.n_units);
  if (n == 1) {  // takes less time than releasing the GIL
    bag_predict(model, ids.data(), offsets.data(), n, out.get());
  } else {
    nb::gil_scoped_release release;
    bag_predict(model, ids.data(), offsets.data(), n, out.get());
  }
  return to_numpy<2>(std::move(out), {n, model.n_units});
}

Out<float, 2> mean_of_padded(In<float, 2> table, In<std::int32_t, 2> ids,
                             std::optional<In<bool, 2>> mask) {
  const PaddedBags bags{ids.data(), mask ? mask->data() : nullptr, ids.shape(0), ids.shape(1)};
  require(!mask || (mask->shape(0) == bags.n_bags && mask->shape(1) == bags.n_steps),
          "the mask must be [B, T]");
  require(are_rows(ids.data(), ids.size(), table.shape(0)), "ids must be rows of the table");
  const std::size_t dim = table.shape(1);
  auto out = std::make_unique<float[]>(bags.n_bags * dim);
  {
    nb::gil_scoped_release release;
    padded_mean(table.data(), dim, bags, out.get());
  }
  return to_numpy<2>(std::move(out), {bags.n_bags, dim});
}

// Lists of Python integers, as Keras's texts_to_sequences returns them. Each id becomes a Python
// object once and is shared, which saves most of the time.
nb::list to_lists(In<std::int32_t, 1> ids, In<std::int64_t, 1> offsets) {
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < ids.shape(0); ++i) largest = std::max(largest, ids.data()[i]);
  require_offsets(ids, offsets);
  // No more than there are ids, so that few ids of a large table take little time.
  const std::size_t n_shared =
      std::min({static_cast<std::size_t>(largest) + 1, ids.size(), std::size_t{1} << 22});
  std::vector<nb::object> shared(n_shared);
  const auto integer = [&](std::int32_t id) {
    const auto at = static_cast<std::size_t>(id);
    if (at >= n_shared) return nb::steal(PyLong_FromLong(id));  // and negative ids
    if (!shared[at].is_valid()) shared[at] = nb::steal(PyLong_FromLong(id));
    return shared[at];
  };
  const auto new_list = [](std::size_t n) {
    nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(n)));
    if (!list.is_valid()) nb::raise_python_error();
    return list;
  };
  const std::size_t n = offsets.shape(0) - 1;
  nb::object lists = new_list(n);
  for (std::size_t row = 0; row < n; ++row) {
    const std::int64_t first = offsets.data()[row], last = offsets.data()[row + 1];
    nb::object list = new_list(static_cast<std::size_t>(last - first));
    for (std::int64_t i = first; i < last; ++i)
      PyList_SET_ITEM(list.ptr(), i - first, integer(ids.data()[i]).release().ptr());
    PyList_SET_ITEM(lists.ptr(), static_cast<Py_ssize_t>(row), list.release().ptr());
  }
  return nb::borrow<nb::list>(lists);
}

// Returns the index of each id among the distinct ones.
Out<std::int32_t, 1> unique(In<std::int32_t, 1> ids, InOut<std::int32_t, 1> first_at,
                 InOut<std::int32_t, 1> found, std::size_t n_known) {
  require(are_rows(ids.data(), ids.size(), first_at.size()), "ids must be rows of the table");
  require(are_rows(found.data(), n_known, first_at.size()), "known ids must be rows of the table");
  require(n_known <= found.size() && found.size() >= std::min(first_at.size(), ids.size() + n_known),
          "`unique` must have room for all");
  std::vector<std::int32_t> where(ids.size());
  {
    nb::gil_scoped_release release;
    find_unique(ids.data(), ids.size(), first_at.data(), n_known, found.data(), where.data());
  }
  return to_numpy(std::move(where));
}

}  // namespace

void define_rows(nb::module_& module) {
  module.def("to_lists", &to_lists, nb::arg("ids").noconvert(),
             nb::arg("offsets").noconvert());
  module.def("bag_predict", &predict, nb::arg("table"), nb::arg("ids").noconvert(),
             nb::arg("offsets").noconvert(), nb::arg("kernel"), nb::arg("bias"), nb::kw_only(),
             nb::arg("sigmoid"));
  module.def("padded_mean", &mean_of_padded, nb::arg("table"), nb::arg("ids").noconvert(),
             nb::arg("mask").none());
  module.def("find_unique", &unique, nb::arg("ids").noconvert(), nb::arg("first_at").noconvert(),
             nb::arg("unique").noconvert(), nb::kw_only(), nb::arg("n_known"));
  module.def("bag_mean", &mean, nb::arg("table"), nb::arg("ids").noconvert(),
             nb::arg("offsets").noconvert());
}

}  // namespace wordrow
