#include "buckets.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace wordrow {

void Buckets::add(const Buckets& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    counts_[i] = static_cast<std::uint8_t>(
        std::min<unsigned>(kMaxCount, unsigned{counts_[i]} + other.counts_[i]));
}

std::size_t Buckets::rank(std::uint64_t min_count, std::int32_t first_id) {
  std::int64_t id = first_id;
  blocks_.assign((counts_.size() + 63) / 64, Block{0, 0});
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    Block& block = blocks_[b];
    const std::size_t begin = 64 * b, n = std::min<std::size_t>(64, counts_.size() - begin);
    for (std::size_t i = 0; i < n; ++i)
      block.kept |= static_cast<std::uint64_t>(counts_[begin + i] > 0 &&
                                               counts_[begin + i] >= min_count) << i;
    block.first_id = static_cast<std::int32_t>(id);
    id += n_bits(block.kept);
    if (id > std::numeric_limits<std::int32_t>::max())
      throw std::length_error("more words and n-grams than ids: raise min_count");
  }
  return static_cast<std::size_t>(id - first_id);
}

void Buckets::set_counts(const std::uint8_t* counts) {
  std::copy_n(counts, counts_.size(), counts_.begin());
}

}  // namespace wordrow
