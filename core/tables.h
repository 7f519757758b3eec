// The hash tables of the vocabulary: words, and n-grams of them.
//
// A word's serial is its place in order of first appearance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "memory.h"

#if defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are read as little-endian numbers"
#endif

namespace wordrow {

constexpr std::uint32_t kNoSerial = 0xFFFFFFFF;

struct Count {
  std::uint64_t occurrences = 0;
  std::uint32_t documents = 0;
  std::uint32_t last_document = 0;  // the number of the last document it was counted in
};

// Folded 64 x 64 -> 128 bit product: every input bit reaches every output bit.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
#if defined(_MSC_VER) && defined(_M_X64)
  std::uint64_t high;
  const std::uint64_t low = _umul128(a, b, &high);
  return low ^ high;
#elif defined(__SIZEOF_INT128__)
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  const std::uint64_t a0 = a & kLow, a1 = a >> 32, b0 = b & kLow, b1 = b >> 32;
  const std::uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const std::uint64_t other = a0 * b1 + (middle & kLow);
  return (a * b) ^ (a1 * b1 + (middle >> 32) + (other >> 32));
#endif
}

constexpr std::uint64_t kSeed1 = 0x9E3779B97F4A7C15u, kSeed2 = 0xD1B54A32D192ED03u;

// A word as a key: up to 15 bytes stand in the key itself, a longer word is
// two hashes and is compared with the arena.
struct WordKey {
  static constexpr std::size_t kInlineBytes = 15;
  std::uint64_t low, high;

  static WordKey of(const char* word, std::size_t length) {  // 16 bytes must be readable
    if (length > kInlineBytes) return of_long(word, length);
    WordKey key;
    std::memcpy(&key.low, word, 8);
    std::memcpy(&key.high, word + 8, 8);
    key.low &= kKept.low[length];
    key.high = (key.high & kKept.high[length]) | static_cast<std::uint64_t>(length + 1) << 56;
    return key;
  }
  bool is_long() const { return (high >> 56) == 0xFF; }
  bool operator==(const WordKey& other) const { return low == other.low && high == other.high; }
  std::uint64_t hash() const { return mix(low ^ kSeed1, high ^ kSeed2); }

 private:
  static WordKey of_long(const char* word, std::size_t length);

  // Masks of the first `length` of 16 bytes, as two numbers: a table, since a branch on a word's
  // length is often mispredicted.
  struct Kept {
    std::uint64_t low[kInlineBytes + 1] = {}, high[kInlineBytes + 1] = {};
    constexpr Kept() {
      for (std::size_t n = 0; n <= kInlineBytes; ++n) {
        low[n] = n >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * n)) - 1;
        high[n] = n <= 8 ? 0 : (std::uint64_t{1} << (8 * (n - 8))) - 1;
      }
    }
  };
  static const Kept kKept;
};
inline const WordKey::Kept WordKey::kKept;

class WordTable {
 public:
  struct alignas(32) Slot {  // two to a cache line
    WordKey key = {0, 0};    // key.high == 0: empty
    std::uint32_t serial = 0;
    std::int32_t id = 0;     // 0: not in the index
  };

  WordTable() : slots_(1024) {}
  void reserve(std::size_t n_words);
  void prefetch(std::uint64_t hash) const { prefetch_address(&slots_[hash & (slots_.size() - 1)]); }

  // The slot of a word, or an empty one.
  const Slot& find(const WordKey& key, std::uint64_t hash, const char* word,
                   std::size_t length) const {
    // First look at both slots of a cache line, without a branch between them.
    const std::size_t mask = slots_.size() - 1;
    const Slot* const pair = &slots_[hash & mask & ~std::size_t{1}];
    const Slot& likely = pair[pair[1].key == key];
    if (likely.key == key && !key.is_long()) return likely;
    return search(key, hash, word, length);
  }
  std::uint32_t find_or_add(const WordKey& key, std::uint64_t hash, const char* word,
                            std::size_t length) {
    const Slot& slot = find(key, hash, word, length);
    return slot.key.high ? slot.serial : add(const_cast<Slot&>(slot), key, word, length);
  }
  std::string_view word(std::uint32_t serial) const {
    const std::size_t begin = serial ? ends_[serial - 1] : 0;
    return {arena_.data() + begin, ends_[serial] - begin};
  }
  std::size_t size() const { return counts.size(); }
  // Adds the words of another table in order; serials[s] is the serial here of its serial s.
  void merge(const WordTable& other, std::uint32_t* serials);
  // Copies `ids` into the slots for find() to read.
  void publish_ids();

  LargeVector<Count> counts;      // by serial
  LargeVector<std::int32_t> ids;  // by serial; 0: not in the index

 private:
  const Slot& search(const WordKey& key, std::uint64_t hash, const char* word,
                     std::size_t length) const;
  std::uint32_t add(Slot& slot, const WordKey& key, const char* word, std::size_t length);
  void rehash(std::size_t n_slots);

  LargeVector<Slot> slots_;
  std::string arena_;
  std::vector<std::size_t> ends_;  // where each word ends in the arena
};

class GramTable {
 public:
  GramTable() : slots_(1024) {}
  static std::uint64_t key(std::uint32_t prefix, std::uint32_t word) {
    return static_cast<std::uint64_t>(prefix) << 32 | word;
  }
  void prefetch(std::uint64_t key) const { prefetch_address(&slots_[place(key)]); }
  std::uint32_t find(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = place(key); slots_[i]; i = (i + 1) & mask)
      if (keys[slots_[i] - 1] == key) return slots_[i] - 1;
    return kNoSerial;
  }
  std::uint32_t find_or_add(std::uint64_t key);
  std::size_t size() const { return counts.size(); }

  LargeVector<Count> counts;  // these three by serial
  LargeVector<std::int32_t> ids;
  LargeVector<std::uint64_t> keys;

 private:
  std::size_t place(std::uint64_t key) const {
    return mix(key ^ kSeed1, kSeed2) & (slots_.size() - 1);
  }
  void grow();
  LargeVector<std::uint32_t> slots_;  // serial + 1; 0: empty
};

}  // namespace wordrow
