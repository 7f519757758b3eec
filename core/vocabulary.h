// Words and word n-grams: counted, ranked, and looked up as ids.
//
// An n-gram is stored as (serial of its first n-1 words, serial of its last
// word), so its text is never built while counting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "buckets.h"
#include "finder.h"
#include "pool.h"

namespace wordrow {

// The ids of documents: document i has ids[offsets[i] : offsets[i + 1]].
struct Encoded {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets;
};

// An id of a document, and the words that it stands for.
struct NamedId {
  std::int32_t id;
  std::size_t first_word, n_words;
};

class Vocabulary {
 public:
  // n_buckets: hash n-grams to so many buckets (buckets.h); 0 keeps them apart.
  Vocabulary(int ngrams, std::uint32_t n_buckets);
  int ngrams() const { return ngrams_; }

  // Counts the words and n-grams of documents. The outcome does not depend on
  // the number of threads. Throws InvalidDocument, Stopped.
  void count(const Documents& documents, const Normalizer& normalizer, const Watch& watch);

  // Gives ids from first_id on by falling occurrences, ties by first
  // appearance with words before n-grams, to those seen at least min_count
  // times; buckets come last. Returns how many got one.
  std::size_t rank(std::uint64_t min_count, std::int32_t first_id);

  // Looks up documents: words in their order, then 2-grams, and so on. Ids
  // from limit on count as unknown; an unknown word becomes unknown_id, or
  // nothing where that is 0. Throws InvalidDocument, Stopped.
  Encoded encode(const Documents& documents, const Normalizer& normalizer, std::int32_t limit,
                 std::int32_t unknown_id, const Watch& watch) const;

  // The same for one document, each id with its words.
  std::vector<NamedId> named_ids(const Documents& documents, std::size_t i,
                                 const Normalizer& normalizer, std::int32_t limit,
                                 std::int32_t unknown_id) const;

  // Entries are numbered through all orders: words, then 2-grams, and so on.
  std::size_t size() const;
  std::size_t n_words() const { return words_.size(); }
  const Count& count_of(std::size_t number) const;
  std::int32_t id_of(std::size_t number) const;
  std::int32_t max_id() const { return max_id_; }  // 0: nothing has an id
  std::string text(std::size_t number, std::string_view joiner) const;

  // Adds an entry with its counts and id. Its text is a word or, where it
  // holds the joiner, an n-gram whose first n-1 words were added before.
  // After the last one, end_adding().
  void add(std::string_view text, std::string_view joiner, const Count& count, std::int32_t id);
  void end_adding() { words_.publish_ids(); }
  // Gives ids to buckets alone, where the words have theirs.
  std::size_t rank_buckets(std::uint64_t min_count, std::int32_t first_id);
  Buckets& buckets() { return buckets_; }
  const Buckets& buckets() const { return buckets_; }

 private:
  struct Scratch;
  void count_range(const Documents& documents, std::size_t begin, std::size_t end,
                   const Normalizer& normalizer, std::uint64_t first_number, Scratch& scratch);
  void encode_range(const Documents& documents, std::size_t begin, std::size_t end,
                    const Normalizer& normalizer, std::int32_t limit, std::int32_t unknown_id,
                    Scratch& scratch, Encoded& out) const;
  template <class Use>
  void each_id(Scratch& scratch, std::size_t n, std::int32_t limit, std::int32_t unknown_id,
               const Use& use) const;
  void merge(const Vocabulary& other);
  std::pair<std::size_t, std::uint32_t> locate(std::size_t number) const;
  std::string gram_text(std::size_t order, std::uint32_t serial, std::string_view joiner) const;

  int ngrams_;
  std::int32_t max_id_ = 0;
  WordTable words_;
  std::vector<GramTable> grams_;  // grams_[n - 2] holds the n-grams
  Buckets buckets_;               // or all of them, hashed
};

}  // namespace wordrow
