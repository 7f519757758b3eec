#include "nearest.h"

#include "arrays.h"
#include "matrix.h"

namespace wordrow {
namespace {

Out<float, 1> lengths(In<float, 2> table) {
  std::vector<float> out(table.shape(0));
  {
    nb::gil_scoped_release release;
    inverse_lengths(table.data(), table.shape(0), table.shape(1), out.data());
  }
  return to_numpy(std::move(out));
}

// (rows int64 [B, n], scores float32 [B, n]).
nb::tuple nearest(In<float, 2> table, In<float, 1> scales, In<float, 2> queries, std::size_t n) {
  const Directions from{table.data(), scales.data(), table.shape(0), table.shape(1)};
  const std::size_t n_queries = queries.shape(0);
  require(scales.shape(0) == from.n_rows, "scales must be [V]");
  require(queries.shape(1) == from.dim, "queries must be [B, D]");
  require(n <= from.n_rows, "n must not be above the number of rows");
  std::vector<std::int64_t> rows(n_queries * n);
  auto scores = std::make_unique<float[]>(n_queries * n);
  PythonWatch watch{nb::none()};
  try {
    nb::gil_scoped_release release;
    if (n > 0)
      find_nearest(from, queries.data(), n_queries, n, rows.data(), scores.get(),
                   [&] { return watch.ask(); });
  } catch (const Stopped&) {
    watch.rethrow();
    throw;
  }
  auto kept = std::make_unique<std::vector<std::int64_t>>(std::move(rows));
  std::int64_t* const data = kept->data();
  nb::capsule owner(kept.release(), [](void* p) noexcept {
    delete static_cast<std::vector<std::int64_t>*>(p);
  });
  return nb::make_tuple(Out<std::int64_t, 2>(data, {n_queries, n}, owner),
                        to_numpy<2>(std::move(scores), {n_queries, n}));
}

// The rounded rows of a table that the caller keeps.
RoundedRows rounded(In<float, 2> table, In<float, 1> scales) {
  require(scales.shape(0) == table.shape(0), "scales must be [V]");
  nb::gil_scoped_release release;
  return RoundedRows({table.data(), scales.data(), table.shape(0), table.shape(1)});
}

// (rows int64 [n], scores float32 [n]).
nb::tuple nearest_rounded(const RoundedRows& self, In<float, 2> table, In<float, 1> scales,
                          In<float, 1> query, std::size_t n) {
  const Directions from{table.data(), scales.data(), table.shape(0), table.shape(1)};
  require(from.n_rows == self.n_rows() && padded(from.dim) == self.stride(),
          "the table must be the one that was rounded");
  require(scales.shape(0) == from.n_rows, "scales must be [V]");
  require(query.shape(0) == from.dim, "the query must be [D]");
  require(n > 0 && n <= from.n_rows, "n must be from 1 to the number of rows");
  std::vector<std::int64_t> rows(n);
  std::vector<float> scores(n);
  {
    nb::gil_scoped_release release;
    self.find_nearest(from, query.data(), n, rows.data(), scores.data());
  }
  return nb::make_tuple(to_numpy(std::move(rows)), to_numpy(std::move(scores)));
}

}  // namespace

void define_nearest(nb::module_& module) {
  module.def("inverse_lengths", &lengths, nb::arg("table").noconvert());
  nb::class_<RoundedRows>(module, "RoundedRows")
      .def("nearest", &nearest_rounded, nb::arg("table").noconvert(), nb::arg("scales").noconvert(),
           nb::arg("query").noconvert(), nb::arg("n"));
  module.def("round_rows", &rounded, nb::arg("table").noconvert(), nb::arg("scales").noconvert());
  module.def("nearest", &nearest, nb::arg("table").noconvert(), nb::arg("scales").noconvert(),
             nb::arg("queries").noconvert(), nb::arg("n"));
}

}  // namespace wordrow
