// Arrow string columns, read in place through the Arrow PyCapsule interface.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "vocabulary.h"

namespace wordrow {

// Keeps the memory of an Arrow column alive.
class ArrowColumn {
 public:
  virtual ~ArrowColumn() = default;
};

bool is_arrow(nanobind::handle object);

// Adds a document for each row of a string column: utf8, large_utf8,
// utf8_view, dictionaries of these, or a struct of one of these, in chunks or
// not. Throws BadRowError for a null and std::invalid_argument for other types.
std::unique_ptr<ArrowColumn> read_arrow(nanobind::handle object, Documents& documents);

}  // namespace wordrow
