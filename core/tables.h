// The hash tables of the vocabulary: words, and n-grams of them.
//
// A word's serial is its place in order of first appearance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wordrow {

constexpr std::uint32_t kNoSerial = 0xFFFFFFFF;

struct Count {
  std::uint64_t occurrences = 0;
  std::uint64_t documents = 0;
  std::uint64_t last_document = 0;  // the number of the last document it was counted in
};

// A word as a key: up to 15 bytes stand in the key itself, a longer word is
// two hashes and is compared with the arena.
struct WordKey {
  std::uint64_t low, high;
  bool is_long() const { return (high >> 56) == 0xFF; }
};

class WordTable {
 public:
  WordTable();
  static WordKey key(const char* word, std::size_t length);  // 16 bytes must be readable
  static std::uint64_t hash(const WordKey& key);
  void prefetch(std::uint64_t hash) const;
  std::uint32_t find(const WordKey& key, std::uint64_t hash, std::string_view word) const;
  std::uint32_t find_or_add(const WordKey& key, std::uint64_t hash, std::string_view word);
  std::string_view word(std::uint32_t serial) const;
  std::size_t size() const { return counts.size(); }

  std::vector<Count> counts;      // by serial
  std::vector<std::int32_t> ids;  // by serial; 0: not in the index

 private:
  struct Slot {
    std::uint64_t low, high;  // high == 0: empty
    std::uint32_t serial;
  };
  const Slot& probe(const WordKey& key, std::uint64_t hash, std::string_view word) const;
  void grow();

  std::vector<Slot> slots_;
  std::string arena_;
  std::vector<std::size_t> ends_;  // where each word ends in the arena
};

class GramTable {
 public:
  GramTable();
  static std::uint64_t key(std::uint32_t prefix, std::uint32_t word);
  void prefetch(std::uint64_t key) const;
  std::uint32_t find(std::uint64_t key) const;
  std::uint32_t find_or_add(std::uint64_t key);
  std::size_t size() const { return counts.size(); }

  std::vector<Count> counts;  // these three by serial
  std::vector<std::int32_t> ids;
  std::vector<std::uint64_t> keys;

 private:
  std::size_t place(std::uint64_t key) const;
  void grow();
  std::vector<std::uint32_t> slots_;  // serial + 1; 0: empty
};

}  // namespace wordrow
