// The core's kernels as XLA's custom calls, for training under JAX on a CPU.
// Built where JAX's headers are; it needs no JAX to load.
#include <nanobind/nanobind.h>

#include <cstdint>

#include "recurrent.h"
#include "xla/ffi/api/ffi.h"

namespace nb = nanobind;
namespace ffi = xla::ffi;

namespace wordrow {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Ints = ffi::Buffer<ffi::S32>;
using Bools = ffi::Buffer<ffi::PRED>;
using FloatsOut = ffi::Result<Floats>;

// An array without elements stands for none.
template <class Buffer>
auto data_of(Buffer& buffer) -> decltype(buffer.typed_data()) {
  return buffer.element_count() ? buffer.typed_data() : nullptr;
}
template <class Buffer>
auto data_of(ffi::Result<Buffer>& buffer) -> decltype(buffer->typed_data()) {
  return buffer->element_count() ? buffer->typed_data() : nullptr;
}

ffi::Error refuse(const char* expected) { return ffi::Error::InvalidArgument(expected); }

struct Options {
  std::int32_t cell, activation, gate, reset_after, n_steps;
};

// What both ways take, checked: an empty message means that it fits.
const char* read_job(const Options& options, Floats& z, Ints& places, Bools& mask, Floats& kernel,
                     Floats& recurrent_bias, Floats& first_h, Floats& first_c,
                     std::size_t n_texts, Recurrent* job) {
  job->cell = static_cast<Cell>(options.cell);
  job->activations = {static_cast<Activation>(options.activation),
                      static_cast<Activation>(options.gate)};
  job->reset_after = options.reset_after != 0;
  if (z.dimensions().size() != 2 || kernel.dimensions().size() != 2)
    return "z must be [rows, G * U], kernel [U, G * U]";
  job->n_texts = n_texts;
  job->n_steps = static_cast<std::size_t>(options.n_steps);
  job->n_units = static_cast<std::size_t>(kernel.dimensions()[0]);
  job->n_rows = static_cast<std::size_t>(z.dimensions()[0]);
  const std::size_t width = n_gates(job->cell) * job->n_units;
  const auto size_is = [](std::size_t found, std::size_t wanted) {
    return found == 0 || found == wanted;
  };
  const std::size_t n_all = job->n_texts * job->n_steps, n_state = job->n_texts * job->n_units;
  if (static_cast<std::size_t>(z.dimensions()[1]) != width || kernel.element_count() != job->n_units * width)
    return "z and kernel must have G * U columns";
  if (!size_is(places.element_count(), n_all) || !size_is(mask.element_count(), n_all))
    return "places and mask must be [B, T]";
  if (places.element_count() == 0 && job->n_rows != n_all) return "z must have a row a step";
  if (!size_is(first_h.element_count(), n_state) || !size_is(first_c.element_count(), n_state))
    return "states must be [B, U]";
  if (!size_is(recurrent_bias.element_count(), width)) return "recurrent_bias must be [G * U]";
  job->z = z.typed_data();
  job->places = data_of(places);
  job->kernel = kernel.typed_data();
  job->recurrent_bias = data_of(recurrent_bias);
  job->mask = data_of(mask);
  job->first_h = data_of(first_h);
  job->first_c = data_of(first_c);
  if (job->places)
    for (std::size_t i = 0; i < n_all; ++i)
      if (job->places[i] < 0 || static_cast<std::size_t>(job->places[i]) >= job->n_rows)
        return "places must be rows of z";
  return nullptr;
}

ffi::Error forward(Floats z, Ints places, Bools mask, Floats kernel, Floats recurrent_bias,
                   Floats first_h, Floats first_c, FloatsOut h, FloatsOut c, FloatsOut sequence,
                   FloatsOut gates, FloatsOut inner, FloatsOut before, std::int32_t cell,
                   std::int32_t activation, std::int32_t gate, std::int32_t reset_after,
                   std::int32_t n_steps) {
  Recurrent job;
  const auto n_texts = static_cast<std::size_t>(h->dimensions()[0]);
  if (const char* wrong = read_job({cell, activation, gate, reset_after, n_steps}, z, places, mask,
                                   kernel, recurrent_bias, first_h, first_c, n_texts, &job))
    return refuse(wrong);
  const bool saves = gates->element_count() > 0;
  if (saves && gates->element_count() != n_saved(job) * saved_width(job))
    return refuse("gates must be [n_saved, saved_width]");
  const RecurrentSaved saved{data_of(gates), data_of(inner), data_of(before)};
  run_recurrent(job, {h->typed_data(), data_of(c), data_of(sequence)}, saves ? &saved : nullptr);
  return ffi::Error::Success();
}

ffi::Error backward(Floats z, Ints places, Bools mask, Floats kernel, Floats recurrent_bias,
                    Floats first_h, Floats first_c, Floats gates, Floats inner, Floats before,
                    Floats dh, Floats dc, Floats dsequence, FloatsOut dz, FloatsOut dkernel,
                    FloatsOut drecurrent_bias, FloatsOut dfirst_h, FloatsOut dfirst_c,
                    std::int32_t cell, std::int32_t activation, std::int32_t gate,
                    std::int32_t reset_after, std::int32_t n_steps) {
  Recurrent job;
  const auto n_texts = static_cast<std::size_t>(dh.dimensions()[0]);
  if (const char* wrong = read_job({cell, activation, gate, reset_after, n_steps}, z, places, mask,
                                   kernel, recurrent_bias, first_h, first_c, n_texts, &job))
    return refuse(wrong);
  const RecurrentSaved saved{gates.typed_data(), inner.typed_data(), before.typed_data()};
  run_recurrent_back(job, saved, {dh.typed_data(), data_of(dc), data_of(dsequence)},
                     {dz->typed_data(), dkernel->typed_data(), data_of(drecurrent_bias),
                      data_of(dfirst_h), data_of(dfirst_c)});
  return ffi::Error::Success();
}

template <class Binding>
auto with_options(Binding binding) {
  return std::move(binding)
      .template Attr<std::int32_t>("cell")
      .template Attr<std::int32_t>("activation")
      .template Attr<std::int32_t>("gate")
      .template Attr<std::int32_t>("reset_after")
      .template Attr<std::int32_t>("n_steps");
}

XLA_FFI_DEFINE_HANDLER(recurrent_forward, forward,
                       with_options(ffi::Ffi::Bind()
                                        .Arg<Floats>().Arg<Ints>().Arg<Bools>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Ret<Floats>().Ret<Floats>().Ret<Floats>()
                                        .Ret<Floats>().Ret<Floats>().Ret<Floats>()));
XLA_FFI_DEFINE_HANDLER(recurrent_backward, backward,
                       with_options(ffi::Ffi::Bind()
                                        .Arg<Floats>().Arg<Ints>().Arg<Bools>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Ret<Floats>().Ret<Floats>().Ret<Floats>()
                                        .Ret<Floats>().Ret<Floats>()));

template <class Handler>
nb::capsule capsule_of(Handler* handler) {
  return nb::capsule(reinterpret_cast<void*>(handler));
}

}  // namespace

nb::dict ffi_targets() {
  nb::dict targets;
  targets["wordrow_recurrent_forward"] = capsule_of(recurrent_forward);
  targets["wordrow_recurrent_backward"] = capsule_of(recurrent_backward);
  return targets;
}

}  // namespace wordrow
