// Word n-grams hashed to a fixed number of buckets. Only a count is kept, shared by all n-grams in
// a bucket. Buckets that were seen often enough get ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace wordrow {

class Buckets {
 public:
  explicit Buckets(std::uint32_t n) : counts_(n, 0) {}
  std::size_t size() const { return counts_.size(); }

  // Calls use(bucket, first word, order) for every run of 2 to `longest` words
  // of a document, given the hashes of its words: all 2-grams first.
  template <class Use>
  void each_run(const std::uint64_t* words, std::size_t n_words, std::size_t longest,
                std::vector<std::uint64_t>& prefixes, const Use& use) const;

  void count(std::uint32_t bucket) { counts_[bucket] += counts_[bucket] < kMaxCount; }
  void add(const Buckets& other);  // its counts

  // Gives ids from first_id on to buckets seen at least min_count times; returns how many.
  std::size_t rank(std::uint64_t min_count, std::int32_t first_id);
  std::int32_t id_of(std::uint32_t bucket) const {  // 0: none
    if (blocks_.empty()) return 0;
    const Block& block = blocks_[bucket / 64];
    const std::uint64_t bit = std::uint64_t{1} << bucket % 64;
    return block.kept & bit ? block.first_id + n_bits(block.kept & (bit - 1)) : 0;
  }

  static constexpr std::uint64_t kMaxCount = 255;
  const LargeVector<std::uint8_t>& counts() const { return counts_; }
  void set_counts(const std::uint8_t* counts);

 private:
  // Which of 64 buckets have ids: those of the set bits, in order, from first_id on.
  struct Block {
    std::uint64_t kept;
    std::int32_t first_id;
  };
  static int n_bits(std::uint64_t bits) {
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return static_cast<int>(bits * 0x0101010101010101u >> 56);
  }
  static std::uint64_t longer(std::uint64_t prefix, std::uint64_t word) {
    return (prefix * 0x9E3779B97F4A7C15u) ^ (word + (prefix >> 29));
  }
  std::uint32_t bucket_of(std::uint64_t hash) const {
    // The upper half of the product with the number of buckets: no division.
    hash *= 0xD1B54A32D192ED03u;
    return static_cast<std::uint32_t>((hash >> 32) * counts_.size() >> 32);
  }

  LargeVector<std::uint8_t> counts_;
  LargeVector<Block> blocks_;
};

template <class Use>
void Buckets::each_run(const std::uint64_t* words, std::size_t n_words, std::size_t longest,
                       std::vector<std::uint64_t>& prefixes, const Use& use) const {
  prefixes.assign(words, words + n_words);
  for (std::size_t order = 2; order <= longest && order <= n_words; ++order)
    for (std::size_t w = 0; w + order <= n_words; ++w) {
      prefixes[w] = longer(prefixes[w], words[w + order - 1]);
      use(bucket_of(prefixes[w]), w, order);
    }
}

}  // namespace wordrow
