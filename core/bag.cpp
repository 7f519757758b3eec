#include "bag.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>

namespace wordrow {

// ---- layout -------------------------------------------------------------

namespace {

constexpr std::size_t kParts = BagDocuments::kParts;

// Counts the uses of each row in one document; returns how many ids it has. rows[0 : *n_rows] are
// the distinct rows. counts [V] must be zeros, and rows have room for one more than there are ids.
WORDROW_NOINLINE std::uint32_t count_rows(const std::int32_t* id, const std::int32_t* end,
                                          bool skips_zeros, std::uint32_t* counts,
                                          std::uint32_t* rows, std::uint32_t* n_rows) {
  constexpr std::ptrdiff_t kAhead = 16;
  std::uint32_t n = 0, n_ids = 0;
  for (; id != end; ++id) {
    if (end - id > kAhead) prefetch_address(counts + id[kAhead]);
    if (skips_zeros && *id == 0) continue;
    const auto row = static_cast<std::uint32_t>(*id);
    rows[n] = row;  // new or not: a branch would often be mispredicted
    n += counts[row] == 0;
    ++counts[row];
    ++n_ids;
  }
  *n_rows = n;
  return n_ids;
}

}  // namespace

BagDocuments::BagDocuments(const std::int32_t* ids, const std::int64_t* offsets,
                           std::size_t n_documents, std::size_t n_rows, bool skips_zeros)
    : documents_(n_documents) {
  constexpr std::size_t kDocumentsPerTask = 1024;
  uses_.resize((n_documents + kDocumentsPerTask - 1) / kDocumentsPerTask);
  std::atomic<std::size_t> next{0};
  // One task a thread: each holds a table of all rows.
  parallel_for(static_cast<std::size_t>(n_threads()), [&](std::size_t) {
    LargeVector<std::uint32_t> counts(n_rows, 0);
    std::vector<std::uint32_t> rows;
    for (std::size_t task; (task = next.fetch_add(1)) < uses_.size();) {
      const std::size_t first = task * kDocumentsPerTask;
      const std::size_t last = std::min(n_documents, first + kDocumentsPerTask);
      LargeVector<Use>& out = uses_[task];
      out.reserve(static_cast<std::size_t>(offsets[last] - offsets[first]) + kBehind);
      for (std::size_t i = first; i < last; ++i) {
        const auto length = static_cast<std::size_t>(offsets[i + 1] - offsets[i]);
        if (rows.size() <= length) rows.resize(length + 1);
        std::uint32_t n_found = 0, begins[kParts] = {}, begin = 0;
        const std::uint32_t n_ids = count_rows(ids + offsets[i], ids + offsets[i + 1], skips_zeros,
                                               counts.data(), rows.data(), &n_found);
        for (std::uint32_t r = 0; r < n_found; ++r)
          begins[rows[r] % kParts] += Use::needed(counts[rows[r]]);
        Document& own = documents_[i];
        own.uses = out.data() + out.size();
        own.scale = n_ids ? 1.0f / static_cast<float>(n_ids) : 0.0f;
        for (std::size_t p = 0; p < kParts; ++p) {
          const std::uint32_t size = begins[p];
          begins[p] = begin;
          own.ends[p] = begin += size;
        }
        Use* const to = out.data() + out.size();
        out.resize(out.size() + begin);
        for (std::uint32_t r = 0; r < n_found; ++r) {
          const auto row = static_cast<std::uint32_t>(rows[r] / kParts);
          std::uint32_t& at = begins[rows[r] % kParts];
          std::uint32_t left = std::exchange(counts[rows[r]], 0);
          for (; left > Use::kMax; left -= Use::kMax) to[at++] = Use(row, Use::kMax);
          to[at++] = Use(row, left);
        }
      }
      out.resize(out.size() + kBehind);
    }
  });
}

// ---- training -----------------------------------------------------------

namespace {

struct Batch {
  const std::int64_t* documents;
  std::size_t size;
  std::size_t document(std::size_t i) const { return static_cast<std::size_t>(documents[i]); }
};

// One group of rows, and what a batch does with it. Row r of the group is row r * kParts + part of
// the table. Only the thread that works on the group touches it.
struct Part {
  struct Seen {
    std::int32_t step;  // the step that last used a row, as in RowTable::last
    std::uint32_t n;    // during `transpose`: uses of the row, then where the next one goes
  };
  std::vector<Seen> seen;
  std::vector<float> sums;             // [batch, dim]: this group's share of each document's sum,
                                       // or its largest
  std::vector<std::uint32_t> largest;  // [batch, dim]: the slot of the largest row
  std::vector<std::uint32_t> rows;     // the batch's distinct rows, in order of first use
  std::vector<std::int32_t> last;      // the step that last used each of them
  std::vector<std::uint32_t> ends;     // row s is in documents[ends[s - 1] : ends[s]]
  std::vector<BagUse> documents;       // by row: where in the batch it is used
  std::vector<float> gradient;         // [dim]
  std::uint32_t n_rows = 0;

  // Turns the batch's documents, each a list of rows, into rows, each with a list of documents.
  // step: this batch's.
  void transpose(const BagDocuments& all, const Batch& batch, std::size_t part, std::int32_t step);
};

// The inner loops of `transpose`, not inlined so that everything stays in registers.
WORDROW_NOINLINE std::uint32_t count_uses(const BagDocuments::Use* use,
                                          const BagDocuments::Use* end, Part::Seen* seen,
                                          std::uint32_t* rows, std::uint32_t n) {
  for (; use != end; ++use) {
    prefetch_address(seen + use[BagDocuments::kBehind].row());
    Part::Seen& own = seen[use->row()];
    rows[n] = use->row();  // new or not, as above
    n += own.n == 0;
    ++own.n;
  }
  return n;
}

WORDROW_NOINLINE void place_uses(const BagDocuments::Use* use, const BagDocuments::Use* end,
                                 Part::Seen* seen, BagUse* uses, std::uint32_t document) {
  for (; use != end; ++use)
    uses[seen[use->row()].n++] = {document, static_cast<float>(use->count())};
}

void Part::transpose(const BagDocuments& all, const Batch& batch, std::size_t part,
                     std::int32_t step) {
  n_rows = 0;
  for (std::size_t i = 0; i < batch.size; ++i) {
    if (i + 8 < batch.size) all.prefetch_soon(batch.document(i + 8));
    if (i + 4 < batch.size) all.prefetch(batch.document(i + 4), part);
    const std::size_t document = batch.document(i);
    n_rows = count_uses(all.begin(document, part), all.end(document, part), seen.data(),
                        rows.data(), n_rows);
  }
  std::uint32_t begin = 0;
  for (std::uint32_t s = 0; s < n_rows; ++s) {
    std::uint32_t& n = seen[rows[s]].n;
    begin += n;
    n = begin - n;
  }
  for (std::size_t i = 0; i < batch.size; ++i) {
    const std::size_t document = batch.document(i);
    place_uses(all.begin(document, part), all.end(document, part), seen.data(), documents.data(),
               static_cast<std::uint32_t>(i));
  }
  for (std::uint32_t s = 0; s < n_rows; ++s) {
    Seen& row = seen[rows[s]];
    ends[s] = row.n;
    last[s] = row.step;
    row = {step, 0};
  }
}

class Trainer {
 public:
  Trainer(const BagModel& model, const BagDocuments& documents, const BagLabels& labels,
          std::size_t batch_size);
  // Writes the steps that last used rows back to the table.
  void put_back();
  // Makes room for a batch, so that nothing is allocated in a gang.
  void reserve(const Batch& batch);

  // The three phases of a step. All parts, then all documents, then all parts
  // and all dense rows: a document needs every part's sums, a part needs every
  // document's gradient. A part may begin the next step before others have
  // ended this one, since it always belongs to the same thread.
  void sum_rows(std::size_t part, const Batch& batch, const RowOptimizer& optimizer);
  void forward(std::size_t i, const Batch& batch, std::int32_t step);
  void update_rows(std::size_t part, const RowOptimizer& optimizer);
  void update_dense(std::size_t first, std::size_t last, const Batch& batch,
                    const RowOptimizer& optimizer, std::vector<float>& gradient);

  // Whether every document's loss is finite; and what to do with the rows if not.
  bool is_finite(const Batch& batch) const;
  void leave_rows(std::size_t part, const RowOptimizer& optimizer);

  void add_to(BagResult& result, const Batch& batch) const;

 private:
  // Pools a document's rows into hidden_, with the derivative of each value in hidden_gradients_.
  void pool(std::size_t i, std::size_t document, std::int32_t step);
  void sigmoid_loss(std::size_t i, std::size_t document);
  void softmax_loss(std::size_t i, std::int32_t label);
  void add_largest(Part& part, std::size_t slot, std::uint32_t begin, const float* row);
  void gradient_of_largest(const Part& part, std::size_t p, std::size_t slot, std::uint32_t begin,
                           float* gradient) const;
  std::size_t row_of(const Part& part, std::size_t p, std::size_t slot) const {
    return part.rows[slot] * kParts + p;
  }

  static constexpr std::size_t kAhead = 6;  // rows to prefetch
  const BagModel& model_;
  const BagDocuments& documents_;
  const BagLabels labels_;
  const std::size_t dim_, units_;
  std::vector<float> hidden_, hidden_gradients_;  // [batch, dim]
  std::vector<float> logits_;                     // [batch, units], then their gradients
  std::vector<float> losses_;                     // [batch]
  std::vector<std::int32_t> correct_;             // [batch]
  std::vector<std::uint8_t> owner_;               // [batch, dim]: the part with the largest row
  Part parts_[kParts];
};

Trainer::Trainer(const BagModel& model, const BagDocuments& documents, const BagLabels& labels,
                 std::size_t batch_size)
    : model_(model), documents_(documents), labels_(labels), dim_(model.table.dim),
      units_(model.n_units), hidden_(batch_size * dim_),
      hidden_gradients_(batch_size * dim_), logits_(batch_size * units_), losses_(batch_size),
      correct_(batch_size) {
  if (model.pooling == Pooling::kMax) owner_.resize(batch_size * dim_);
  for (Part& part : parts_) {
    part.seen.resize(model.table.n_rows / kParts + 1, Part::Seen{0, 0});
    part.sums.resize(batch_size * dim_);
    if (model.pooling == Pooling::kMax) part.largest.resize(batch_size * dim_);
    part.gradient.resize(dim_);
  }
  for (std::size_t row = 0; row < model.table.n_rows; ++row)
    parts_[row % kParts].seen[row / kParts].step = model.table.last[row];
}

void Trainer::put_back() {
  for (std::size_t row = 0; row < model_.table.n_rows; ++row)
    model_.table.last[row] = parts_[row % kParts].seen[row / kParts].step;
}

void Trainer::reserve(const Batch& batch) {
  for (std::size_t p = 0; p < kParts; ++p) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < batch.size; ++i)
      n += static_cast<std::size_t>(documents_.end(batch.document(i), p) -
                                    documents_.begin(batch.document(i), p));
    Part& part = parts_[p];
    if (part.rows.size() >= ++n) continue;  // one more is written, and not used
    part.last.resize(n);
    part.documents.resize(n);
    for (auto* list : {&part.rows, &part.ends}) list->resize(n);
  }
}

void Trainer::sum_rows(std::size_t p, const Batch& batch, const RowOptimizer& optimizer) {
  const Kernels& kernel = kernels();
  const RowTable& table = model_.table;
  Part& part = parts_[p];
  part.transpose(documents_, batch, p, optimizer.step() + 1);
  const bool has_max = model_.pooling == Pooling::kMax;
  std::fill_n(part.sums.begin(), batch.size * dim_,
              has_max ? -std::numeric_limits<float>::infinity() : 0.0f);
  std::uint32_t begin = 0;
  for (std::size_t s = 0; s < part.n_rows; ++s) {
    if (s + kAhead < part.n_rows) optimizer.prefetch(table, row_of(part, p, s + kAhead));
    const std::size_t row = row_of(part, p, s);
    optimizer.apply_missed(table, row, part.last[s]);
    if (has_max)
      add_largest(part, s, begin, table.w + row * table.stride);
    else
      kernel.add_to_each(part.sums.data(), part.documents.data() + begin, part.ends[s] - begin,
                         table.w + row * table.stride, dim_);
    begin = part.ends[s];
  }
}

void Trainer::add_largest(Part& part, std::size_t slot, std::uint32_t begin, const float* row) {
  for (std::uint32_t use = begin; use < part.ends[slot]; ++use) {
    const std::size_t at = part.documents[use].at * dim_;
    for (std::size_t d = 0; d < dim_; ++d) {
      if (row[d] <= part.sums[at + d]) continue;
      part.sums[at + d] = row[d];
      part.largest[at + d] = static_cast<std::uint32_t>(slot);
    }
  }
}

// A pseudorandom number in [0, 1) of all these (Steele et al. 2014, "Fast Splittable
// Pseudorandom Number Generators": SplitMix64).
double drawn(std::uint64_t seed, std::uint64_t step, std::uint64_t i, std::uint64_t d) {
  std::uint64_t x = seed;
  for (const std::uint64_t more : {step, i, d}) {
    x += 0x9e3779b97f4a7c15u * (more + 1);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
  }
  return static_cast<double>(x >> 11) * 0x1p-53;
}

void Trainer::pool(std::size_t i, std::size_t document, std::int32_t step) {
  const float scale = documents_.scale(document);
  const std::size_t at = i * dim_;
  float *const hidden = hidden_.data() + at, *const share = hidden_gradients_.data() + at;
  std::fill_n(hidden, dim_, 0.0f);
  if (model_.pooling == Pooling::kMean) {
    for (const Part& part : parts_) kernels().add(hidden, part.sums.data() + at, dim_, scale);
    std::fill_n(share, dim_, scale);
  } else if (scale == 0) {
    std::fill_n(share, dim_, 0.0f);  // an empty document has no largest row
  } else {
    std::fill_n(share, dim_, 1.0f);
    for (std::size_t d = 0; d < dim_; ++d) {
      std::size_t best = 0;
      for (std::size_t p = 1; p < kParts; ++p)
        if (parts_[p].sums[at + d] > parts_[best].sums[at + d]) best = p;
      owner_[at + d] = static_cast<std::uint8_t>(best);
      hidden[d] = parts_[best].sums[at + d];
    }
  }
  if (model_.dropout == 0) return;
  const float kept = 1.0f / static_cast<float>(1 - model_.dropout);
  for (std::size_t d = 0; d < dim_; ++d) {
    const bool stays =
        drawn(model_.seed, static_cast<std::uint64_t>(step), i, d) >= model_.dropout;
    hidden[d] *= stays ? kept : 0.0f;
    share[d] *= stays ? kept : 0.0f;
  }
}

void Trainer::forward(std::size_t i, const Batch& batch, std::int32_t step) {
  const Kernels& kernel = kernels();
  const std::size_t document = batch.document(i);
  pool(i, document, step);
  const float* const hidden = hidden_.data() + i * dim_;
  float* const logits = logits_.data() + i * units_;
  std::copy(model_.bias.w, model_.bias.w + units_, logits);
  if (units_ == 1)
    logits[0] += kernel.dot(hidden, model_.kernel.w, dim_);
  else
    for (std::size_t d = 0; d < dim_; ++d)
      kernel.add(logits, model_.kernel.w + d * units_, units_, hidden[d]);
  if (model_.has_sigmoid)
    sigmoid_loss(i, document);
  else
    softmax_loss(i, labels_.classes[document]);
  // logits now holds the gradient of the batch's mean loss.
  for (std::size_t k = 0; k < units_; ++k) logits[k] /= static_cast<float>(batch.size);
  float* const gradient = hidden_gradients_.data() + i * dim_;
  for (std::size_t d = 0; d < dim_; ++d)
    gradient[d] *= units_ == 1 ? model_.kernel.w[d] * logits[0]
                               : kernel.dot(model_.kernel.w + d * units_, logits, units_);
}

void Trainer::sigmoid_loss(std::size_t i, std::size_t document) {
  float loss = 0;
  correct_[i] = 0;
  for (std::size_t k = 0; k < units_; ++k) {
    float& logit = logits_[i * units_ + k];
    const float x = logit;
    const float y = labels_.targets ? labels_.targets[document * units_ + k]
                                    : static_cast<float>(labels_.classes[document]);
    loss += std::max(x, 0.0f) - x * y + std::log1p(std::exp(-std::fabs(x)));
    correct_[i] += (x > 0) == (y > 0.5f);
    logit = (1.0f / (1.0f + std::exp(-x)) - y) / static_cast<float>(units_);
  }
  losses_[i] = loss / static_cast<float>(units_);
}

void Trainer::softmax_loss(std::size_t i, std::int32_t label) {
  float* const logits = logits_.data() + i * units_;
  const float* const largest = std::max_element(logits, logits + units_);
  const float top = *largest, wanted = logits[label] - top;
  correct_[i] = largest - logits == label;
  float sum = 0;
  for (std::size_t k = 0; k < units_; ++k) sum += logits[k] = std::exp(logits[k] - top);
  losses_[i] = std::log(sum) - wanted;
  for (std::size_t k = 0; k < units_; ++k) logits[k] /= sum;
  logits[label] -= 1.0f;
}

void Trainer::update_rows(std::size_t p, const RowOptimizer& optimizer) {
  const Kernels& kernel = kernels();
  const RowTable& table = model_.table;
  Part& part = parts_[p];
  std::uint32_t begin = 0;
  for (std::size_t s = 0; s < part.n_rows; ++s) {
    if (s + kAhead < part.n_rows) optimizer.prefetch(table, row_of(part, p, s + kAhead));
    const std::size_t row = row_of(part, p, s);
    if (!table.is_frozen(row)) {
      if (model_.pooling == Pooling::kMax)
        gradient_of_largest(part, p, s, begin, part.gradient.data());
      else
        kernel.sum_of_each(part.gradient.data(), hidden_gradients_.data(),
                           part.documents.data() + begin, part.ends[s] - begin, dim_);
      optimizer.update(table, row, part.gradient.data());
    }
    begin = part.ends[s];
  }
}

void Trainer::gradient_of_largest(const Part& part, std::size_t p, std::size_t slot,
                                  std::uint32_t begin, float* gradient) const {
  std::fill_n(gradient, dim_, 0.0f);
  for (std::uint32_t use = begin; use < part.ends[slot]; ++use) {
    const std::size_t at = part.documents[use].at * dim_;
    for (std::size_t d = 0; d < dim_; ++d)
      if (part.largest[at + d] == slot && owner_[at + d] == p)
        gradient[d] += hidden_gradients_[at + d];
  }
}

// Rows [first, last) of the kernel; row dim_ stands for the bias.
void Trainer::update_dense(std::size_t first, std::size_t last, const Batch& batch,
                           const RowOptimizer& optimizer, std::vector<float>& gradient) {
  gradient.assign((last - first) * units_, 0.0f);
  const std::size_t end = std::min(last, dim_), n = end - std::min(first, end);
  for (std::size_t i = 0; i < batch.size; ++i) {
    const float* const hidden = hidden_.data() + i * dim_ + first;
    const float* const own = logits_.data() + i * units_;
    if (units_ == 1)
      kernels().add(gradient.data(), hidden, n, own[0]);
    else
      for (std::size_t d = 0; d < n; ++d)
        kernels().add(gradient.data() + d * units_, own, units_, hidden[d]);
    if (last > dim_) kernels().add(gradient.data() + n * units_, own, units_, 1.0f);
  }
  const DenseWeight &kernel = model_.kernel, &bias = model_.bias;
  const std::size_t at = first * units_;
  optimizer.update(kernel.w + at, kernel.m + at, kernel.v + at, gradient.data(), n * units_);
  if (last > dim_) optimizer.update(bias.w, bias.m, bias.v, gradient.data() + n * units_, units_);
}

bool Trainer::is_finite(const Batch& batch) const {
  return std::all_of(losses_.begin(), losses_.begin() + static_cast<std::ptrdiff_t>(batch.size),
                     [](float loss) { return std::isfinite(loss); });
}

void Trainer::leave_rows(std::size_t p, const RowOptimizer& optimizer) {
  Part& part = parts_[p];
  for (std::size_t s = 0; s < part.n_rows; ++s)  // missed updates were applied, this step was not
    part.seen[part.rows[s]].step = part.last[s] == 0 ? 0 : optimizer.step();
}

void Trainer::add_to(BagResult& result, const Batch& batch) const {
  for (std::size_t i = 0; i < batch.size; ++i) {
    result.loss += losses_[i];
    result.n_correct += correct_[i];
  }
  result.n_documents += static_cast<std::int64_t>(batch.size);
}

}  // namespace

BagResult train_bag(const BagModel& model, RowOptimizer& optimizer, const BagDocuments& documents,
                    const BagLabels& labels, const std::int64_t* order, std::size_t n,
                    std::size_t batch_size, const double* learning_rates, const BagWatch& watch) {
  const auto batch_at = [&](std::size_t begin) {
    return Batch{order + begin, std::min(batch_size, n - begin)};
  };
  Trainer trainer(model, documents, labels, std::min(batch_size, n));
  for (std::size_t begin = 0; begin < n; begin += batch_size) trainer.reserve(batch_at(begin));

  const int n_members = std::min(gang_limit(), static_cast<int>(kParts));
  const auto step_by = static_cast<std::size_t>(n_members);
  Barrier barrier(n_members);
  std::vector<RowOptimizer> optimizers(step_by, optimizer);  // a copy each: threads' steps overlap
  for (RowOptimizer& each : optimizers) each.reserve((n - 1) / batch_size + 1);
  const std::size_t n_dense = model.table.dim + 1;  // rows of the kernel, and the bias
  std::vector<std::vector<float>> gradients(
      step_by, std::vector<float>((n_dense / step_by + 1) * model.n_units));
  BagResult result;
  std::atomic<bool> stop{false};
  std::exception_ptr error;  // from the watch: a member of a gang must not throw
  const auto ask_watch = [&] {
    try {
      if (!watch(result)) stop = true;
    } catch (...) {
      error = std::current_exception();
      stop = true;
    }
  };
  run_gang(n_members, [&](int number) {
    const auto member = static_cast<std::size_t>(number);
    RowOptimizer& my_optimizer = optimizers[member];
    Pace pace;
    for (std::size_t begin = 0; begin < n; begin += batch_size) {
      const Batch batch = batch_at(begin);
      for (std::size_t p = member; p < kParts; p += step_by)
        trainer.sum_rows(p, batch, my_optimizer);
      if (member == 0 && watch && pace.is_due()) ask_watch();
      barrier.wait();
      const bool is_last = stop;  // read between barriers: all members see the same
      for (std::size_t i = member; i < batch.size; i += step_by)
        trainer.forward(i, batch, my_optimizer.step());
      barrier.wait();
      if (!trainer.is_finite(batch)) {  // all members find the same
        for (std::size_t p = member; p < kParts; p += step_by) trainer.leave_rows(p, my_optimizer);
        if (member == 0) result.not_finite = true;
        break;
      }
      my_optimizer.begin_step(learning_rates[begin / batch_size]);
      for (std::size_t p = member; p < kParts; p += step_by) trainer.update_rows(p, my_optimizer);
      trainer.update_dense(n_dense * member / step_by, n_dense * (member + 1) / step_by, batch,
                           my_optimizer, gradients[member]);
      my_optimizer.end_step();
      if (member == 0) trainer.add_to(result, batch);
      if (is_last) break;
    }
  });
  optimizer = optimizers[0];
  trainer.put_back();
  if (error) std::rethrow_exception(error);
  result.stopped = stop;
  return result;
}

}  // namespace wordrow
