#include "row_file.h"

#include <nanobind/stl/optional.h>

#include <algorithm>
#include <utility>

#include "arrays.h"
#include "texts.h"

namespace wordrow {
namespace {

PyObject* bad_vector_type = nullptr;

// Raises wordrow._core.BadVectorError(reason, number, byte, found).
[[noreturn]] void raise_bad_vector(const BadRow& bad) {
  const nb::tuple args =
      nb::make_tuple(bad.what(), bad.number, bad.byte, nb::bytes(bad.found.data(), bad.found.size()));
  PyErr_SetObject(bad_vector_type, args.ptr());
  nb::raise_python_error();
}

// A reader, and the words that it looks for.
struct Reading {
  Reading(const RowChoice& choice, std::size_t likely_rows, nb::object wanted_)
      : wanted(std::move(wanted_)), reader(choice, likely_rows) {}
  nb::object wanted;
  RowReader reader;
};

void begin(Reading* self, std::size_t dim, std::size_t likely_rows, std::optional<std::size_t> most,
           nb::object wanted, bool folds, bool replaces, bool skips) {
  require(dim > 0 && dim < std::size_t{1} << 24, "dim must be from 1 to 2^24 - 1");
  require(likely_rows < std::size_t{1} << 32, "likely_rows must be below 2^32");
  RowChoice choice;
  choice.dim = dim;
  if (most) choice.most = *most;
  if (!wanted.is_none()) choice.wanted = nb::cast<const Words*>(wanted);
  choice.folds = folds;
  choice.replaces = replaces;
  choice.skips = skips;
  new (self) Reading(choice, likely_rows, std::move(wanted));
}

// The first n bytes of a buffer, which must be larger by the reader's padding.
std::size_t read(Reading& self, InOut<std::uint8_t, 1> buffer, std::size_t n, bool is_last,
                 bool is_binary, nb::object callback) {
  require(buffer.size() >= n + RowReader::kPadding, "there must be room behind the bytes");
  char* const data = reinterpret_cast<char*>(buffer.data());
  data[n] = '\n';
  PythonWatch watch(std::move(callback));
  try {
    nb::gil_scoped_release release;
    if (is_binary) return self.reader.read_entries(data, n, is_last);
    return self.reader.read_lines(data, n, is_last, [&] { return watch.ask(); });
  } catch (const BadRow& bad) {
    raise_bad_vector(bad);
  } catch (const Stopped&) {
    watch.rethrow();
    throw;
  }
}

// (words, rows [V, D]): moves what was read out of the reader.
nb::tuple end(Reading& self) {
  const std::size_t n_rows = self.reader.words.size(), dim = self.reader.dim();
  require(self.reader.rows.size() == n_rows * dim, "a reader ends once");
  float* const data = self.reader.rows.release();
  nb::capsule owner(data, [](void* p) noexcept { std::free(p); });
  return nb::make_tuple(std::exchange(self.reader.words, Words{}),
                        Out<float, 2>(data, {n_rows, dim}, owner));
}

// (words, labels, counts, bytes read).
nb::tuple dictionary(In<std::uint8_t, 1> data, std::size_t n, bool replaces) {
  Dictionary read;
  std::size_t n_bytes;
  try {
    nb::gil_scoped_release release;
    n_bytes = read_dictionary(reinterpret_cast<const char*>(data.data()), data.size(), n, replaces,
                              read);
  } catch (const BadRow& bad) {
    raise_bad_vector(bad);
  }
  return nb::make_tuple(std::move(read.words), std::move(read.labels),
                        to_numpy(std::move(read.counts)), n_bytes);
}

nb::bytes lines(nb::object words, In<float, 2> rows, std::size_t begin, std::size_t end, char gap) {
  const Words* const named = words.is_none() ? nullptr : nb::cast<const Words*>(words);
  require(!named || rows.shape(0) == named->size(), "one row a word");
  require(begin <= end && end <= rows.shape(0), "begin and end must be rows");
  std::string out;
  {
    nb::gil_scoped_release release;
    write_lines(named, rows.data(), rows.shape(1), begin, end, gap, out);
  }
  return nb::bytes(out.data(), out.size());
}

}  // namespace

void define_row_file(nb::module_& module) {
  bad_vector_type = PyErr_NewException("wordrow._core.BadVectorError", PyExc_ValueError, nullptr);
  module.attr("BadVectorError") = nb::handle(bad_vector_type);
  nb::class_<Reading>(module, "RowReader")
      .def("__init__", &begin, nb::kw_only(), nb::arg("dim"), nb::arg("likely_rows"),
           nb::arg("most").none(), nb::arg("wanted").none(), nb::arg("folds"), nb::arg("replaces"),
           nb::arg("skips"))
      .def("read", &read, nb::arg("buffer").noconvert(), nb::arg("n"), nb::kw_only(),
           nb::arg("is_last"), nb::arg("is_binary"), nb::arg("watch").none() = nb::none())
      .def("end", &end)
      .def_prop_ro("is_full", [](const Reading& self) { return self.reader.is_full(); })
      .def_prop_ro("n_seen", [](const Reading& self) { return self.reader.n_seen; })
      .def_prop_ro("n_repeated", [](const Reading& self) { return self.reader.n_repeated; })
      .def_prop_ro("n_skipped", [](const Reading& self) { return self.reader.n_skipped; })
      .def_prop_ro("n_numbered", [](const Reading& self) { return self.reader.n_numbered; })
      .def_prop_ro("first_numbered",
                   [](const Reading& self) { return to_str(self.reader.first_numbered); })
      .def_prop_ro("first_repeated",
                   [](const Reading& self) { return to_str(self.reader.first_repeated); });
  module.def("read_dictionary", &dictionary, nb::arg("data").noconvert(), nb::arg("n"),
             nb::kw_only(), nb::arg("replaces"));
  module.def("row_lines", &lines, nb::arg("words").none(), nb::arg("rows").noconvert(),
             nb::arg("begin"), nb::arg("end"), nb::arg("gap") = ' ');
  module.attr("ROW_PADDING") = RowReader::kPadding;
}

}  // namespace wordrow
