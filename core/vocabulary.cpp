#include "vocabulary.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>
#include <thread>

namespace wordrow {
namespace {

// Half-open ranges that cut documents into parts of about equal size.
std::vector<std::size_t> cut(const Documents& documents, std::size_t n_parts) {
  std::vector<std::size_t> ends;
  std::size_t total = 0, so_far = 0;
  for (const TextView& piece : documents.pieces) total += piece.length + 16;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    for (std::size_t p = documents.offsets[i]; p < documents.offsets[i + 1]; ++p)
      so_far += documents.pieces[p].length + 16;
    if (so_far * n_parts >= total * (ends.size() + 1) && ends.size() + 1 < n_parts)
      ends.push_back(i + 1);
  }
  ends.push_back(documents.size());
  return ends;
}

// About how many different words some documents have: it only sizes a table.
std::size_t likely_words(const Documents& documents, std::size_t begin, std::size_t end) {
  std::size_t length = 0;
  for (std::size_t p = documents.offsets[begin]; p < documents.offsets[end]; ++p)
    length += documents.pieces[p].length;
  return std::min<std::size_t>(length / 256, std::size_t{1} << 20);
}

}  // namespace

// What one thread reuses from document to document.
struct Vocabulary::Scratch {
  Finder finder;
  // Of the document's n-grams, by place of the first word: a serial, or a hash.
  std::vector<std::uint32_t> prefixes;
  std::vector<std::uint64_t> hashed_prefixes;

  void begin_grams(std::size_t n_words) {
    prefixes.resize(n_words);
    for (std::size_t w = 0; w < n_words; ++w) prefixes[w] = serial(w);
  }
  std::uint32_t serial(std::size_t w) const { return finder.found()[w].serial; }
};

Vocabulary::Vocabulary(int ngrams, std::uint32_t n_buckets)
    : ngrams_(ngrams), grams_(ngrams > 1 && !n_buckets ? ngrams - 1 : 0), buckets_(n_buckets) {}

namespace {

void count_one(Count& count, std::uint32_t document) {
  ++count.occurrences;
  count.documents += count.last_document != document;  // no branch: it is a toss-up
  count.last_document = document;
}

}  // namespace

void Vocabulary::count_range(const Documents& documents, std::size_t begin, std::size_t end,
                             const Normalizer& normalizer, std::uint64_t first_number,
                             Scratch& scratch) {
  for (std::size_t i = begin; i < end; ++i) {
    const auto number = static_cast<std::uint32_t>(first_number + (i - begin));
    const std::size_t n = scratch.finder.read(documents, i, normalizer, words_);
    for (std::size_t w = 0; w < n; ++w) count_one(words_.counts[scratch.serial(w)], number);
    if (ngrams_ == 1) continue;
    if (buckets_.size()) {
      buckets_.each_run(scratch.finder.hashes(), n, static_cast<std::size_t>(ngrams_),
                        scratch.hashed_prefixes,
                        [&](std::uint32_t bucket, std::size_t, std::size_t) { buckets_.count(bucket); });
      continue;
    }
    scratch.begin_grams(n);
    for (std::size_t order = 2; order <= static_cast<std::size_t>(ngrams_) && order <= n; ++order) {
      GramTable& grams = grams_[order - 2];
      const std::size_t n_grams = n - order + 1;
      const auto key = [&](std::size_t w) {
        return GramTable::key(scratch.prefixes[w], scratch.serial(w + order - 1));
      };
      for (std::size_t w = 0; w < n_grams; ++w) grams.prefetch(key(w));
      for (std::size_t w = 0; w < n_grams; ++w) {
        scratch.prefixes[w] = grams.find_or_add(key(w));
        prefetch_address(&grams.counts[scratch.prefixes[w]]);
      }
      for (std::size_t w = 0; w < n_grams; ++w)
        count_one(grams.counts[scratch.prefixes[w]], number);
    }
  }
}

void Vocabulary::count(const Documents& documents, const Normalizer& normalizer,
                       const Watch& watch) {
  // Each part counts into its own table; merged in order, they give what one
  // table would have given. Parts are few because merging costs as much as
  // there are distinct words.
  const std::vector<std::size_t> ends = cut(documents, static_cast<std::size_t>(n_threads()));
  std::vector<Vocabulary> parts;
  for (std::size_t p = 0; p < ends.size(); ++p) parts.emplace_back(ngrams_, static_cast<std::uint32_t>(buckets_.size()));
  // The watch is asked by this thread alone, every few documents.
  constexpr std::size_t kTurn = 256;
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> stop{false};
  Pace pace;
  parallel_for(ends.size(), [&](std::size_t p) {
    Scratch scratch;
    const std::size_t begin = p ? ends[p - 1] : 0;
    parts[p].words_.reserve(likely_words(documents, begin, ends[p]));
    for (std::size_t i = begin; i < ends[p] && !stop; i += kTurn) {
      parts[p].count_range(documents, i, std::min(ends[p], i + kTurn), normalizer, i - begin + 1,
                           scratch);
      if (watch && std::this_thread::get_id() == caller && pace.is_due() &&
          !watch())
        stop = true;
    }
  });
  if (stop) throw Stopped{};
  if (words_.size() == 0) {
    std::swap(words_, parts[0].words_);
    std::swap(grams_, parts[0].grams_);
    buckets_.add(parts[0].buckets_);
  } else {
    merge(parts[0]);
  }
  for (std::size_t p = 1; p < parts.size(); ++p) merge(parts[p]);
}

namespace {

void add_counts(Count& to, const Count& from) {
  to.occurrences += from.occurrences;
  if (from.documents > std::numeric_limits<std::uint32_t>::max() - to.documents)
    throw std::length_error("a word in more than 2^32 documents");
  to.documents += from.documents;
}

}  // namespace

void Vocabulary::merge(const Vocabulary& other) {
  buckets_.add(other.buckets_);
  std::vector<std::uint32_t> word_map(other.words_.size());
  words_.merge(other.words_, word_map.data());
  for (std::size_t serial = 0; serial < word_map.size(); ++serial)
    add_counts(words_.counts[word_map[serial]], other.words_.counts[serial]);
  std::vector<std::uint32_t> prefix_map = word_map;
  for (std::size_t o = 0; o < grams_.size(); ++o) {
    const GramTable& from = other.grams_[o];
    std::vector<std::uint32_t> map(from.size());
    for (std::size_t serial = 0; serial < map.size(); ++serial) {
      const std::uint64_t key = from.keys[serial];
      const std::uint32_t prefix = prefix_map[key >> 32];
      map[serial] = grams_[o].find_or_add(GramTable::key(prefix, word_map[key & 0xFFFFFFFF]));
      add_counts(grams_[o].counts[map[serial]], from.counts[serial]);
    }
    prefix_map.swap(map);
  }
}

std::size_t Vocabulary::size() const {
  return std::accumulate(grams_.begin(), grams_.end(), words_.size(),
                         [](std::size_t n, const GramTable& grams) { return n + grams.size(); });
}

// (order, serial) of an entry; order 0 is the words.
std::pair<std::size_t, std::uint32_t> Vocabulary::locate(std::size_t number) const {
  if (number < words_.size()) return {0, static_cast<std::uint32_t>(number)};
  number -= words_.size();
  std::size_t order = 0;
  while (number >= grams_[order].size()) number -= grams_[order++].size();
  return {order + 1, static_cast<std::uint32_t>(number)};
}

const Count& Vocabulary::count_of(std::size_t number) const {
  const auto [order, serial] = locate(number);
  return order == 0 ? words_.counts[serial] : grams_[order - 1].counts[serial];
}

std::int32_t Vocabulary::id_of(std::size_t number) const {
  const auto [order, serial] = locate(number);
  return order == 0 ? words_.ids[serial] : grams_[order - 1].ids[serial];
}

std::string Vocabulary::gram_text(std::size_t order, std::uint32_t serial,
                                  std::string_view joiner) const {
  if (order == 0) return std::string(words_.word(serial));
  const std::uint64_t key = grams_[order - 1].keys[serial];
  std::string text = gram_text(order - 1, static_cast<std::uint32_t>(key >> 32), joiner);
  text.append(joiner);
  text.append(words_.word(static_cast<std::uint32_t>(key)));
  return text;
}

std::string Vocabulary::text(std::size_t number, std::string_view joiner) const {
  const auto [order, serial] = locate(number);
  return gram_text(order, serial, joiner);
}

std::size_t Vocabulary::rank(std::uint64_t min_count, std::int32_t first_id) {
  // Most counts are small, so entries are dealt out by count, the most frequent
  // ones together; only those are then sorted.
  constexpr std::uint64_t kOften = 4096;
  struct Entry {
    std::uint64_t occurrences;
    std::int32_t* id;
  };
  std::vector<std::size_t> ends(kOften + 1, 0);  // by kOften - min(occurrences, kOften)
  const auto each_kept = [&](const auto& use) {
    const auto each = [&](LargeVector<Count>& counts, LargeVector<std::int32_t>& ids) {
      for (std::size_t serial = 0; serial < counts.size(); ++serial) {
        const std::uint64_t occurrences = counts[serial].occurrences;
        if (occurrences < min_count) continue;
        use(static_cast<std::size_t>(kOften - std::min(occurrences, kOften)),
            Entry{occurrences, &ids[serial]});
      }
    };
    each(words_.counts, words_.ids);
    for (GramTable& grams : grams_) each(grams.counts, grams.ids);
  };
  std::fill(words_.ids.begin(), words_.ids.end(), 0);
  for (GramTable& grams : grams_) std::fill(grams.ids.begin(), grams.ids.end(), 0);
  each_kept([&](std::size_t group, const Entry&) { ++ends[group]; });
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  const std::size_t n = ends.back(), n_often = ends[0];
  if (n > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() - first_id))
    throw std::length_error("more words and n-grams than ids: raise min_count");
  std::vector<std::size_t> at(ends.size(), 0);
  std::copy(ends.begin(), ends.end() - 1, at.begin() + 1);
  std::vector<Entry> often(n_often);
  each_kept([&](std::size_t group, const Entry& entry) {
    const std::size_t place = at[group]++;
    if (group == 0) {
      often[place] = entry;
    } else {
      *entry.id = first_id + static_cast<std::int32_t>(place);
    }
  });
  std::stable_sort(often.begin(), often.end(), [](const Entry& a, const Entry& b) {
    return a.occurrences > b.occurrences;
  });
  for (std::size_t i = 0; i < n_often; ++i) *often[i].id = first_id + static_cast<std::int32_t>(i);
  max_id_ = n ? first_id + static_cast<std::int32_t>(n) - 1 : 0;
  words_.publish_ids();
  return n + rank_buckets(min_count, first_id + static_cast<std::int32_t>(n));
}

std::size_t Vocabulary::rank_buckets(std::uint64_t min_count, std::int32_t first_id) {
  const std::size_t n = buckets_.rank(min_count, first_id);
  if (n) max_id_ = first_id + static_cast<std::int32_t>(n) - 1;
  return n;
}

void Vocabulary::add(std::string_view text, std::string_view joiner, const Count& count,
                     std::int32_t id) {
  max_id_ = std::max(max_id_, id);
  std::string padded;
  const auto find_or_add_word = [&](std::string_view word) {
    padded.assign(word);
    padded.append(WordBuffer::kPadding, '\0');
    const WordKey key = WordKey::of(padded.data(), word.size());
    return words_.find_or_add(key, key.hash(), word.data(), word.size());
  };
  if (grams_.empty() || joiner.empty() || text.find(joiner) == std::string_view::npos) {
    const std::uint32_t serial = find_or_add_word(text);
    words_.counts[serial] = count;
    words_.ids[serial] = id;
    return;
  }
  std::size_t order = 0, begin = 0;
  std::uint32_t prefix = kNoSerial;
  for (bool last = false; !last; ++order) {
    if (order >= static_cast<std::size_t>(ngrams_))
      throw std::invalid_argument("an n-gram of more words than ngrams");
    std::size_t end = text.find(joiner, begin);
    last = end == std::string_view::npos;
    if (last) end = text.size();
    const std::uint32_t word = find_or_add_word(text.substr(begin, end - begin));
    prefix = order == 0 ? word : grams_[order - 1].find_or_add(GramTable::key(prefix, word));
    begin = end + joiner.size();
  }
  grams_[order - 2].counts[prefix] = count;
  grams_[order - 2].ids[prefix] = id;
}

template <class Use>
void Vocabulary::each_id(Scratch& scratch, std::size_t n, std::int32_t limit,
                         std::int32_t unknown_id, const Use& use) const {
  const auto within = [limit](std::int32_t id) { return id < limit ? id : 0; };
  for (std::size_t w = 0; w < n; ++w) {
    const std::int32_t id = within(scratch.finder.found()[w].id);
    use(id > 0 ? id : unknown_id, w, 1);
  }
  if (buckets_.size()) {
    buckets_.each_run(scratch.finder.hashes(), n, static_cast<std::size_t>(ngrams_),
                      scratch.hashed_prefixes,
                      [&](std::uint32_t bucket, std::size_t w, std::size_t order) {
                        use(within(buckets_.id_of(bucket)), w, order);
                      });
    return;
  }
  if (ngrams_ == 1) return;
  scratch.begin_grams(n);
  for (std::size_t order = 2; order <= static_cast<std::size_t>(ngrams_) && order <= n; ++order) {
    const GramTable& grams = grams_[order - 2];
    const std::size_t n_grams = n - order + 1;
    const auto is_known = [&](std::size_t w) {
      return scratch.prefixes[w] != kNoSerial && scratch.serial(w + order - 1) != kNoSerial;
    };
    const auto key = [&](std::size_t w) {
      return GramTable::key(scratch.prefixes[w], scratch.serial(w + order - 1));
    };
    for (std::size_t w = 0; w < n_grams; ++w)
      if (is_known(w)) grams.prefetch(key(w));
    for (std::size_t w = 0; w < n_grams; ++w) {
      const std::uint32_t serial = is_known(w) ? grams.find(key(w)) : kNoSerial;
      scratch.prefixes[w] = serial;
      use(serial == kNoSerial ? 0 : within(grams.ids[serial]), w, order);
    }
  }
}

void Vocabulary::encode_range(const Documents& documents, std::size_t begin, std::size_t end,
                              const Normalizer& normalizer, std::int32_t limit,
                              std::int32_t unknown_id, Scratch& scratch, Encoded& out) const {
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t n = scratch.finder.read(documents, i, normalizer, words_);
    std::size_t size = out.ids.size();
    out.ids.resize(size + n * static_cast<std::size_t>(ngrams_));
    // Every word writes an id, and the place moves on where it has one: no branch to guess.
    std::int32_t* const ids = out.ids.data();
    each_id(scratch, n, limit, unknown_id, [&](std::int32_t id, std::size_t, std::size_t) {
      ids[size] = id;
      size += id > 0;
    });
    out.ids.resize(size);
    out.offsets.push_back(static_cast<std::int64_t>(size));
  }
}

std::vector<NamedId> Vocabulary::named_ids(const Documents& documents, std::size_t i,
                                           const Normalizer& normalizer, std::int32_t limit,
                                           std::int32_t unknown_id) const {
  Scratch scratch;
  const std::size_t n = scratch.finder.read(documents, i, normalizer, words_);
  std::vector<NamedId> found;
  each_id(scratch, n, limit, unknown_id,
          [&](std::int32_t id, std::size_t first_word, std::size_t n_words) {
            if (id > 0) found.push_back({id, first_word, n_words});
          });
  return found;
}

Encoded Vocabulary::encode(const Documents& documents, const Normalizer& normalizer,
                           std::int32_t limit, std::int32_t unknown_id, const Watch& watch) const {
  const auto n_threads = static_cast<std::size_t>(wordrow::n_threads());
  // More parts than threads, so that the watch has chances and no thread waits long.
  const std::size_t n_parts = documents.size() < 64 ? 1 : 16 * n_threads;
  const std::vector<std::size_t> ends = cut(documents, n_parts);
  std::vector<Encoded> parts(ends.size());
  const auto encode_part = [&](std::size_t p) {
    Scratch scratch;
    encode_range(documents, p ? ends[p - 1] : 0, ends[p], normalizer, limit, unknown_id, scratch,
                 parts[p]);
  };
  parallel_for(ends.size(), encode_part, watch);

  Encoded all;
  all.offsets.reserve(documents.size() + 1);
  all.offsets.push_back(0);
  std::vector<std::size_t> begins;
  std::size_t n_ids = 0;
  for (const Encoded& part : parts) {
    begins.push_back(n_ids);
    for (std::int64_t offset : part.offsets)
      all.offsets.push_back(offset + static_cast<std::int64_t>(n_ids));
    n_ids += part.ids.size();
  }
  if (parts.size() == 1) {
    all.ids = std::move(parts[0].ids);
    return all;
  }
  all.ids.resize(n_ids);
  parallel_for(parts.size(), [&](std::size_t p) {
    std::copy(parts[p].ids.begin(), parts[p].ids.end(), all.ids.begin() + begins[p]);
  });
  return all;
}

}  // namespace wordrow
