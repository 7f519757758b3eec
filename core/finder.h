// Finds the words of documents in a table, one document after the other. What
// one thread needs for that is kept from document to document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"
#include "normalize.h"
#include "tables.h"

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

class Finder {
 public:
  struct Found {
    std::uint32_t serial;  // kNoSerial: not in the table
    std::int32_t id;       // 0: not in the index
  };

  // Finds the words of a document: found()[w] for each; returns how many there
  // are. A table that grows is given without const. Throws InvalidDocument.
  std::size_t read(const Documents& documents, std::size_t i, const Normalizer& normalizer,
                   const WordTable& table);
  std::size_t read(const Documents& documents, std::size_t i, const Normalizer& normalizer,
                   WordTable& table);
  const Found* found() const { return found_.data(); }
  const std::uint64_t* hashes() const { return hashes_.data(); }

 private:
  void normalize(const Documents& documents, std::size_t i, const Normalizer& normalizer);
  template <class Table, class Ask>
  std::size_t look_up(Table& table, const Ask& ask);

  WordBuffer buffer_;
  Room<WordKey> keys_;
  Room<std::uint64_t> hashes_;
  Room<Found> found_;
};

}  // namespace wordrow
