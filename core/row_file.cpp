#include "row_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_map>
#include <utility>
#if !defined(__cpp_lib_to_chars)
#include <locale>
#include <sstream>
#endif

#include "isa.h"
#include "normalize.h"
#include "unicode.h"

namespace wordrow {
namespace {

constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kLargestPower = 22;  // 10^22 is the last that a double holds exactly

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
inline bool is_gap(char c) { return c == ' ' || c == '\t'; }

// Whether a number that is not 0, times 10^power, is below 1.
bool is_below_one(const char* in, std::int64_t power) {
  if (*in == '-' || *in == '+') ++in;
  while (*in == '0') ++in;
  const char* const whole = in;
  while (is_digit(*in)) ++in;
  if (in > whole) return in - whole + power <= 0;
  const char* const fraction = ++in;
  while (*in == '0') ++in;
  return fraction - in + power <= 0;
}

// A number that the quick way cannot round: as a double, correctly rounded. 0 where it is too
// small for one, infinity where it is too large.
double slow_number(const char* begin, const char* end, std::int64_t power) {
#if defined(__cpp_lib_to_chars)
  double value = 0;
  const char* const first = *begin == '+' ? begin + 1 : begin;
  if (std::from_chars(first, end, value).ec != std::errc::result_out_of_range) return value;
#else
  std::istringstream in(std::string(begin, end));
  in.imbue(std::locale::classic());
  double value = 0;
  if (in >> value) return value;
#endif
  const double sign = *begin == '-' ? -1.0 : 1.0;
  return is_below_one(begin, power) ? sign * 0.0 : sign * HUGE_VAL;
}

// Reads a decimal number that ends before a gap or at `end`, where no digit stands; rounds it to a
// double and then to a float, as Python does. Returns where it ends, or none for no number.
const char* read_number(const char* in, const char* end, float* out) {
  const char* const begin = in;
  const bool is_negative = *in == '-';
  if (*in == '-' || *in == '+') ++in;
  constexpr std::uint64_t kRoom = 999999999999999999u;  // one more digit fits into 64 bits
  std::uint64_t digits = 0;
  std::int64_t exponent = 0, power = 0;
  bool fits = true;
  const char* const whole = in;
  for (; is_digit(*in); ++in) {
    fits = fits && digits <= kRoom;
    digits = digits * 10 + static_cast<std::uint64_t>(*in - '0');
  }
  std::size_t n_digits = static_cast<std::size_t>(in - whole);
  if (*in == '.') {
    const char* const fraction = ++in;
    for (; is_digit(*in); ++in) {
      fits = fits && digits <= kRoom;
      digits = digits * 10 + static_cast<std::uint64_t>(*in - '0');
    }
    exponent = -(in - fraction);
    n_digits += static_cast<std::size_t>(in - fraction);
  }
  if (n_digits == 0) return nullptr;
  if ((*in | 0x20) == 'e') {
    ++in;
    const bool is_below = *in == '-';
    if (*in == '-' || *in == '+') ++in;
    if (!is_digit(*in)) return nullptr;
    for (; is_digit(*in); ++in) power = std::min<std::int64_t>(power * 10 + (*in - '0'), 1 << 30);
    if (is_below) power = -power;
    exponent += power;
  }
  if (in > end || (in < end && !is_gap(*in))) return nullptr;
  double value;
  if (fits && digits <= std::uint64_t{1} << 53 && exponent >= -kLargestPower &&
      exponent <= kLargestPower) {
    value = static_cast<double>(digits);
    value = exponent < 0 ? value / kPowers[-exponent] : value * kPowers[exponent];
    if (is_negative) value = -value;
  } else if (fits && digits == 0) {
    value = is_negative ? -0.0 : 0.0;
  } else {
    value = slow_number(begin, in, power);
  }
  *out = static_cast<float>(value);
  return in;
}

// The longest beginning of some bytes that could have become a code point counts as one error, as
// in Unicode's and Python's "replace".
std::size_t broken_bytes(const char* in, const char* end) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
  const std::size_t left = static_cast<std::size_t>(end - in);
  const unsigned char first = byte(0);
  const std::size_t whole = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || left < 2) return 1;
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 1;
  std::size_t n = 2;
  while (n < whole && n < left && (byte(n) & 0xC0) == 0x80) ++n;
  return n;
}

std::string replaced(const char* word, std::size_t length) {
  std::string out;
  const char *in = word, *const end = word + length;
  while (in < end) {
    const std::size_t n = valid_utf8(in, static_cast<std::size_t>(end - in));
    out.append(in, n);
    in += n;
    if (in == end) break;
    out += "\xEF\xBF\xBD";
    in += broken_bytes(in, end);
  }
  return out;
}

const char* const kNotUtf8 = "utf-8";
const char* const kNotFinite = "finite";
const char* const kNotNumber = "number";
const char* const kTooFew = "few";
const char* const kTooLong = "long";
const char* const kCutShort = "short";

}  // namespace

// ---- GrowingRows --------------------------------------------------------

void GrowingRows::resize_to(std::size_t n) {
  void* const memory = std::realloc(data_, std::max<std::size_t>(n, 1) * sizeof(float));
  if (!memory) throw std::bad_alloc();
  data_ = static_cast<float*>(memory);
  capacity_ = n;
}

void GrowingRows::reserve(std::size_t n) {
  if (n > capacity_) resize_to(n);
}

void GrowingRows::append(const float* from, std::size_t n) {
  if (size_ + n > capacity_) resize_to(std::max(size_ + n, capacity_ + capacity_ / 4));
  std::copy_n(from, n, data_ + size_);
  size_ += n;
}

float* GrowingRows::release() {
  resize_to(size_);
  return std::exchange(data_, nullptr);
}

// ---- RowReader ----------------------------------------------------------

// What one thread read of a piece.
struct RowReader::Part {
  std::string words;               // one behind the other, with room to read behind the last
  std::vector<std::size_t> ends;   // where each ends
  std::vector<float> rows;
  std::uint64_t n_lines = 0, n_seen = 0, n_skipped = 0;
  // The first line that is no row, where those are not left out.
  const char* reason = nullptr;
  std::uint64_t bad_line = 0;
  const char* bad_at = nullptr;
  std::string found;

  void clear() {
    words.clear();
    ends.clear();
    rows.clear();
    n_lines = n_seen = n_skipped = 0;
    reason = nullptr;
  }
};

// The lower case of words, as str.lower has it.
class RowReader::Folded {
 public:
  std::pair<const char*, std::size_t> of(const char* word, std::size_t length) {
    buffer_.clear();
    rules_.add_token({word, length, Encoding::kUtf8}, buffer_);
    return {buffer_.word(0), buffer_.length(0)};
  }

 private:
  Normalizer rules_{Rules{}};
  WordBuffer buffer_;
};

RowReader::RowReader(RowChoice choice, std::size_t likely_rows) : choice_(choice) {
  for (std::size_t i = 0; choice_.wanted && i < choice_.wanted->size(); ++i)
    for (const char c : choice_.wanted->word(i)) wants_gaps_ = wants_gaps_ || is_gap(c);
  words.reserve(likely_rows);
  rows.reserve(likely_rows * choice_.dim);
}

RowReader::~RowReader() = default;

bool RowReader::is_wanted(const char* word, std::size_t length, Folded& folded) const {
  if (!choice_.wanted) return true;
  if (choice_.wanted->find_in_place(word, length) != kNoSerial) return true;
  if (!choice_.folds || valid_utf8(word, length) < length) return false;
  const auto [lower, n] = folded.of(word, length);
  return choice_.wanted->find_in_place(lower, n) != kNoSerial;
}

void RowReader::read_line(const char* begin, const char* end, Part& part, Folded& folded) const {
  const auto fail = [&](const char* reason, const char* from, const char* to) {
    if (choice_.skips) {
      ++part.n_skipped;
    } else if (!part.reason) {
      part.reason = reason;
      part.bad_line = part.n_lines;
      part.bad_at = begin;
      part.found.assign(from, std::min<std::size_t>(static_cast<std::size_t>(to - from), 80));
    }
  };
  while (end > begin && (is_gap(end[-1]) || end[-1] == '\r')) --end;
  if (begin == end) return;
  ++part.n_seen;
  const char* word_end = begin;
  while (word_end < end && !is_gap(*word_end)) ++word_end;
  const std::size_t dim = choice_.dim;
  const std::size_t first = part.rows.size();
  // Reads dim numbers up to the line's end; returns the number that is none, or `end` for too few.
  const auto read_numbers = [&](const char* in) -> const char* {
    part.rows.resize(first + dim);
    for (std::size_t d = 0; d < dim; ++d) {
      while (is_gap(*in) && in < end) ++in;
      if (in >= end) return end;
      const char* const after = read_number(in, end, &part.rows[first + d]);
      if (!after) return in;
      in = after;
    }
    while (in < end && is_gap(*in)) ++in;
    return in == end ? nullptr : in;
  };
  bool is_read = false;
  if (is_wanted(begin, static_cast<std::size_t>(word_end - begin), folded)) {
    is_read = true;
  } else if (!wants_gaps_) {
    return;
  }
  const char* bad = is_read ? read_numbers(word_end) : word_end;
  if (bad) {
    // From the end: the last fields are the numbers, and what is before them the word.
    const char* in = end;
    std::size_t n_fields = 0;
    while (n_fields < dim && in > begin) {
      while (in > begin && !is_gap(in[-1])) --in;
      ++n_fields;
      if (n_fields == dim) break;
      while (in > begin && is_gap(in[-1])) --in;
    }
    const bool has_gap_before = in > begin && is_gap(in[-1]);
    const char* const failed = bad;
    if (n_fields < dim || !has_gap_before || in - 1 <= word_end) {
      part.rows.resize(first);
      if (!is_read) return;  // a word that is not wanted
      if (n_fields < dim || bad == end || !has_gap_before) return fail(kTooFew, begin, word_end);
      const char* bad_end = bad;
      while (bad_end < end && !is_gap(*bad_end)) ++bad_end;
      return fail(kNotNumber, bad, bad_end);
    }
    word_end = in - 1;
    if (!is_wanted(begin, static_cast<std::size_t>(word_end - begin), folded)) {
      part.rows.resize(first);
      return;
    }
    bad = read_numbers(word_end);
    if (bad) {
      part.rows.resize(first);
      const char* bad_end = failed;
      while (bad_end < end && !is_gap(*bad_end)) ++bad_end;
      return fail(kNotNumber, failed, bad_end);
    }
  }
  if (!kernels().all_finite(part.rows.data() + first, dim)) {
    part.rows.resize(first);
    return fail(kNotFinite, begin, word_end);
  }
  const std::size_t length = static_cast<std::size_t>(word_end - begin);
  if (valid_utf8(begin, length) == length) {
    part.words.append(begin, length);
  } else if (choice_.replaces) {
    part.words += replaced(begin, length);
  } else {
    part.rows.resize(first);
    return fail(kNotUtf8, begin, word_end);
  }
  part.ends.push_back(part.words.size());
}

void RowReader::read_part(const char* begin, const char* end, Part& part) const {
  part.clear();
  Folded folded;
  while (begin < end && !part.reason) {
    const auto* line_end = static_cast<const char*>(
        std::memchr(begin, '\n', static_cast<std::size_t>(end - begin)));
    if (!line_end) line_end = end;
    read_line(begin, line_end, part, folded);
    ++part.n_lines;
    begin = line_end + 1;
  }
  part.words.append(Words::kReadable, '\0');
}

void RowReader::keep(const char* word, std::size_t length, const float* row) {
  if (!words.add_in_place(word, length)) {
    if (n_repeated++ == 0) first_repeated.assign(word, length);
    return;
  }
  rows.append(row, choice_.dim);
  const char *const end = word + length, *field = end;
  while (field > word && !is_gap(field[-1])) --field;
  if (field == word) return;
  const std::string last(field, end);
  if (last.find_first_of("0123456789") == std::string::npos) return;  // "nan" is a word, too
  float number;
  if (read_number(last.data(), last.data() + last.size(), &number) && n_numbered++ == 0)
    first_numbered.assign(word, length);
}

std::size_t RowReader::read_lines(const char* data, std::size_t n, bool is_last,
                                  const Watch& watch) {
  std::size_t whole = n;
  if (!is_last) {
    while (whole > 0 && data[whole - 1] != '\n') --whole;
  }
  if (n - whole > kLongest) throw BadRow(kTooLong, n_lines_, n_bytes_ + whole, "");
  // Cut at ends of lines, into parts whose number says nothing about what comes out.
  constexpr std::size_t kPartBytes = 1 << 18;
  std::vector<std::size_t> cuts = {0};
  while (cuts.back() < whole) {
    std::size_t cut = std::min(whole, cuts.back() + kPartBytes);
    while (cut < whole && data[cut - 1] != '\n') ++cut;
    cuts.push_back(cut);
  }
  const std::size_t n_parts = cuts.size() - 1;
  while (parts_.size() < n_parts) parts_.push_back(std::make_unique<Part>());
  parallel_for(
      n_parts, [&](std::size_t i) { read_part(data + cuts[i], data + cuts[i + 1], *parts_[i]); },
      watch);
  for (std::size_t i = 0; i < n_parts && !is_full(); ++i) {
    const Part& part = *parts_[i];
    std::size_t begin = 0;
    for (std::size_t j = 0; j < part.ends.size() && !is_full(); ++j) {
      keep(part.words.data() + begin, part.ends[j] - begin, part.rows.data() + j * choice_.dim);
      begin = part.ends[j];
    }
    if (part.reason && !is_full())
      throw BadRow(part.reason, n_lines_ + part.bad_line,
                   n_bytes_ + static_cast<std::size_t>(part.bad_at - data), part.found);
    n_lines_ += part.n_lines;
    n_seen += part.n_seen;
    n_skipped += part.n_skipped;
  }
  n_bytes_ += whole;
  return whole;
}

std::size_t read_dictionary(const char* data, std::size_t n_bytes, std::size_t n, bool replaces,
                            Dictionary& into) {
  constexpr std::size_t kBehind = 9;  // a count of 8 bytes, and what it is
  std::size_t at = 0;
  std::unordered_map<std::string, std::size_t> n_repeated;
  for (std::size_t i = 0; i < n; ++i) {
    const auto fail = [&](const char* reason) {
      throw BadRow(reason, i, at, std::string(data + at, std::min<std::size_t>(n_bytes - at, 40)));
    };
    const auto* end = static_cast<const char*>(std::memchr(data + at, 0, n_bytes - at));
    if (!end || static_cast<std::size_t>(data + n_bytes - end) < 1 + kBehind) fail(kCutShort);
    const std::size_t length = static_cast<std::size_t>(end - data) - at;
    std::int64_t count;
    std::memcpy(&count, end + 1, sizeof count);
    const char kind = end[1 + sizeof count];
    if (kind != 0 && kind != 1) fail(kNotNumber);
    std::string word(data + at, length);
    if (valid_utf8(word.data(), length) < length) {
      if (!replaces) fail(kNotUtf8);
      word = replaced(word.data(), length);
    }
    if (kind == 0 && into.labels.size() > 0) fail(kNotNumber);
    // What became like another is told apart: every entry has a row of its own.
    Words& words = kind == 0 ? into.words : into.labels;
    if (!words.add(word)) {
      std::size_t& times = n_repeated[word];
      while (!words.add(word + "\xEF\xBF\xBD" + std::to_string(++times))) {
      }
    }
    into.counts.push_back(count);
    at += length + 1 + kBehind;
  }
  return at;
}

void write_lines(const Words* words, const float* rows, std::size_t dim, std::size_t begin,
                 std::size_t end, char gap, std::string& out) {
  char number[32];
  for (std::size_t row = begin; row < end; ++row) {
    if (words) out.append(words->word(row));
    for (std::size_t d = 0; d < dim; ++d) {
      const float x = rows[row * dim + d];
      if (words || d > 0) out += gap;
#if defined(__cpp_lib_to_chars)
      out.append(number, std::to_chars(number, number + sizeof number, x).ptr);
#else
      std::ostringstream text;
      text.imbue(std::locale::classic());
      text.precision(9);
      text << x;
      out += text.str();
#endif
    }
    out += '\n';
  }
}

std::size_t RowReader::read_entries(const char* data, std::size_t n, bool is_last) {
  const std::size_t row_bytes = choice_.dim * sizeof(float);
  std::vector<float> row(choice_.dim);
  Folded folded;
  std::size_t at = 0;
  while (!is_full()) {
    std::size_t begin = at;
    while (begin < n && data[begin] == '\n') ++begin;
    if (begin == n) {
      if (is_last) at = n;
      break;
    }
    const auto* word_end = static_cast<const char*>(std::memchr(data + begin, ' ', n - begin));
    const auto cut_short = [&](const char* reason) {
      throw BadRow(reason, n_seen, n_bytes_ + begin,
                   std::string(data + begin, std::min<std::size_t>(n - begin, 40)));
    };
    if (!word_end) {
      if (n - begin > kLongest) cut_short(kTooLong);
      if (is_last) cut_short(kCutShort);
      break;
    }
    const std::size_t length = static_cast<std::size_t>(word_end - data) - begin;
    if (n - begin < length + 1 + row_bytes) {
      if (is_last) cut_short(kCutShort);
      break;
    }
    const char* const word = data + begin;
    at = begin + length + 1 + row_bytes;
    ++n_seen;
    if (!is_wanted(word, length, folded)) continue;
    std::memcpy(row.data(), word_end + 1, row_bytes);
    const bool is_text = valid_utf8(word, length) == length;
    const bool is_finite = kernels().all_finite(row.data(), row.size());
    if (!is_finite || (!is_text && !choice_.replaces)) {
      if (!choice_.skips)
        throw BadRow(is_finite ? kNotUtf8 : kNotFinite, n_seen - 1, n_bytes_ + begin,
                     std::string(word, std::min<std::size_t>(length, 80)));
      ++n_skipped;
    } else if (is_text) {
      keep(word, length, row.data());
    } else {
      const std::string shown = replaced(word, length);
      keep((shown + std::string(Words::kReadable, '\0')).data(), shown.size(), row.data());
    }
  }
  n_bytes_ += at;
  return at;
}

}  // namespace wordrow
