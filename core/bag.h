// Trains embedding -> mean or max pooling -> dropout -> dense (softmax or sigmoids), updating only
// the rows in use. The same seed gives the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "optimizer.h"
#include "memory.h"
#include "pool.h"

namespace wordrow {

// Documents as training reads them, prepared once for all epochs: each document's distinct rows
// with their counts, in kParts groups by row number. One thread at a time works on a group, and
// each group is summed separately, so that the bits do not depend on the number of threads.
class BagDocuments {
 public:
  static constexpr std::size_t kParts = 8;
  static constexpr std::size_t kBehind = 8;  // readable uses past the last one

  // A row of a group, used up to 15 times; a row used more often has several of these. Four bytes:
  // a batch's time goes into reading them.
  class Use {
   public:
    static constexpr std::uint32_t kMax = 15;
    static std::uint32_t needed(std::uint32_t count) { return (count + kMax - 1) / kMax; }

    Use() : packed_(0) {}
    Use(std::uint32_t row, std::uint32_t count) : packed_(row << 4 | count) {}
    std::uint32_t row() const { return packed_ >> 4; }  // divided by kParts
    std::uint32_t count() const { return packed_ & kMax; }

   private:
    std::uint32_t packed_;
  };

  // Document i has ids[offsets[i] : offsets[i + 1]]; skips_zeros: zeros are padding. Ids are
  // trusted to be in [0, n_rows).
  BagDocuments(const std::int32_t* ids, const std::int64_t* offsets, std::size_t n_documents,
               std::size_t n_rows, bool skips_zeros);
  BagDocuments(const BagDocuments&) = delete;  // documents_ points into uses_

  std::size_t size() const { return documents_.size(); }
  const Use* begin(std::size_t document, std::size_t part) const {
    const Document& own = documents_[document];
    return own.uses + (part ? own.ends[part - 1] : 0);
  }
  const Use* end(std::size_t document, std::size_t part) const {
    const Document& own = documents_[document];
    return own.uses + own.ends[part];
  }
  // Prefetches a document's uses; `soon`: only where they are.
  void prefetch(std::size_t document, std::size_t part) const {
    constexpr std::size_t kPerLine = 64 / sizeof(Use);
    const Use* const last = end(document, part) + kBehind;
    for (const Use* use = begin(document, part); use < last; use += kPerLine) prefetch_address(use);
  }
  void prefetch_soon(std::size_t document) const { prefetch_address(&documents_[document]); }
  float scale(std::size_t document) const { return documents_[document].scale; }

 private:
  struct Document {
    const Use* uses;  // by part
    std::uint32_t ends[kParts];
    float scale;  // 1 / number of ids
  };
  std::vector<LargeVector<Use>> uses_;  // by task
  std::vector<Document> documents_;
};

// A weight that every step updates, with its moments. Not owned.
struct DenseWeight {
  float *w, *m, *v;
};

enum class Pooling { kMean, kMax };

struct BagModel {
  RowTable table;            // [V, D]
  DenseWeight kernel, bias;  // [D, n_units], [n_units]
  std::size_t n_units;
  bool has_sigmoid;  // binary cross-entropy, the mean over units; else softmax
  Pooling pooling = Pooling::kMean;
  double dropout = 0;      // the share of pooled values set to 0, drawn anew at each step
  std::uint64_t seed = 0;  // of dropout
};

// The labels: for a softmax each document's class, for sigmoids a number each.
struct BagLabels {
  const std::int32_t* classes;  // [n_documents], in [0, n_units); or none
  const float* targets;         // [n_documents, n_units], in [0, 1]; or none
};

struct BagResult {
  double loss = 0;             // summed over documents
  std::int64_t n_correct = 0;  // classes or sigmoids, before the step that trains on them
  std::int64_t n_documents = 0;
  bool stopped = false;
  bool not_finite = false;  // a batch's loss was not finite; that batch changed nothing
};

// Trains on documents order[0 : n] in batches, one learning rate a batch. Between batches the watch
// is called with the result so far; it returns false to stop.
using BagWatch = std::function<bool(const BagResult&)>;
BagResult train_bag(const BagModel& model, RowOptimizer& optimizer, const BagDocuments& documents,
                    const BagLabels& labels, const std::int64_t* order, std::size_t n,
                    std::size_t batch_size, const double* learning_rates, const BagWatch& watch);

}  // namespace wordrow
