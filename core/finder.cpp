#include "finder.h"

namespace wordrow {

void Finder::normalize(const Documents& documents, std::size_t i, const Normalizer& normalizer) {
  buffer_.clear();
  for (std::size_t p = documents.offsets[i]; p < documents.offsets[i + 1]; ++p) {
    try {
      if (documents.is_tokens[i]) {
        normalizer.add_token(documents.pieces[p], buffer_);
      } else {
        normalizer.split_text(documents.pieces[p], buffer_);
      }
    } catch (const InvalidUtf8& error) {
      throw InvalidDocument(i, error.byte);
    }
  }
}

// All slots are fetched before the first is looked at.
template <class Table, class Ask>
std::size_t Finder::look_up(Table& table, const Ask& ask) {
  const std::size_t n = buffer_.n_words();
  WordKey* const keys = keys_.of(n);
  std::uint64_t* const hashes = hashes_.of(n);
  Found* const found = found_.of(n);
  for (std::size_t w = 0; w < n; ++w) {
    keys[w] = WordKey::of(buffer_.word(w), buffer_.length(w));
    hashes[w] = keys[w].hash();
    table.prefetch(hashes[w]);
  }
  for (std::size_t w = 0; w < n; ++w)
    found[w] = ask(keys[w], hashes[w], buffer_.word(w), buffer_.length(w));
  return n;
}

std::size_t Finder::read(const Documents& documents, std::size_t i, const Normalizer& normalizer,
                         const WordTable& table) {
  normalize(documents, i, normalizer);
  return look_up(table, [&](const WordKey& key, std::uint64_t hash, const char* word,
                            std::size_t length) {
    const WordTable::Slot& slot = table.find(key, hash, word, length);
    return Found{slot.key.high ? slot.serial : kNoSerial, slot.id};
  });
}

std::size_t Finder::read(const Documents& documents, std::size_t i, const Normalizer& normalizer,
                         WordTable& table) {
  normalize(documents, i, normalizer);
  return look_up(table, [&](const WordKey& key, std::uint64_t hash, const char* word,
                            std::size_t length) {
    const std::uint32_t serial = table.find_or_add(key, hash, word, length);
    prefetch_address(&table.counts[serial]);
    return Found{serial, 0};
  });
}

}  // namespace wordrow
