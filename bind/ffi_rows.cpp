// Rows of tables, their means, and the update of whole weights as custom calls.
#include "rows.h"

#include <algorithm>
#include <utility>

#include "optimizer.h"
#include "adam_rows.h"
#include "ffi.h"

namespace wordrow {
namespace {

// Bags over padded ids, checked; an empty message means that they fit.
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

// What comes out is the array that goes in: XLA is told so.
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

ffi::Error finite(Floats x, ffi::Result<Bools> answer) {
  answer->typed_data()[0] = are_finite(x.typed_data(), x.element_count());
  return ffi::Error::Success();
}

ffi::Error adam(Floats w, Floats m, Floats v, Floats gradient, Floats numbers, Bools goes_on,
                FloatsOut new_w, FloatsOut new_m, FloatsOut new_v, float beta_1, float beta_2,
                float new_1, float new_2, float epsilon) {
  const std::size_t n = w.element_count();
  if (m.element_count() != n || v.element_count() != n || gradient.element_count() != n)
    return refuse("a weight, its moments and its gradient must have one shape");
  if (numbers.element_count() != 2 || goes_on.element_count() != 1)
    return refuse("numbers must be what is kept of the weight, and alpha");
  float *const own_w = in_place(w, new_w), *const own_m = in_place(m, new_m);
  float* const own_v = in_place(v, new_v);
  const AdamStep step{numbers.typed_data()[0], numbers.typed_data()[1], epsilon,
                      beta_1, beta_2, new_1, new_2};
  if (goes_on.typed_data()[0]) adam_whole(own_w, own_m, own_v, gradient.typed_data(), n, step);
  return ffi::Error::Success();
}

// What rows of a table missed, checked; an empty message means that it fits.
const char* read_resting_rows(Floats& w, Floats& m, Floats& v, Ints& ids, Floats& terms,
                              Floats& fade_m, Floats& fade_v, Floats& keep, float epsilon,
                              RestingRows* resting) {
  if (w.dimensions().size() != 2 || terms.dimensions().size() != 2) return "w must be [V, D]";
  const std::size_t n = ids.element_count();
  *resting = {ids.typed_data(), n, size_of(w, 0), size_of(w, 1), terms.typed_data(),
              fade_m.typed_data(), fade_v.typed_data(), data_of(keep), size_of(terms, 1), epsilon};
  if (m.element_count() != w.element_count() || v.element_count() != w.element_count())
    return "a table and its moments must have one shape";
  if (size_of(terms, 0) != n || fade_m.element_count() != n || fade_v.element_count() != n ||
      (resting->keep && keep.element_count() != n))
    return "what rows missed must have one entry for each id";
  if (resting->n_terms == 0 || resting->n_terms > static_cast<std::size_t>(kMaxTerms))
    return "there must be one term or more, and no more than the core has";
  return nullptr;
}

ffi::Error read_rest(Floats w, Floats m, Floats v, Ints ids, Floats terms, Floats fade_m,
                     Floats fade_v, Floats keep, FloatsOut rows, float epsilon) {
  RestingRows resting{};
  if (const char* wrong =
          read_resting_rows(w, m, v, ids, terms, fade_m, fade_v, keep, epsilon, &resting))
    return refuse(wrong);
  read_resting(w.typed_data(), m.typed_data(), v.typed_data(), resting, rows->typed_data());
  return ffi::Error::Success();
}

ffi::Error update_rest(Floats w, Floats m, Floats v, Floats gradient, Ints ids, Floats terms,
                       Floats fade_m, Floats fade_v, Floats keep, Floats numbers, Bools goes_on,
                       FloatsOut new_w, FloatsOut new_m, FloatsOut new_v, float beta_1,
                       float beta_2, float new_1, float new_2, float epsilon) {
  RestingRows resting{};
  if (const char* wrong =
          read_resting_rows(w, m, v, ids, terms, fade_m, fade_v, keep, epsilon, &resting))
    return refuse(wrong);
  if (gradient.element_count() != resting.n * resting.dim || numbers.element_count() != 2)
    return refuse("the gradient must be [U, D], numbers what is kept and alpha");
  float *const own_w = in_place(w, new_w), *const own_m = in_place(m, new_m);
  float* const own_v = in_place(v, new_v);
  const AdamStep step{numbers.typed_data()[0], numbers.typed_data()[1], epsilon,
                      beta_1, beta_2, new_1, new_2};
  if (goes_on.typed_data()[0])
    update_resting(own_w, own_m, own_v, resting, gradient.typed_data(), step);
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
XLA_FFI_DEFINE_HANDLER(read_rest_call, read_rest,
                       ffi::Ffi::Bind()
                           .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Ints>()
                           .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                           .Ret<Floats>().Attr<float>("epsilon"));
XLA_FFI_DEFINE_HANDLER(update_rest_call, update_rest,
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
  calls["wordrow_read_resting"] = capsule_of(read_rest_call);
  calls["wordrow_update_resting"] = capsule_of(update_rest_call);
}

}  // namespace wordrow
