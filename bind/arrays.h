// NumPy arrays in and out, and Python callbacks during long work.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rows.h"

namespace nb = nanobind;

namespace wordrow {

template <class T, int kDims>
using In = nb::ndarray<const T, nb::ndim<kDims>, nb::c_contig, nb::device::cpu>;
template <class T, int kDims>
using InOut = nb::ndarray<T, nb::ndim<kDims>, nb::c_contig, nb::device::cpu>;
template <class T, int kDims>
using Out = nb::ndarray<nb::numpy, T, nb::ndim<kDims>>;

// Hands a vector to NumPy without copying it.
template <class T>
Out<T, 1> to_numpy(std::vector<T>&& values) {
  auto kept = std::make_unique<std::vector<T>>(std::move(values));
  T* const data = kept->data();
  const std::size_t n = kept->size();
  nb::capsule owner(kept.release(),
                    [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return Out<T, 1>(data, {n}, owner);
}

// The same for a heap-allocated array of any shape.
template <int kDims>
Out<float, kDims> to_numpy(std::unique_ptr<float[]>&& numbers,
                           std::initializer_list<std::size_t> shape) {
  float* const data = numbers.release();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  return Out<float, kDims>(data, shape, owner);
}

inline void require(bool holds, const char* expected) {
  if (!holds) throw std::invalid_argument(expected);
}

// Checks offsets that split items (ids or bytes) into documents or words.
template <class T>
void require_offsets(const In<T, 1>& items, const In<std::int64_t, 1>& offsets) {
  const std::size_t n = offsets.shape(0);
  require(n >= 1 && offsets.data()[0] == 0, "offsets must begin with 0");
  for (std::size_t i = 1; i < n; ++i)
    require(offsets.data()[i] >= offsets.data()[i - 1], "offsets must not fall");
  require(static_cast<std::size_t>(offsets.data()[n - 1]) == items.shape(0),
          "offsets must end with the number of items");
}

// Checks documents given as ids and offsets, and that their ids are in [0, n_rows).
inline void require_bags(const In<std::int32_t, 1>& ids, const In<std::int64_t, 1>& offsets,
                         std::size_t n_rows) {
  require_offsets(ids, offsets);
  require(are_rows(ids.data(), ids.size(), n_rows), "ids must be rows of the table");
}

// Calls into Python from long work that runs without the GIL: handles signals (Ctrl-C) and reports
// progress to the callback, if it is not None. An exception from either stops the work; rethrow()
// raises it then.
class PythonWatch {
 public:
  explicit PythonWatch(nb::object callback) : callback_(std::move(callback)) {}

  template <class... Args>
  bool ask(Args... args) {
    nb::gil_scoped_acquire gil;
    try {
      if (PyErr_CheckSignals() != 0) nb::raise_python_error();
      if (!callback_.is_none()) callback_(args...);
      return true;
    } catch (nb::python_error& error) {
      error_.emplace(std::move(error));
      return false;
    }
  }

  void rethrow() {
    if (error_) throw nb::python_error(std::move(*error_));
  }

 private:
  nb::object callback_;
  std::optional<nb::python_error> error_;
};

}  // namespace wordrow
