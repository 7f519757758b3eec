#include "bag.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>

namespace wordrow {

// ---- layout -------------------------------------------------------------

namespace {

constexpr std::size_t kParts = BagDocuments::kParts;

struct Layout {
  std::vector<BagDocuments::Entry> entries;
  std::vector<std::size_t> sizes;  // of each (document, part)

  void add(const std::int32_t* ids, std::size_t n, std::vector<std::int32_t>& grouped) {
    std::size_t ends[kParts + 1] = {};
    for (std::size_t i = 0; i < n; ++i) ++ends[static_cast<std::size_t>(ids[i]) % kParts + 1];
    for (std::size_t p = 0; p < kParts; ++p) ends[p + 1] += ends[p];
    std::size_t at[kParts];
    std::copy(ends, ends + kParts, at);
    grouped.resize(n);
    for (std::size_t i = 0; i < n; ++i)
      grouped[at[static_cast<std::size_t>(ids[i]) % kParts]++] = ids[i];
    for (std::size_t p = 0; p < kParts; ++p) {
      const auto first = grouped.begin() + static_cast<std::ptrdiff_t>(ends[p]);
      const auto last = grouped.begin() + static_cast<std::ptrdiff_t>(ends[p + 1]);
      std::sort(first, last);
      const std::size_t before = entries.size();
      for (auto id = first; id != last; ++id) {
        if (entries.size() > before && entries.back().row == *id) {
          entries.back().count += 1.0f;
        } else {
          entries.push_back({*id, 1.0f});
        }
      }
      sizes.push_back(entries.size() - before);
    }
  }
};

}  // namespace

BagDocuments::BagDocuments(const std::int32_t* ids, const std::int64_t* offsets,
                           std::size_t n_documents)
    : offsets_(1, 0), scale_(n_documents) {
  constexpr std::size_t kDocumentsPerPart = 1024;
  std::vector<Layout> layouts((n_documents + kDocumentsPerPart - 1) / kDocumentsPerPart);
  parallel_for(layouts.size(), [&](std::size_t part) {
    std::vector<std::int32_t> grouped;
    const std::size_t end = std::min(n_documents, (part + 1) * kDocumentsPerPart);
    for (std::size_t i = part * kDocumentsPerPart; i < end; ++i) {
      const auto n = static_cast<std::size_t>(offsets[i + 1] - offsets[i]);
      layouts[part].add(ids + offsets[i], n, grouped);
      scale_[i] = n ? 1.0f / static_cast<float>(n) : 0.0f;
    }
  });
  std::vector<std::size_t> begins;
  offsets_.reserve(n_documents * kParts + 1);
  for (const Layout& layout : layouts) {
    begins.push_back(offsets_.back());
    for (std::size_t size : layout.sizes) offsets_.push_back(offsets_.back() + size);
  }
  entries_.resize(offsets_.back());
  parallel_for(layouts.size(), [&](std::size_t part) {
    std::copy(layouts[part].entries.begin(), layouts[part].entries.end(),
              entries_.begin() + static_cast<std::ptrdiff_t>(begins[part]));
  });
}

// ---- training -----------------------------------------------------------

namespace {

struct Batch {
  const std::int64_t* documents;
  std::size_t size;
  std::size_t document(std::size_t i) const { return static_cast<std::size_t>(documents[i]); }
};

// One group of rows: what only the thread that works on it touches.
struct Part {
  std::vector<float> sums;          // [batch, dim]: this group's share of each document's sum
  std::vector<std::int32_t> rows;   // the batch's distinct rows, in order of first use
  std::vector<std::int32_t> slots;  // for each entry of the batch, its row's place in `rows`
  std::vector<float> gradients;     // [len(rows), dim]
};

class Trainer {
 public:
  Trainer(const BagModel& model, const BagDocuments& documents, const std::int32_t* labels,
          std::size_t batch_size);
  // Makes room for a batch, so that nothing is allocated while a gang runs.
  void reserve(const Batch& batch);

  // The three phases of a step. All parts, then all documents, then all parts
  // and all dense rows: a document needs every part's sums, a part needs every
  // document's gradient. Parts of the next step may begin before other parts
  // of this one have ended, since a part is always its own thread's.
  void sum_rows(std::size_t part, const Batch& batch, const AdamClock& clock);
  void answer(std::size_t i, const Batch& batch);
  void update_rows(std::size_t part, const Batch& batch, const AdamClock& clock);
  void update_dense(std::size_t d, const Batch& batch, const AdamClock& clock,
                    std::vector<float>& gradient);

  void add_to(BagResult& result, const Batch& batch) const;

 private:
  void answer_sigmoid(std::size_t i, std::int32_t label);
  void answer_softmax(std::size_t i, std::int32_t label);

  const BagModel& model_;
  const BagDocuments& documents_;
  const std::int32_t* const labels_;
  const std::size_t dim_, units_;
  std::vector<std::int32_t> slot_of_row_;  // right where rows[slot] is the row
  std::vector<float> hidden_, hidden_gradients_;  // [batch, dim]
  std::vector<float> logits_;                     // [batch, units], then their gradients
  std::vector<float> losses_;                     // [batch]
  std::vector<std::uint8_t> correct_;             // [batch]
  Part parts_[kParts];
};

Trainer::Trainer(const BagModel& model, const BagDocuments& documents, const std::int32_t* labels,
                 std::size_t batch_size)
    : model_(model), documents_(documents), labels_(labels), dim_(model.table.dim),
      units_(model.n_units), slot_of_row_(model.table.n_rows), hidden_(batch_size * dim_),
      hidden_gradients_(batch_size * dim_), logits_(batch_size * units_), losses_(batch_size),
      correct_(batch_size) {
  for (Part& part : parts_) part.sums.resize(batch_size * dim_);
}

void Trainer::reserve(const Batch& batch) {
  for (std::size_t p = 0; p < kParts; ++p) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < batch.size; ++i)
      n += documents_.end(batch.document(i), p) - documents_.begin(batch.document(i), p);
    parts_[p].rows.reserve(n);
    parts_[p].slots.reserve(n);
    if (parts_[p].gradients.size() < n * dim_) parts_[p].gradients.resize(n * dim_);
  }
}

void Trainer::sum_rows(std::size_t p, const Batch& batch, const AdamClock& clock) {
  const Kernels& kernel = kernels();
  Part& part = parts_[p];
  part.rows.clear();
  part.slots.clear();
  for (std::size_t i = 0; i < batch.size; ++i) {
    const std::size_t document = batch.document(i);
    float* const sum = part.sums.data() + i * dim_;
    std::fill(sum, sum + dim_, 0.0f);
    for (std::size_t e = documents_.begin(document, p); e < documents_.end(document, p); ++e) {
      const BagDocuments::Entry& entry = documents_.entry(e);
      const auto row = static_cast<std::size_t>(entry.row);
      std::int32_t slot = slot_of_row_[row];
      if (static_cast<std::size_t>(slot) >= part.rows.size() ||
          part.rows[static_cast<std::size_t>(slot)] != entry.row) {
        slot = slot_of_row_[row] = static_cast<std::int32_t>(part.rows.size());
        part.rows.push_back(entry.row);
        clock.catch_up(model_.table, row);
      }
      part.slots.push_back(slot);
      kernel.add(sum, model_.table.w + row * dim_, dim_, entry.count);
    }
  }
}

void Trainer::answer(std::size_t i, const Batch& batch) {
  const Kernels& kernel = kernels();
  const std::size_t document = batch.document(i);
  const float scale = documents_.scale(document);
  float* const hidden = hidden_.data() + i * dim_;
  std::fill(hidden, hidden + dim_, 0.0f);
  for (const Part& part : parts_) kernel.add(hidden, part.sums.data() + i * dim_, dim_, scale);

  float* const logits = logits_.data() + i * units_;
  std::copy(model_.bias.w, model_.bias.w + units_, logits);
  for (std::size_t d = 0; d < dim_; ++d)
    kernel.add(logits, model_.kernel.w + d * units_, units_, hidden[d]);
  if (units_ == 1) {
    answer_sigmoid(i, labels_[document]);
  } else {
    answer_softmax(i, labels_[document]);
  }
  // logits now holds the gradient of the batch's mean loss.
  for (std::size_t k = 0; k < units_; ++k) logits[k] /= static_cast<float>(batch.size);
  float* const gradient = hidden_gradients_.data() + i * dim_;
  for (std::size_t d = 0; d < dim_; ++d)
    gradient[d] = scale * kernel.dot(model_.kernel.w + d * units_, logits, units_);
}

void Trainer::answer_sigmoid(std::size_t i, std::int32_t label) {
  float& logit = logits_[i];
  const float x = logit, y = static_cast<float>(label);
  losses_[i] = std::max(x, 0.0f) - x * y + std::log1p(std::exp(-std::fabs(x)));
  correct_[i] = (x > 0) == (label == 1);
  logit = 1.0f / (1.0f + std::exp(-x)) - y;
}

void Trainer::answer_softmax(std::size_t i, std::int32_t label) {
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

void Trainer::update_rows(std::size_t p, const Batch& batch, const AdamClock& clock) {
  const Kernels& kernel = kernels();
  Part& part = parts_[p];
  std::fill_n(part.gradients.begin(), part.rows.size() * dim_, 0.0f);
  const std::int32_t* slot = part.slots.data();
  for (std::size_t i = 0; i < batch.size; ++i) {
    const std::size_t document = batch.document(i);
    const float* const gradient = hidden_gradients_.data() + i * dim_;
    for (std::size_t e = documents_.begin(document, p); e < documents_.end(document, p); ++e)
      kernel.add(part.gradients.data() + static_cast<std::size_t>(*slot++) * dim_, gradient, dim_,
                 documents_.entry(e).count);
  }
  for (std::size_t s = 0; s < part.rows.size(); ++s)
    clock.update(model_.table, static_cast<std::size_t>(part.rows[s]),
                 part.gradients.data() + s * dim_);
}

// Row d of the kernel; row dim_ stands for the bias.
void Trainer::update_dense(std::size_t d, const Batch& batch, const AdamClock& clock,
                           std::vector<float>& gradient) {
  gradient.assign(units_, 0.0f);
  for (std::size_t i = 0; i < batch.size; ++i)
    kernels().add(gradient.data(), logits_.data() + i * units_, units_,
                  d < dim_ ? hidden_[i * dim_ + d] : 1.0f);
  const AdamWeight& weight = d < dim_ ? model_.kernel : model_.bias;
  const std::size_t at = d < dim_ ? d * units_ : 0;
  clock.update(weight.w + at, weight.m + at, weight.v + at, gradient.data(), units_);
}

void Trainer::add_to(BagResult& result, const Batch& batch) const {
  for (std::size_t i = 0; i < batch.size; ++i) {
    result.loss += losses_[i];
    result.n_correct += correct_[i];
  }
  result.n_documents += static_cast<std::int64_t>(batch.size);
}

}  // namespace

BagResult train_bag(const BagModel& model, AdamClock& clock, const BagDocuments& documents,
                    const std::int32_t* labels, const std::int64_t* order, std::size_t n,
                    std::size_t batch_size, const double* learning_rates, const BagWatch& watch) {
  const auto batch_at = [&](std::size_t begin) {
    return Batch{order + begin, std::min(batch_size, n - begin)};
  };
  Trainer trainer(model, documents, labels, std::min(batch_size, n));
  for (std::size_t begin = 0; begin < n; begin += batch_size) trainer.reserve(batch_at(begin));

  const int n_members = std::min(gang_limit(), static_cast<int>(kParts));
  const auto step_by = static_cast<std::size_t>(n_members);
  Barrier barrier(n_members);
  std::vector<AdamClock> clocks(step_by, clock);  // one each: they go on at their own pace
  for (AdamClock& each : clocks) each.reserve((n - 1) / batch_size + 1);
  std::vector<std::vector<float>> gradients(step_by, std::vector<float>(model.n_units));
  BagResult result;
  std::atomic<bool> stop{false};
  std::exception_ptr error;  // of the watch: a member of a gang must not throw
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
    AdamClock& my_clock = clocks[member];
    Pace pace;
    for (std::size_t begin = 0; begin < n; begin += batch_size) {
      const Batch batch = batch_at(begin);
      for (std::size_t p = member; p < kParts; p += step_by)
        trainer.sum_rows(p, batch, my_clock);
      if (member == 0 && watch && pace.is_due()) ask_watch();
      barrier.wait();
      const bool is_last = stop;  // read between the barriers, where all see the same
      for (std::size_t i = member; i < batch.size; i += step_by) trainer.answer(i, batch);
      barrier.wait();
      my_clock.begin_step(learning_rates[begin / batch_size]);
      for (std::size_t p = member; p < kParts; p += step_by)
        trainer.update_rows(p, batch, my_clock);
      for (std::size_t d = member; d <= model.table.dim; d += step_by)
        trainer.update_dense(d, batch, my_clock, gradients[member]);
      my_clock.end_step();
      if (member == 0) trainer.add_to(result, batch);
      if (is_last) break;
    }
  });
  clock = clocks[0];
  if (error) std::rethrow_exception(error);
  result.stopped = stop;
  return result;
}

}  // namespace wordrow
