// Convolution, pooling, and flattened rows times a matrix as custom calls.
#include "window.h"

#include "ffi.h"
#include "flat.h"
#include "rows.h"

namespace wordrow {
namespace {

Groups groups_of(Ints& row_indices) {
  return {row_indices.typed_data(), size_of(row_indices, 0), size_of(row_indices, 1)};
}

// Checks windows of width `dim` over rows [R, K * dim], and their pools where there are any;
// returns nothing where they fit, else what was expected.
const char* read_windows(Floats& rows, Ints& row_indices, Floats& bias, std::int32_t activation,
                         Ints* pools, Windows* windows) {
  const Groups steps = groups_of(row_indices);
  if (steps.size == 0 || size_of(rows, 1) % steps.size != 0) return "rows must be [R, K * dim]";
  *windows = {rows.typed_data(), size_of(rows, 0), size_of(rows, 1) / steps.size, data_of(bias),
              steps, static_cast<Activation>(activation)};
  if (windows->bias && size_of(bias, 0) != windows->dim) return "bias must be [dim]";
  if (!are_row_indices(steps, windows->n_rows)) return "row_indices must be rows, or -1";
  if (!pools) return nullptr;
  if (size_of(*pools, 1) == 0) return "a pool must have a window";
  return are_row_indices(groups_of(*pools), steps.n) ? nullptr : "pools must be windows, or -1";
}

ffi::Error sums(Floats rows, Ints row_indices, Floats bias, FloatsOut out,
                std::int32_t activation) {
  Windows windows{};
  if (const char* wrong = read_windows(rows, row_indices, bias, activation, nullptr, &windows))
    return refuse(wrong);
  window_sums(windows, out->typed_data());
  return ffi::Error::Success();
}

ffi::Error sums_back(Floats rows, Ints row_indices, Floats bias, Floats out, Floats dout,
                     FloatsOut drows, FloatsOut dbias, std::int32_t activation) {
  Windows windows{};
  if (const char* wrong = read_windows(rows, row_indices, bias, activation, nullptr, &windows))
    return refuse(wrong);
  window_sums_back(windows, out.typed_data(), dout.typed_data(), drows->typed_data(),
                   data_of(dbias));
  return ffi::Error::Success();
}

ffi::Error largest(Floats rows, Ints row_indices, Floats bias, Ints pools, FloatsOut out,
                   std::int32_t activation) {
  Windows windows{};
  if (const char* wrong = read_windows(rows, row_indices, bias, activation, &pools, &windows))
    return refuse(wrong);
  window_max(windows, groups_of(pools), out->typed_data());
  return ffi::Error::Success();
}

ffi::Error largest_back(Floats rows, Ints row_indices, Floats bias, Ints pools, Floats out,
                        Floats dout, FloatsOut drows, FloatsOut dbias, std::int32_t activation) {
  Windows windows{};
  if (const char* wrong = read_windows(rows, row_indices, bias, activation, &pools, &windows))
    return refuse(wrong);
  window_max_back(windows, groups_of(pools), out.typed_data(), dout.typed_data(),
                  drows->typed_data(), data_of(dbias));
  return ffi::Error::Success();
}

// Checks texts of flattened rows; returns nothing where they fit, else what was expected.
const char* read_flat(Floats& table, Ints& ids, Floats& kernel, FlatTexts* texts) {
  *texts = {table.typed_data(), ids.typed_data(), kernel.typed_data(), size_of(table, 0),
            size_of(table, 1), size_of(ids, 0), size_of(ids, 1), size_of(kernel, 1)};
  if (size_of(kernel, 0) != texts->n_steps * texts->dim) return "kernel must be [T * D, units]";
  return are_rows(texts->ids, ids.element_count(), texts->n_rows) ? nullptr
                                                                  : "ids must be rows of the table";
}

ffi::Error flat(Floats table, Ints ids, Floats kernel, FloatsOut out) {
  FlatTexts texts{};
  if (const char* wrong = read_flat(table, ids, kernel, &texts)) return refuse(wrong);
  flat_product(texts, out->typed_data());
  return ffi::Error::Success();
}

ffi::Error flat_back(Floats table, Ints ids, Floats kernel, Floats dout, FloatsOut dtable,
                     FloatsOut dkernel) {
  FlatTexts texts{};
  if (const char* wrong = read_flat(table, ids, kernel, &texts)) return refuse(wrong);
  flat_product_back(texts, dout.typed_data(), dtable->typed_data(), dkernel->typed_data());
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(sums_call, sums,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Floats>().Ret<Floats>()
                           .Attr<std::int32_t>("activation"));
XLA_FFI_DEFINE_HANDLER(sums_back_call, sums_back,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Floats>().Arg<Floats>()
                           .Arg<Floats>().Ret<Floats>().Ret<Floats>()
                           .Attr<std::int32_t>("activation"));
XLA_FFI_DEFINE_HANDLER(largest_call, largest,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Floats>().Arg<Ints>()
                           .Ret<Floats>().Attr<std::int32_t>("activation"));
XLA_FFI_DEFINE_HANDLER(largest_back_call, largest_back,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Floats>().Arg<Ints>()
                           .Arg<Floats>().Arg<Floats>().Ret<Floats>().Ret<Floats>()
                           .Attr<std::int32_t>("activation"));
XLA_FFI_DEFINE_HANDLER(flat_call, flat,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Floats>().Ret<Floats>());
XLA_FFI_DEFINE_HANDLER(flat_back_call, flat_back,
                       ffi::Ffi::Bind().Arg<Floats>().Arg<Ints>().Arg<Floats>().Arg<Floats>()
                           .Ret<Floats>().Ret<Floats>());

}  // namespace

void add_window_calls(nb::dict& calls) {
  calls["wordrow_window_sums"] = capsule_of(sums_call);
  calls["wordrow_window_sums_back"] = capsule_of(sums_back_call);
  calls["wordrow_window_max"] = capsule_of(largest_call);
  calls["wordrow_window_max_back"] = capsule_of(largest_back_call);
  calls["wordrow_flat_product"] = capsule_of(flat_call);
  calls["wordrow_flat_product_back"] = capsule_of(flat_back_call);
}

}  // namespace wordrow
