#include "texts.h"

#include <nanobind/stl/string.h>

namespace nb = nanobind;

namespace wordrow {
namespace {

PyObject* bad_row_type = nullptr;

std::string kind_of(nb::handle object) { return nb::type_name(object.type()).c_str(); }

}  // namespace

void define_bad_row(nb::module_& module) {
  bad_row_type = PyErr_NewException("wordrow._core.BadRowError", PyExc_ValueError, nullptr);
  module.attr("BadRowError") = nb::handle(bad_row_type);
}

void raise_bad_row(std::ptrdiff_t row, const char* kind, const std::string& detail) {
  const nb::tuple args = nb::make_tuple(row, kind, detail);
  PyErr_SetObject(bad_row_type, args.ptr());
  nb::raise_python_error();
}

TextView view_of(nb::handle text) {
  PyObject* const object = text.ptr();
  const auto length = static_cast<std::size_t>(PyUnicode_GET_LENGTH(object));
  const void* const data = PyUnicode_DATA(object);
  switch (PyUnicode_KIND(object)) {
    case PyUnicode_1BYTE_KIND: return {data, length, Encoding::kLatin1};
    case PyUnicode_2BYTE_KIND: return {data, length, Encoding::kUcs2};
    default: return {data, length, Encoding::kUcs4};
  }
}

std::string to_utf8(nb::handle text) {
  if (!PyUnicode_Check(text.ptr())) throw nb::type_error("expected a str");
  Py_ssize_t n;
  if (const char* const bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &n))
    return {bytes, static_cast<std::size_t>(n)};
  PyErr_Clear();  // a lone surrogate
  const nb::object bytes =
      nb::steal(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass"));
  if (!bytes.is_valid()) nb::raise_python_error();
  return {PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
}

nb::str to_str(std::string_view utf8) {
  PyObject* text = PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()),
                                        "surrogatepass");
  if (!text) nb::raise_python_error();
  return nb::steal<nb::str>(text);
}

void Texts::add_piece(nb::handle text) {
  documents.pieces.push_back(view_of(text));
  owners_.push_back(nb::borrow(text));  // the caller may change the list meanwhile
}

Texts::Texts(nb::handle source) {
  if (is_arrow(source)) {
    column_ = read_arrow(source, documents);
    return;
  }
  const nb::object sequence =
      nb::steal(PySequence_Fast(source.ptr(), "texts must be a list or an Arrow column"));
  if (!sequence.is_valid()) nb::raise_python_error();
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(sequence.ptr());
  for (Py_ssize_t i = 0; i < n; ++i) {
    const nb::handle text = PySequence_Fast_GET_ITEM(sequence.ptr(), i);
    const bool is_tokens = PyList_Check(text.ptr());
    if (is_tokens) {
      for (const nb::handle token : nb::borrow<nb::list>(text)) {
        if (!PyUnicode_Check(token.ptr())) raise_bad_row(i, "token", kind_of(token));
        add_piece(token);
      }
    } else if (PyUnicode_Check(text.ptr())) {
      add_piece(text);
    } else {
      raise_bad_row(i, "type", kind_of(text));
    }
    documents.offsets.push_back(documents.pieces.size());
    documents.is_tokens.push_back(is_tokens);
  }
}

}  // namespace wordrow
