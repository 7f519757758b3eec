// Recurrent layers as custom calls.
#include "recurrent.h"

#include "ffi.h"
#include "rows.h"

namespace wordrow {
namespace {

struct Options {
  std::int32_t cell, activation, gate, reset_after, n_steps;
};

// Checks what both passes take; returns nothing where it fits, else what was expected.
const char* read_job(const Options& options, Floats& z, Ints& row_indices, Bools& mask,
                     Floats& kernel, Floats& recurrent_bias, Floats& first_h, Floats& first_c,
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
  if (!size_is(row_indices.element_count(), n_all) || !size_is(mask.element_count(), n_all))
    return "row_indices and mask must be [B, T]";
  if (row_indices.element_count() == 0 && job->n_rows != n_all) return "z must have a row a step";
  if (!size_is(first_h.element_count(), n_state) || !size_is(first_c.element_count(), n_state))
    return "states must be [B, U]";
  if (!size_is(recurrent_bias.element_count(), width)) return "recurrent_bias must be [G * U]";
  job->z = z.typed_data();
  job->row_indices = data_of(row_indices);
  job->kernel = kernel.typed_data();
  job->recurrent_bias = data_of(recurrent_bias);
  job->mask = data_of(mask);
  job->first_h = data_of(first_h);
  job->first_c = data_of(first_c);
  if (job->row_indices && !are_rows(job->row_indices, n_all, job->n_rows))
    return "row_indices must be rows of z";
  return nullptr;
}

constexpr const char* kResidualsExpected = "residuals must be [B * T, residual_width]";

std::size_t n_residuals(const Recurrent& job) {
  return job.n_texts * job.n_steps * residual_width(job);
}

ffi::Error forward(Floats z, Ints row_indices, Bools mask, Floats kernel, Floats recurrent_bias,
                   Floats first_h, Floats first_c, FloatsOut h, FloatsOut c, FloatsOut sequence,
                   FloatsOut residuals, std::int32_t cell, std::int32_t activation,
                   std::int32_t gate, std::int32_t reset_after, std::int32_t n_steps) {
  Recurrent job;
  const auto n_texts = static_cast<std::size_t>(h->dimensions()[0]);
  if (const char* wrong = read_job({cell, activation, gate, reset_after, n_steps}, z, row_indices,
                                   mask, kernel, recurrent_bias, first_h, first_c, n_texts, &job))
    return refuse(wrong);
  if (residuals->element_count() != 0 && residuals->element_count() != n_residuals(job))
    return refuse(kResidualsExpected);
  recurrent_forward(job, {h->typed_data(), data_of(c), data_of(sequence)}, data_of(residuals));
  return ffi::Error::Success();
}

ffi::Error backward(Floats z, Ints row_indices, Bools mask, Floats kernel, Floats recurrent_bias,
                    Floats first_h, Floats first_c, Floats residuals, Floats dh, Floats dc,
                    Floats dsequence, FloatsOut dz, FloatsOut dkernel, FloatsOut drecurrent_bias,
                    FloatsOut dfirst_h, FloatsOut dfirst_c, std::int32_t cell,
                    std::int32_t activation, std::int32_t gate, std::int32_t reset_after,
                    std::int32_t n_steps) {
  Recurrent job;
  const auto n_texts = static_cast<std::size_t>(dh.dimensions()[0]);
  if (const char* wrong = read_job({cell, activation, gate, reset_after, n_steps}, z, row_indices,
                                   mask, kernel, recurrent_bias, first_h, first_c, n_texts, &job))
    return refuse(wrong);
  if (residuals.element_count() != n_residuals(job)) return refuse(kResidualsExpected);
  recurrent_backward(job, residuals.typed_data(),
                     {dh.typed_data(), data_of(dc), data_of(dsequence)},
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

XLA_FFI_DEFINE_HANDLER(forward_call, forward,
                       with_options(ffi::Ffi::Bind()
                                        .Arg<Floats>().Arg<Ints>().Arg<Bools>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Ret<Floats>().Ret<Floats>().Ret<Floats>().Ret<Floats>()));
XLA_FFI_DEFINE_HANDLER(backward_call, backward,
                       with_options(ffi::Ffi::Bind()
                                        .Arg<Floats>().Arg<Ints>().Arg<Bools>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Ret<Floats>().Ret<Floats>().Ret<Floats>().Ret<Floats>()
                                        .Ret<Floats>()));

}  // namespace

void add_recurrent_calls(nb::dict& calls) {
  calls["wordrow_recurrent_forward"] = capsule_of(forward_call);
  calls["wordrow_recurrent_backward"] = capsule_of(backward_call);
}

}  // namespace wordrow
