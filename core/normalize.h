// Raw text -> normalised words, with the semantics of Keras's
// text_to_word_sequence: lower-case, replace filter characters, split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "memory.h"
#include "unicode.h"

namespace wordrow {

// How the units of a text are stored: Python's three widths, or UTF-8.
enum class Encoding : std::uint8_t { kUtf8, kLatin1, kUcs2, kUcs4 };

struct TextView {
  const void* data;
  std::size_t length;  // in units of the encoding
  Encoding encoding;
};

enum class Mode : std::uint8_t {
  kSplit,       // filter characters become `split`, words lie between `split`s
  kWhitespace,  // filter characters vanish, words lie between white space
  kCharacters,  // every character is a word; nothing is filtered
};

struct Rules {
  Mode mode = Mode::kSplit;
  bool lower = true;
  std::vector<CodePoint> filters;
  std::string split = " ";  // UTF-8, kSplit only
};

struct WordSpan {
  std::uint32_t begin, end;  // bytes of WordBuffer
};

// The words of some texts, one after the other, as UTF-8. Some bytes past the
// last word may be read.
class WordBuffer {
 public:
  static constexpr std::size_t kPadding = 64;
  void clear() { size_ = n_words_ = 0; }
  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }
  std::size_t n_words() const { return n_words_; }
  const char* word(std::size_t i) const { return data() + spans_.data()[i].begin; }
  std::size_t length(std::size_t i) const { return spans_.data()[i].end - spans_.data()[i].begin; }

  // Room for n more bytes; returns where they go. take(n) keeps the first n, and
  // throws std::length_error where a document has more bytes than spans can say.
  char* room(std::size_t n) { return bytes_.of(size_ + n + kPadding, size_) + size_; }
  void take(std::size_t n);
  // Room for n more spans, and how many of them are kept.
  WordSpan* span_room(std::size_t n) { return spans_.of(n_words_ + n, n_words_) + n_words_; }
  void take_spans(std::size_t n) { n_words_ += n; }
  void add_span(std::size_t begin, std::size_t end) {
    *span_room(1) = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    ++n_words_;
  }

 private:
  Room<char> bytes_;
  Room<WordSpan> spans_;
  std::size_t size_ = 0, n_words_ = 0;
};

// Bytes that are not UTF-8.
struct InvalidUtf8 : std::runtime_error {
  explicit InvalidUtf8(std::size_t byte_)
      : std::runtime_error("invalid UTF-8 at byte " + std::to_string(byte_)), byte(byte_) {}
  std::size_t byte;
};

class Normalizer {
 public:
  explicit Normalizer(Rules rules);
  // Appends the words of a text. Throws InvalidUtf8.
  void split_text(const TextView& text, WordBuffer& out) const;
  // Appends a token: lower-cased where the rules say so, otherwise as it is.
  void add_token(const TextView& token, WordBuffer& out) const;

 private:
  template <class Reader, bool kFilter>
  std::size_t write(const Reader& reader, char* out) const;
  template <bool kFilter>
  std::size_t write(const TextView& text, WordBuffer& out) const;
  char* put(CodePoint code, char* out) const;
  bool is_filtered(CodePoint code) const;
  void find_words(std::size_t begin, WordBuffer& out) const;
  std::size_t worst_case(std::size_t length) const;

  Rules rules_;
  std::string replacement_;   // what a filter character becomes
  std::string separator_;     // what words are split on after that
  std::uint8_t ascii_[128];   // each ASCII character's one normalised byte
  bool ascii_is_plain_;       // whether ascii_ tells all there is to know
};

}  // namespace wordrow
