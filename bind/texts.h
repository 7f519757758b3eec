// Python's texts as core Documents, read in place.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <string>
#include <vector>

#include "arrow.h"
#include "vocabulary.h"

namespace wordrow {

// Raises wordrow._core.BadRowError(row, kind, detail) for a row that is not text.
[[noreturn]] void raise_bad_row(std::ptrdiff_t row, const char* kind, const std::string& detail);
void define_bad_row(nanobind::module_& module);

// Holds the objects whose memory `documents` points into: a list or tuple
// whose items are strings or lists of strings, or an Arrow column.
class Texts {
 public:
  explicit Texts(nanobind::handle source);
  Documents documents;

 private:
  void add_piece(nanobind::handle text);
  std::vector<nanobind::object> owners_;
  std::unique_ptr<ArrowColumn> column_;
};

TextView view_of(nanobind::handle text);  // of a str
// UTF-8 of a str, and back; lone surrogates come back as they were.
std::string to_utf8(nanobind::handle text);
nanobind::str to_str(std::string_view utf8);

}  // namespace wordrow
