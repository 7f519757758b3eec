// What the kernels share as XLA custom calls. Built only where JAX's headers are found; loading
// needs no JAX.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>

#include "xla/ffi/api/ffi.h"

namespace nb = nanobind;
namespace ffi = xla::ffi;

namespace wordrow {

using Floats = ffi::Buffer<ffi::F32>;
using Ints = ffi::Buffer<ffi::S32>;
using Bools = ffi::Buffer<ffi::PRED>;
using FloatsOut = ffi::Result<Floats>;

// An array without elements means none.
template <class Buffer>
auto data_of(Buffer& buffer) -> decltype(buffer.typed_data()) {
  return buffer.element_count() ? buffer.typed_data() : nullptr;
}
template <class Buffer>
auto data_of(ffi::Result<Buffer>& buffer) -> decltype(buffer->typed_data()) {
  return buffer->element_count() ? buffer->typed_data() : nullptr;
}

inline ffi::Error refuse(const char* expected) { return ffi::Error::InvalidArgument(expected); }

// The size of an axis.
template <class Buffer>
std::size_t size_of(Buffer& buffer, std::size_t axis) {
  return static_cast<std::size_t>(buffer.dimensions()[axis]);
}

template <class Handler>
nb::capsule capsule_of(Handler* handler) {
  return nb::capsule(reinterpret_cast<void*>(handler));
}

// Adds each file's calls by name.
void add_recurrent_calls(nb::dict& calls);
void add_rows_calls(nb::dict& calls);
void add_window_calls(nb::dict& calls);

}  // namespace wordrow
