// Rows with their words, as word2vec, GloVe and fastText write them: lines of text, or a word and
// the bytes of its numbers. A file is read piece by piece: memory holds one piece and the rows
// kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "pool.h"
#include "words.h"

namespace wordrow {

// A line or entry that is not a valid row.
struct BadRow : std::runtime_error {
  BadRow(const char* reason, std::uint64_t number_, std::uint64_t byte_, std::string found_)
      : std::runtime_error(reason), number(number_), byte(byte_), found(std::move(found_)) {}
  std::uint64_t number;  // of the line or entry, from 0
  std::uint64_t byte;    // where it begins
  std::string found;     // its word, or the text where a number should be
};

// Rows that grow, without being copied where the system can do so.
class GrowingRows {
 public:
  GrowingRows() = default;
  GrowingRows(const GrowingRows&) = delete;
  GrowingRows& operator=(const GrowingRows&) = delete;
  ~GrowingRows() { std::free(data_); }
  void reserve(std::size_t n);                   // room for n numbers in all
  void append(const float* from, std::size_t n);
  std::size_t size() const { return size_; }
  float* release();  // the caller's, to be freed by std::free; shrunk to what there is

 private:
  void resize_to(std::size_t n);
  float* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

// What to read of a file.
struct RowChoice {
  std::size_t dim = 0;
  std::size_t most = std::numeric_limits<std::size_t>::max();  // stop after this many rows
  const Words* wanted = nullptr;                               // only these words
  bool folds = false;             // or those whose lower case is one of them
  bool replaces = false;          // replace invalid UTF-8 by U+FFFD; otherwise it is a BadRow
  bool skips = false;             // leave bad rows out
};

class RowReader {
 public:
  static constexpr std::size_t kPadding = 64;     // bytes behind a piece that are readable
  static constexpr std::size_t kLongest = 16 << 20;  // bytes of a line, or of a word

  RowReader(RowChoice choice, std::size_t likely_rows);
  ~RowReader();

  // Read the whole lines, or entries, of a piece, data[n] being '\n'; return how many bytes they
  // took: all of them of the last piece. Throw BadRow, Stopped.
  std::size_t read_lines(const char* data, std::size_t n, bool is_last, const Watch& watch);
  std::size_t read_entries(const char* data, std::size_t n, bool is_last);

  bool is_full() const { return words.size() >= choice_.most; }
  std::size_t dim() const { return choice_.dim; }
  Words words;
  GrowingRows rows;
  std::uint64_t n_seen = 0;      // lines that are not blank, or entries
  std::uint64_t n_repeated = 0;  // rows of a word that had one
  std::uint64_t n_skipped = 0;   // bad rows left out
  std::uint64_t n_numbered = 0;  // words that end in a number, as where a row is too long
  std::string first_repeated, first_numbered;

 private:
  struct Part;
  class Folded;
  void read_part(const char* begin, const char* end, Part& part) const;
  void read_line(const char* begin, const char* end, Part& part, Folded& folded) const;
  bool is_wanted(const char* word, std::size_t length, Folded& folded) const;
  void keep(const char* word, std::size_t length, const float* row);

  RowChoice choice_;
  bool wants_gaps_ = false;  // whether a wanted word has a space in it
  std::uint64_t n_lines_ = 0, n_bytes_ = 0;  // read before this piece
  std::vector<std::unique_ptr<Part>> parts_;
};

// The dictionary of a fastText model: words, then labels, each with how often it occurs.
struct Dictionary {
  Words words, labels;
  std::vector<std::int64_t> counts;  // of the words, then of the labels
};
// Reads n entries from data [n_bytes] and returns how many bytes they took. Throws BadRow.
std::size_t read_dictionary(const char* data, std::size_t n_bytes, std::size_t n, bool replaces,
                            Dictionary& into);

// Appends the lines of some rows: the word, where words are given, and numbers as short as they can
// be and still be read as the same, with a gap between.
void write_lines(const Words* words, const float* rows, std::size_t dim, std::size_t begin,
                 std::size_t end, char gap, std::string& out);

}  // namespace wordrow
