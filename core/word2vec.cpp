#include "word2vec.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <utility>

#include "isa.h"
#include "memory.h"
#include "tables.h"

namespace wordrow {
namespace {

constexpr std::uint32_t kAlways = 0xFFFFFFFF;
// Words around a place that share their negative samples. All of them would be three times as fast
// as none; similarities are then 0.02 worse (Spearman, SimLex-999, 5.8 million words).
constexpr std::size_t kSharing = 2;

// Vigna's xorshift64*.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed ^ kSeed1, kSeed2) | 1) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  std::uint32_t half() { return static_cast<std::uint32_t>(next() >> 32); }
  std::size_t below(std::size_t n) {  // n below 2^32
    return static_cast<std::size_t>(static_cast<std::uint64_t>(half()) * n >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace

Word2Vec::Word2Vec(const Word2VecOptions& options, const Word2VecRows& rows,
                   const std::int64_t* counts, std::size_t n_words)
    : options_(options), rows_(rows), n_words_(n_words), kept_(n_words, kAlways) {
  const double all = std::accumulate(counts, counts + n_words, 0.0);
  for (std::size_t word = 0; options_.sample > 0 && word < n_words; ++word) {
    const double share = static_cast<double>(counts[word]) / all / options_.sample;
    const double chance = share > 0 ? std::sqrt(1 / share) + 1 / share : 1;
    if (chance < 1) kept_[word] = static_cast<std::uint32_t>(chance * kAlways);
  }
  if (options_.hierarchical)
    build_tree(counts);
  else
    draw_negatives_from(counts);
}

void Word2Vec::draw_negatives_from(const std::int64_t* counts) {
  std::vector<double> weights(n_words_);
  for (std::size_t word = 0; word < n_words_; ++word)
    weights[word] = std::pow(static_cast<double>(counts[word]), options_.exponent);
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) /
                      static_cast<double>(n_words_);
  aliases_.assign(n_words_, {kAlways, 0});
  std::vector<std::uint32_t> small, large;
  for (std::size_t word = 0; word < n_words_; ++word) {
    weights[word] /= mean;
    (weights[word] < 1 ? small : large).push_back(static_cast<std::uint32_t>(word));
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t less = small.back(), more = large.back();
    small.pop_back();
    aliases_[less] = {static_cast<std::uint32_t>(weights[less] * kAlways), more};
    weights[more] -= 1 - weights[less];
    if (weights[more] >= 1) continue;
    large.pop_back();
    small.push_back(more);
  }
  for (const std::uint32_t word : large) aliases_[word].other = word;
  for (const std::uint32_t word : small) aliases_[word].other = word;
}

void Word2Vec::build_tree(const std::int64_t* counts) {
  // Leaves are words, inner nodes follow them; the rarest two are joined until one is left.
  using Node = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<Node, std::vector<Node>, std::greater<Node>> rarest;
  for (std::size_t word = 0; word < n_words_; ++word) rarest.emplace(counts[word], word);
  std::vector<std::size_t> parents(2 * n_words_, 0);
  std::vector<float> turns(2 * n_words_, 0.0f);
  std::size_t next = n_words_;
  while (rarest.size() > 1) {
    const Node first = rarest.top();
    rarest.pop();
    const Node second = rarest.top();
    rarest.pop();
    parents[first.second] = parents[second.second] = next;
    turns[second.second] = 1.0f;
    rarest.emplace(first.first + second.first, next++);
  }
  const std::size_t root = next - 1;
  paths_.assign(1, 0);
  for (std::size_t word = 0; word < n_words_; ++word) {
    for (std::size_t node = word; node != root; node = parents[node]) {
      nodes_.push_back(static_cast<std::int32_t>(parents[node] - n_words_));
      turns_.push_back(turns[node]);
    }
    paths_.push_back(nodes_.size());
  }
}

double Word2Vec::mean_loss() const {
  const std::uint64_t n = n_losses_.load(std::memory_order_relaxed);
  return n ? loss_.load(std::memory_order_relaxed) / static_cast<double>(n) : 0.0;
}

// One thread's training on chunks of the text. Threads change the same rows without locks, as in
// Niu et al. 2011 ("Hogwild!"): collisions are rare.
class Word2Vec::Worker {
 public:
  Worker(Word2Vec& model, std::uint64_t seed, float rate)
      : model_(model),
        options_(model.options_),
        stride_(model.rows_.stride),
        random_(seed),
        rate_(rate),
        hidden_(stride_),
        before_(stride_) {}

  void read(const std::int32_t* begin, const std::int32_t* end) {
    kept_.clear();
    for (const std::int32_t* id = begin; id != end; ++id) {
      if (*id <= 0) continue;  // padding
      const auto word = static_cast<std::uint32_t>(*id - 1);
      const std::uint32_t chance = model_.kept_[word];
      if (chance == kAlways || random_.half() <= chance) kept_.push_back(word);
    }
    const std::size_t n = kept_.size();
    for (std::size_t at = 0; at < n; ++at) {
      if (at + 1 < n) prefetch(output(kept_[at + 1]));
      const std::size_t reach = 1 + random_.below(options_.window);
      around_.clear();
      for (std::size_t i = at > reach ? at - reach : 0; i < std::min(n, at + reach + 1); ++i)
        if (i != at) around_.push_back(kept_[i]);
      if (around_.empty()) continue;
      if (options_.cbow)
        learn_middle(kept_[at]);
      else if (model_.rows_.subwords)
        learn_around(kept_[at]);
      else
        learn_pairs(kept_[at]);
    }
  }

  double loss = 0;
  std::uint64_t n_losses = 0;

 private:
  float* input(std::size_t row) const { return model_.rows_.input + row * stride_; }
  float* output(std::size_t row) const { return model_.rows_.output + row * stride_; }
  void prefetch(const float* row) const {
    for (std::size_t d = 0; d < stride_; d += 16) prefetch_to_write(row + d);
  }

  // The output rows for `word`, and the target of each: 1 or 0.
  void target(std::uint32_t word) {
    outputs_.clear();
    labels_.clear();
    if (options_.hierarchical) {
      for (std::size_t i = model_.paths_[word]; i < model_.paths_[word + 1]; ++i) {
        outputs_.push_back(output(static_cast<std::size_t>(model_.nodes_[i])));
        labels_.push_back(model_.turns_[i]);
      }
      return;
    }
    outputs_.push_back(output(word));
    labels_.push_back(1.0f);
    for (std::size_t i = 0; i < options_.n_negative; ++i) {
      const std::uint64_t bits = random_.next();
      std::size_t drawn = static_cast<std::size_t>((bits >> 32) * model_.n_words_ >> 32);
      const Alias& alias = model_.aliases_[drawn];
      if (static_cast<std::uint32_t>(bits) >= alias.bound) drawn = alias.other;
      float* const row = output(drawn);
      // Neither the word itself nor a row drawn twice, of which one change would be lost.
      if (std::find(outputs_.begin(), outputs_.end(), row) != outputs_.end()) continue;
      prefetch(row);
      outputs_.push_back(row);
      labels_.push_back(0.0f);
    }
  }

  // Moves some rows and the target's towards, or away from, each other.
  void step(float* const* rows, std::size_t n_rows) {
    shares_.resize(n_rows * kPairs);
    const bool is_measured = n_steps_++ % 64 == 0;
    if (is_measured) ++n_losses;
    for (std::size_t first = 0; first < outputs_.size(); first += kPairs) {
      const std::size_t n = std::min(kPairs, outputs_.size() - first);
      const float* const labels = labels_.data() + first;
      kernels().dot_pairs(shares_.data(), rows, n_rows, outputs_.data() + first, n, stride_);
      kernels().activate(Activation::kSigmoid, shares_.data(), n_rows * n);
      for (std::size_t j = 0; is_measured && j < n; ++j)
        loss -= std::log(std::max(1e-7f, labels[j] > 0 ? shares_[j] : 1 - shares_[j]));
      for (std::size_t i = 0; i < n_rows; ++i)
        for (std::size_t j = 0; j < n; ++j)
          shares_[i * n + j] = (labels[j] - shares_[i * n + j]) * rate_;
      kernels().exchange(shares_.data(), rows, n_rows, outputs_.data() + first, n, stride_);
    }
  }

  // Skip-gram: the row of each word around a place against that of the word there.
  void learn_pairs(std::uint32_t word) {
    inputs_.clear();
    for (const std::uint32_t other : around_) inputs_.push_back(input(other));
    for (std::size_t i = 0; i < inputs_.size(); i += kSharing) {
      target(word);
      step(inputs_.data() + i, std::min(kSharing, inputs_.size() - i));
    }
  }

  // Skip-gram with n-grams: the mean of a word's rows against each word around it.
  void learn_around(std::uint32_t word) {
    inputs_.clear();
    add_rows_of(word);
    mean_of_inputs();
    float* const hidden = hidden_.data();
    for (const std::uint32_t other : around_) {
      target(other);
      step(&hidden, 1);
    }
    add_change_to_inputs();
  }

  // CBOW: the mean of all rows around a place against the word there.
  void learn_middle(std::uint32_t word) {
    inputs_.clear();
    for (const std::uint32_t other : around_) add_rows_of(other);
    target(word);
    mean_of_inputs();
    float* const hidden = hidden_.data();
    step(&hidden, 1);
    add_change_to_inputs();
  }

  void add_rows_of(std::uint32_t word) {
    inputs_.push_back(input(word));
    if (!model_.rows_.subwords) return;
    const std::int64_t* const offsets = model_.rows_.subword_offsets;
    for (std::int64_t i = offsets[word]; i < offsets[word + 1]; ++i) {
      inputs_.push_back(input(static_cast<std::size_t>(model_.rows_.subwords[i])));
      prefetch(inputs_.back());
    }
  }

  void mean_of_inputs() {
    std::fill(hidden_.begin(), hidden_.end(), 0.0f);
    for (const float* const row : inputs_) kernels().add(hidden_.data(), row, stride_, 1.0f);
    const float scale = 1.0f / static_cast<float>(inputs_.size());
    for (float& x : hidden_) x *= scale;
    before_ = hidden_;
  }

  // As word2vec and fastText do: what the mean gained, each of its rows gains.
  void add_change_to_inputs() {
    for (std::size_t d = 0; d < stride_; ++d) hidden_[d] -= before_[d];
    for (float* const row : inputs_) kernels().add(row, hidden_.data(), stride_, 1.0f);
  }

  Word2Vec& model_;
  const Word2VecOptions& options_;
  const std::size_t stride_;
  Random random_;
  const float rate_;
  std::uint64_t n_steps_ = 0;
  std::vector<std::uint32_t> kept_, around_;
  std::vector<float*> inputs_, outputs_;
  std::vector<float> labels_, shares_, hidden_, before_;
};

// Whole texts, as long as they are short; pieces of long ones.
std::vector<Word2Vec::Chunk> Word2Vec::chunks_of(const RunningText& text) const {
  constexpr std::int64_t kIds = 1 << 13;
  const auto n_ids = [&](std::size_t i) { return text.offsets[i + 1] - text.offsets[i]; };
  std::vector<Chunk> chunks;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < text.n_texts;) {
    const std::size_t first = i;
    std::int64_t end = begin + kIds;
    if (text.offsets[i + 1] <= end) {
      end = text.offsets[++i];
      while (i < text.n_texts && end - begin < kIds && n_ids(i) <= kIds) end = text.offsets[++i];
    }
    if (end > begin) chunks.push_back({begin, end, first});
    begin = end;
  }
  return chunks;
}

void Word2Vec::train(const RunningText& text, const Watch& watch) {
  const std::vector<Chunk> chunks = chunks_of(text);
  const auto n_ids = static_cast<double>(text.offsets[text.n_texts]);
  const auto n_epochs = static_cast<double>(options_.n_epochs);
  const auto learn = [&](std::size_t part) {
    const Chunk& chunk = chunks[part % chunks.size()];
    const auto epoch = static_cast<double>(part / chunks.size());
    const double done = (epoch * n_ids + static_cast<double>(chunk.begin)) / (n_epochs * n_ids);
    const double rate = options_.rate + (options_.last_rate - options_.rate) * done;
    Worker worker(*this, options_.seed + part, static_cast<float>(rate));
    std::size_t i = chunk.text;
    for (std::int64_t at = chunk.begin; at < chunk.end; ++i) {
      const std::int64_t end = std::min(chunk.end, text.offsets[i + 1]);
      worker.read(text.ids + at, text.ids + end);
      at = end;
    }
    n_done += static_cast<std::uint64_t>(chunk.end - chunk.begin);
    // Another thread's loss may be lost here, which a mean of many can bear.
    loss_.store(loss_.load(std::memory_order_relaxed) + worker.loss, std::memory_order_relaxed);
    n_losses_ += worker.n_losses;
  };
  const std::size_t n_parts = chunks.size() * options_.n_epochs;
  if (!options_.in_order) return parallel_for(n_parts, learn, watch);
  Pace pace;
  for (std::size_t part = 0; part < n_parts; ++part) {
    learn(part);
    if (watch && pace.is_due() && !watch()) throw Stopped();
  }
}

}  // namespace wordrow
