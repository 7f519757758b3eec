// Rows for words from running text: skip-gram and CBOW, with negative sampling or hierarchical
// softmax (Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
// Compositionality"), and with rows for character n-grams (Bojanowski et al. 2017).
//
// Words around a place share negative samples, so that a step is some rows against some others,
// each read once (Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed Memory").
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pool.h"

namespace wordrow {

struct Word2VecOptions {
  bool cbow = false;          // else skip-gram
  bool hierarchical = false;  // else negative sampling
  std::size_t window = 5;
  std::size_t n_negative = 5;
  double exponent = 0.75;     // negatives are drawn by count ** exponent
  double sample = 1e-4;       // words more frequent than this are left out at times; 0: never
  double rate = 0.05, last_rate = 0.0;
  std::size_t n_epochs = 5;
  std::uint64_t seed = 0;
  bool in_order = false;      // one thread: the same bits for the same seed
};

// Running text as ids [n_ids] of words, from 1 on; text i is ids[offsets[i] : offsets[i + 1]].
struct RunningText {
  const std::int32_t* ids;
  const std::int64_t* offsets;
  std::size_t n_texts;
};

// The rows that are trained, `stride` numbers each, a multiple of kPanel; zeros behind the last.
struct Word2VecRows {
  float* input;   // [n_words + n_buckets, stride]
  float* output;  // [n_words, stride]
  std::size_t stride;
  // Of each word, the rows of its n-grams among the inputs, behind its own; none: words alone.
  const std::int32_t* subwords;
  const std::int64_t* subword_offsets;  // [n_words + 1]
};

class Word2Vec {
 public:
  // counts [n_words]: how often each word occurs in the text.
  Word2Vec(const Word2VecOptions& options, const Word2VecRows& rows, const std::int64_t* counts,
           std::size_t n_words);
  // Trains all epochs. Throws Stopped; the rows are then as they are.
  void train(const RunningText& text, const Watch& watch);

  // Read while it trains: the ids that are done, of all epochs; and of some steps the loss.
  std::atomic<std::uint64_t> n_done{0};
  double mean_loss() const;

 private:
  class Worker;
  struct Chunk {
    std::int64_t begin, end;  // ids
    std::size_t text;         // that the first is of
  };
  void draw_negatives_from(const std::int64_t* counts);
  void build_tree(const std::int64_t* counts);
  std::vector<Chunk> chunks_of(const RunningText& text) const;

  Word2VecOptions options_;
  Word2VecRows rows_;
  std::size_t n_words_;
  std::vector<std::uint32_t> kept_;  // the chance of each word, of 2^32 - 1
  // Walker's alias method: draw a word; where a second number is not below its bound, its other.
  struct Alias {
    std::uint32_t bound, other;
  };
  std::vector<Alias> aliases_;
  // Huffman's tree: the inner nodes on the way to each word, and which way it goes there.
  std::vector<std::int32_t> nodes_;
  std::vector<float> turns_;  // 1 or 0
  std::vector<std::size_t> paths_;
  std::atomic<std::uint64_t> n_losses_{0};
  std::atomic<double> loss_{0};
};

}  // namespace wordrow
