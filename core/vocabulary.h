// Words and word n-grams: counted, ranked, and looked up as ids.
//
// A word's serial is its place in order of first appearance. An n-gram is
// stored as (serial of its first n-1 words, serial of its last word), so its
// text is never built while counting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "normalize.h"
#include "pool.h"

namespace wordrow {

// Documents to read: each a text, or a list of ready tokens.
struct Documents {
  std::vector<TextView> pieces;
  std::vector<std::size_t> offsets = {0};  // document i is pieces[offsets[i] : offsets[i + 1]]
  std::vector<bool> is_tokens;
  std::size_t size() const { return is_tokens.size(); }
};

// A document whose bytes are not UTF-8.
struct InvalidDocument : std::runtime_error {
  InvalidDocument(std::size_t document_, std::size_t byte_)
      : std::runtime_error("invalid UTF-8"), document(document_), byte(byte_) {}
  std::size_t document, byte;
};

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

// The ids of documents: document i has ids[offsets[i] : offsets[i + 1]].
struct Encoded {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets;
};

class Vocabulary {
 public:
  explicit Vocabulary(int ngrams);
  int ngrams() const { return ngrams_; }

  // Counts the words and n-grams of documents. The outcome does not depend on
  // the number of threads. Throws InvalidDocument, Stopped.
  void count(const Documents& documents, const Normalizer& normalizer, const Watch& watch);

  // Gives ids from first_id on by falling occurrences, ties by first
  // appearance with words before n-grams, to those seen at least min_count
  // times. Returns how many got one.
  std::size_t rank(std::uint64_t min_count, std::int32_t first_id);

  // Looks up documents: words in their order, then 2-grams, and so on. Ids
  // from limit on count as unknown; an unknown word becomes unknown_id, or
  // nothing where that is 0. Throws InvalidDocument, Stopped.
  Encoded encode(const Documents& documents, const Normalizer& normalizer, std::int32_t limit,
                 std::int32_t unknown_id, const Watch& watch) const;

  // Entries are numbered through all orders: words, then 2-grams, and so on.
  std::size_t size() const;
  std::size_t n_words() const { return words_.size(); }
  const Count& count_of(std::size_t number) const;
  std::int32_t id_of(std::size_t number) const;
  std::int32_t max_id() const { return max_id_; }  // 0: nothing has an id
  std::string text(std::size_t number, std::string_view joiner) const;

  // Adds an entry with its counts and id. Its text is a word or, where it
  // holds the joiner, an n-gram whose first n-1 words were added before.
  void add(std::string_view text, std::string_view joiner, const Count& count, std::int32_t id);

 private:
  struct Scratch;
  void count_range(const Documents& documents, std::size_t begin, std::size_t end,
                   const Normalizer& normalizer, std::uint64_t first_number, Scratch& scratch);
  void encode_range(const Documents& documents, std::size_t begin, std::size_t end,
                    const Normalizer& normalizer, std::int32_t limit, std::int32_t unknown_id,
                    Scratch& scratch, Encoded& out) const;
  void encode_grams(Scratch& scratch, std::int32_t limit, std::vector<std::int32_t>& ids) const;
  void merge(const Vocabulary& other);
  std::pair<std::size_t, std::uint32_t> locate(std::size_t number) const;
  std::string gram_text(std::size_t order, std::uint32_t serial, std::string_view joiner) const;

  int ngrams_;
  std::int32_t max_id_ = 0;
  WordTable words_;
  std::vector<GramTable> grams_;  // grams_[n - 2] holds the n-grams
};

}  // namespace wordrow
