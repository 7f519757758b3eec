#include "rows.h"

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
  float* const data = out.release();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  return Out<float, 2>(data, {n, dim}, owner);
}

}  // namespace

void define_rows(nb::module_& module) {
  module.def("bag_mean", &mean, nb::arg("table"), nb::arg("ids"), nb::arg("offsets"));
}

}  // namespace wordrow
