// Trains rows -> mean or largest -> dropout -> dense (softmax or sigmoids),
// updating only the rows in use. The same seed gives the same bits for any
// number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "optimizer.h"
#include "memory.h"
#include "pool.h"

namespace wordrow {

// Documents laid out for training, once for all epochs: each document's
// distinct rows with their counts, in kParts groups by row number. A group is
// worked on by one thread at a time and summed apart, whatever the number of
// threads; that is what keeps the bits.
class BagDocuments {
 public:
  static constexpr std::size_t kParts = 8;
  static constexpr std::size_t kBehind = 8;  // so many uses behind the last one may be read
  struct Use {
    std::uint32_t row;  // divided by kParts
    float count;
  };
  // Document i has ids[offsets[i] : offsets[i + 1]]. Ids are trusted to be in [0, n_rows).
  BagDocuments(const std::int32_t* ids, const std::int64_t* offsets, std::size_t n_documents,
               std::size_t n_rows);

  std::size_t size() const { return scale_.size(); }
  const Use* begin(std::size_t document, std::size_t part) const {
    return uses_.data() + ends_[document * kParts + part];
  }
  const Use* end(std::size_t document, std::size_t part) const {
    return uses_.data() + ends_[document * kParts + part + 1];
  }
  void prefetch(std::size_t document, std::size_t part) const {
    for (const Use* use = begin(document, part); use < end(document, part); use += 8)
      prefetch_address(use);
  }
  float scale(std::size_t document) const { return scale_[document]; }  // 1 / number of ids

 private:
  LargeVector<Use> uses_;
  std::vector<std::size_t> ends_;  // [document * kParts + part + 1]
  std::vector<float> scale_;
};

// A weight that every step updates, with its moments. Not owned.
struct DenseWeight {
  float *w, *m, *v;
};

enum class Pool { kMean, kMax };

struct BagModel {
  RowTable table;            // [V, D]
  DenseWeight kernel, bias;  // [D, n_units], [n_units]
  std::size_t n_units;
  bool has_sigmoid;  // one a unit, with the mean of their binary cross-entropies; else a softmax
  Pool pool = Pool::kMean;
  double dropout = 0;      // the share of pooled numbers left out, drawn anew at each step
  std::uint64_t seed = 0;  // of what is drawn
};

// What documents are to give: of a softmax the class of each, of sigmoids a number each.
struct BagLabels {
  const std::int32_t* classes;  // [n_documents], in [0, n_units); or none
  const float* targets;         // [n_documents, n_units], in [0, 1]; or none
};

struct BagResult {
  double loss = 0;             // summed over documents
  std::int64_t n_correct = 0;  // classes or sigmoids, before the step that learns from them
  std::int64_t n_documents = 0;
  bool stopped = false;
  bool not_finite = false;  // a batch's loss was not, and that batch has changed nothing
};

// Takes documents order[0 : n] in batches, one learning rate a batch. Between
// batches the watch is asked with the result so far.
using BagWatch = std::function<bool(const BagResult&)>;
BagResult train_bag(const BagModel& model, RowOptimizer& clock, const BagDocuments& documents,
                    const BagLabels& labels, const std::int64_t* order, std::size_t n,
                    std::size_t batch_size, const double* learning_rates, const BagWatch& watch);

}  // namespace wordrow
