// Rows of tables, their means, and the update of whole weights as custom calls.
#include "rows.h"

#include <algorithm>
#include <utility>

#include "optimizer.h"
#include "adam_rows.h"
#include "ffi.h"

namespace wordrow {
namespace {

// Checks bags over padded ids; returns nothing where they fit, else what was expected.
const char* read_bags(Ints& ids, Bools& mask, std::size_t n_rows, PaddedBags* bags) {
  if (ids.dimensions().size() != 2) return "ids must be [B, T]";
  bags->ids = ids.typed_data();
  bags->mask = data_of(mask);
  bags->n_bags = static_cast<std::size_t>(ids.dimensions()[0]);
  bags->n_steps = static_cast<std::size_t>(ids.dimensions()[1]);
  if (bags->mask && mask.element_count() != ids.element_count()) return "the mask must be [B, T]";
  if (!are_rows(bags->ids, ids.element_count(), n_rows)) return "ids must be rows of the table";
  return nullptr;
}

ffi::Error mean_forward(Floats table, Ints ids, Bools mask, FloatsOut out) {
  PaddedBags bags{};
  const auto n_rows = static_cast<std::size_t>(table.dimensions()[0]);
  if (const char* wrong = read_bags(ids, mask, n_rows, &bags)) return refuse(wrong);
  padded_mean(table.typed_data(), static_cast<std::size_t>(table.dimensions()[1]), bags,
              out->typed_data());
  return ffi::Error::Success();
}

ffi::Error mean_backward(Floats dout, Ints ids, Bools mask, FloatsOut dtable) {
  PaddedBags bags{};
  const auto n_rows = static_cast<std::size_t>(dtable->dimensions()[0]);
  if (const char* wrong = read_bags(ids, mask, n_rows, &bags)) return refuse(wrong);
  padded_mean_back(dout.typed_data(), static_cast<std::size_t>(dtable->dimensions()[1]), bags,
                   n_rows, dtable->typed_data());
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(padded_mean_forward, mean_forward,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Bools>().Ret<Floats>());
XLA_FFI_DEFINE_HANDLER(padded_mean_backward, mean_backward,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Bools>().Ret<Floats>());

ffi::Error take(Floats table, Ints ids, FloatsOut rows) {
  if (table.dimensions().size() != 2) return refuse("the table must be [V, D]");
  take_rows(table.typed_data(), size_of(table, 0), size_of(table, 1), ids.typed_data(),
            ids.element_count(), rows->typed_data());
  return ffi::Error::Success();
}

// The output array to change in place: XLA is told that it is the input.
float* in_place(Floats& from, FloatsOut& to) {
  if (from.typed_data() != to->typed_data())
    std::copy_n(from.typed_data(), from.element_count(), to->typed_data());
  return to->typed_data();
}

ffi::Error put(Floats table, Ints ids, Floats rows, FloatsOut changed) {
  if (table.dimensions().size() != 2) return refuse("the table must be [V, D]");
  put_rows(in_place(table, changed), size_of(table, 0), size_of(table, 1), ids.typed_data(),
           ids.element_count(), rows.typed_data());
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(rows_taken, take,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Ret<Floats>());
XLA_FFI_DEFINE_HANDLER(rows_put, put,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Floats>().Ret<Floats>());

ffi::Error finite(Floats x, ffi::Result<Bools> result) {
  result->typed_data()[0] = are_finite(x.typed_data(), x.element_count());
  return ffi::Error::Success();
}

ffi::Error adam(Floats w, Floats m, Floats v, Floats gradient, Floats rates, Bools apply_update,
                FloatsOut new_w, FloatsOut new_m, FloatsOut new_v, float beta_1, float beta_2,
                float new_1, float new_2, float epsilon) {
  const std::size_t n = w.element_count();
  if (m.element_count() != n || v.element_count() != n || gradient.element_count() != n)
    return refuse("a weight, its moments and its gradient must have one shape");
  if (rates.element_count() != 2 || apply_update.element_count() != 1)
    return refuse("rates must be [2]: what weight decay keeps of the weight, and alpha");
  float *const own_w = in_place(w, new_w), *const own_m = in_place(m, new_m);
  float* const own_v = in_place(v, new_v);
  const AdamStep step{
      rates.typed_data()[0], rates.typed_data()[1], epsilon, beta_1, beta_2, new_1, new_2};
  if (apply_update.typed_data()[0]) adam_whole(own_w, own_m, own_v, gradient.typed_data(), n, step);
  return ffi::Error::Success();
}

// Checks stale rows; returns nothing where they fit, else what was expected.
const char* read_stale_rows(Floats& w, Floats& m, Floats& v, Ints& ids, Floats& terms,
                            Floats& decay_m, Floats& decay_v, Floats& keep, float epsilon,
                            StaleRows* stale) {
  if (w.dimensions().size() != 2 || terms.dimensions().size() != 2) return "w must be [V, D]";
  const std::size_t n = ids.element_count();
  *stale = {ids.typed_data(), n, size_of(w, 0), size_of(w, 1), terms.typed_data(),
            decay_m.typed_data(), decay_v.typed_data(), data_of(keep), size_of(terms, 1), epsilon};
  if (m.element_count() != w.element_count() || v.element_count() != w.element_count())
    return "a table and its moments must have one shape";
  if (size_of(terms, 0) != n || decay_m.element_count() != n || decay_v.element_count() != n ||
      (stale->keep && keep.element_count() != n))
    return "what rows missed must have one entry for each id";
  if (stale->n_terms == 0 || stale->n_terms > static_cast<std::size_t>(kMaxTerms))
    return "terms must be [U, P], P from 1 to the most that the core has";
  return nullptr;
}

ffi::Error gather_rows(Floats w, Floats m, Floats v, Ints ids, Floats terms, Floats decay_m,
                       Floats decay_v, Floats keep, FloatsOut rows, float epsilon) {
  StaleRows stale{};
  if (const char* wrong =
          read_stale_rows(w, m, v, ids, terms, decay_m, decay_v, keep, epsilon, &stale))
    return refuse(wrong);
  gather_stale(w.typed_data(), m.typed_data(), v.typed_data(), stale, rows->typed_data());
  return ffi::Error::Success();
}

ffi::Error update_rows(Floats w, Floats m, Floats v, Floats gradient, Ints ids, Floats terms,
                       Floats decay_m, Floats decay_v, Floats keep, Floats rates,
                       Bools apply_update, FloatsOut new_w, FloatsOut new_m, FloatsOut new_v,
                       float beta_1, float beta_2, float new_1, float new_2, float epsilon) {
  StaleRows stale{};
  if (const char* wrong =
          read_stale_rows(w, m, v, ids, terms, decay_m, decay_v, keep, epsilon, &stale))
    return refuse(wrong);
  if (gradient.element_count() != stale.n * stale.dim || rates.element_count() != 2)
    return refuse("the gradient must be [U, D], rates [2]: what weight decay keeps, and alpha");
  float *const own_w = in_place(w, new_w), *const own_m = in_place(m, new_m);
  float* const own_v = in_place(v, new_v);
  const AdamStep step{
      rates.typed_data()[0], rates.typed_data()[1], epsilon, beta_1, beta_2, new_1, new_2};
  if (apply_update.typed_data()[0])
    update_stale(own_w, own_m, own_v, stale, gradient.typed_data(), step);
  return ffi::Error::Success();
}

template <class Binding>
auto with_settings(Binding binding) {
  return std::move(binding)
      .template Ret<Floats>()
      .template Ret<Floats>()
      .template Ret<Floats>()
      .template Attr<float>("beta_1")
      .template Attr<float>("beta_2")
      .template Attr<float>("new_1")
      .template Attr<float>("new_2")
      .template Attr<float>("epsilon");
}

XLA_FFI_DEFINE_HANDLER(finite_call, finite,
                       ffi::Ffi::Bind().Arg<Floats>().Ret<Bools>());
XLA_FFI_DEFINE_HANDLER(adam_call, adam,
                       with_settings(ffi::Ffi::Bind()
                                         .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                         .Arg<Floats>().Arg<Bools>()));
XLA_FFI_DEFINE_HANDLER(gather_stale_call, gather_rows,
                       ffi::Ffi::Bind()
                           .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Ints>()
                           .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                           .Ret<Floats>()
                           .Attr<float>("epsilon"));
XLA_FFI_DEFINE_HANDLER(update_stale_call, update_rows,
                       with_settings(ffi::Ffi::Bind()
                                         .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                         .Arg<Ints>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                         .Arg<Floats>().Arg<Floats>().Arg<Bools>()));

}  // namespace

void add_rows_calls(nb::dict& calls) {
  calls["wordrow_take_rows"] = capsule_of(rows_taken);
  calls["wordrow_put_rows"] = capsule_of(rows_put);
  calls["wordrow_mean_forward"] = capsule_of(padded_mean_forward);
  calls["wordrow_mean_backward"] = capsule_of(padded_mean_backward);
  calls["wordrow_finite"] = capsule_of(finite_call);
  calls["wordrow_adam"] = capsule_of(adam_call);
  calls["wordrow_gather_stale"] = capsule_of(gather_stale_call);
  calls["wordrow_update_stale"] = capsule_of(update_stale_call);
}

}  // namespace wordrow
