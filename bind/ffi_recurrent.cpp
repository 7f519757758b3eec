// Recurrent layers as custom calls.
#include "recurrent.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "ffi.h"
#include "rows.h"

namespace wordrow {
namespace {

// What a forward call leaves for its backward call stays here, and XLA hands on
// its number: as an array of XLA's it would be fresh memory at every step. What
// was used may be asked for again (two equal calls may be made one) until the
// memory is needed for a later call.
class Stash {
 public:
  std::int32_t put(std::unique_ptr<RecurrentSaved> saved) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (entries_.size() >= kMost) entries_.erase(entries_.begin());  // its backward call never came
    entries_.push_back({next_, false, std::move(saved)});
    return next_++;
  }
  // Memory for a new entry: that of one that was used, or new.
  std::unique_ptr<RecurrentSaved> room() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (!entry->is_used) continue;
      std::unique_ptr<RecurrentSaved> found(new RecurrentSaved);
      if (entry->saved.use_count() == 1) std::swap(*found, *entry->saved);
      entries_.erase(entry);
      return found;
    }
    return std::make_unique<RecurrentSaved>();
  }
  std::shared_ptr<RecurrentSaved> find(std::int32_t number) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (Entry& entry : entries_) {
      if (entry.number != number) continue;
      entry.is_used = true;
      return entry.saved;
    }
    return nullptr;
  }

 private:
  static constexpr std::size_t kMost = 64;
  struct Entry {
    std::int32_t number;
    bool is_used;
    std::shared_ptr<RecurrentSaved> saved;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;  // the oldest first
  std::int32_t next_ = 0;
};
Stash& stash() {
  static auto* const one = new Stash;  // never destroyed: XLA's threads may still work at exit
  return *one;
}

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
  if (job->places && !are_rows(job->places, n_all, job->n_rows)) return "places must be rows of z";
  return nullptr;
}

ffi::Error forward(Floats z, Ints places, Bools mask, Floats kernel, Floats recurrent_bias,
                   Floats first_h, Floats first_c, FloatsOut h, FloatsOut c, FloatsOut sequence,
                   ffi::Result<Ints> number, std::int32_t cell, std::int32_t activation,
                   std::int32_t gate, std::int32_t reset_after,
                   std::int32_t n_steps) {
  Recurrent job;
  const auto n_texts = static_cast<std::size_t>(h->dimensions()[0]);
  if (const char* wrong = read_job({cell, activation, gate, reset_after, n_steps}, z, places, mask,
                                   kernel, recurrent_bias, first_h, first_c, n_texts, &job))
    return refuse(wrong);
  std::unique_ptr<RecurrentSaved> saved;
  if (number->element_count() > 0) saved = stash().room();
  run_recurrent(job, {h->typed_data(), data_of(c), data_of(sequence)}, saved.get());
  if (saved) number->typed_data()[0] = stash().put(std::move(saved));
  return ffi::Error::Success();
}

ffi::Error backward(Floats z, Ints places, Bools mask, Floats kernel, Floats recurrent_bias,
                    Floats first_h, Floats first_c, Ints number, Floats dh, Floats dc, Floats dsequence, FloatsOut dz, FloatsOut dkernel,
                    FloatsOut drecurrent_bias, FloatsOut dfirst_h, FloatsOut dfirst_c,
                    std::int32_t cell, std::int32_t activation, std::int32_t gate,
                    std::int32_t reset_after, std::int32_t n_steps) {
  Recurrent job;
  const auto n_texts = static_cast<std::size_t>(dh.dimensions()[0]);
  if (const char* wrong = read_job({cell, activation, gate, reset_after, n_steps}, z, places, mask,
                                   kernel, recurrent_bias, first_h, first_c, n_texts, &job))
    return refuse(wrong);
  const auto saved = number.element_count() ? stash().find(number.typed_data()[0]) : nullptr;
  if (!saved) return refuse("the steps of the way there are gone: its gradient was taken before");
  run_recurrent_back(job, *saved, {dh.typed_data(), data_of(dc), data_of(dsequence)},
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
                                        .Ret<Floats>().Ret<Floats>().Ret<Floats>().Ret<Ints>()));
XLA_FFI_DEFINE_HANDLER(recurrent_backward, backward,
                       with_options(ffi::Ffi::Bind()
                                        .Arg<Floats>().Arg<Ints>().Arg<Bools>().Arg<Floats>()
                                        .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Arg<Ints>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                        .Ret<Floats>().Ret<Floats>().Ret<Floats>()
                                        .Ret<Floats>().Ret<Floats>()));

}  // namespace

void add_recurrent_calls(nb::dict& calls) {
  calls["wordrow_recurrent_forward"] = capsule_of(recurrent_forward);
  calls["wordrow_recurrent_backward"] = capsule_of(recurrent_backward);
}

}  // namespace wordrow
