#include "normalize.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "isa.h"

namespace wordrow {
namespace {

// A reader gives the code point that begins at unit i and the unit after it;
// before(i) gives the unit at which the code point before i begins.
struct Utf8Reader {
  const char* data;
  std::size_t length;
  CodePoint at(std::size_t i, std::size_t* next) const {
    CodePoint code = 0;
    const std::size_t n = decode_utf8(data + i, data + length, &code);
    if (n == 0) throw InvalidUtf8(i);
    *next = i + n;
    return code;
  }
  std::size_t before(std::size_t i) const {
    do --i;
    while (i > 0 && (data[i] & 0xC0) == 0x80);
    return i;
  }
};

template <class Unit>
struct FixedReader {
  const Unit* data;
  std::size_t length;
  CodePoint at(std::size_t i, std::size_t* next) const {
    *next = i + 1;
    return data[i];
  }
  std::size_t before(std::size_t i) const { return i - 1; }
};

// The lower case of the sigma at [begin, end): final where a letter stands
// before it and none after it, case-ignorable characters aside (Unicode 3.13).
template <class Reader>
CodePoint lower_sigma(const Reader& reader, std::size_t begin, std::size_t end) {
  std::size_t next;
  bool letter_before = false;
  for (std::size_t i = begin; i > 0;) {
    i = reader.before(i);
    const CodePoint code = reader.at(i, &next);
    if (is_case_ignorable(code)) continue;
    letter_before = is_cased(code);
    break;
  }
  if (!letter_before) return kSmallSigma;
  for (std::size_t i = end; i < reader.length; i = next) {
    const CodePoint code = reader.at(i, &next);
    if (is_case_ignorable(code)) continue;
    return is_cased(code) ? kSmallSigma : kFinalSigma;
  }
  return kFinalSigma;
}

std::string utf8(CodePoint code) {
  char bytes[4];
  return std::string(bytes, encode_utf8(code, bytes));
}

}  // namespace

void WordBuffer::take(std::size_t n) {
  if (size_ + n > std::numeric_limits<std::uint32_t>::max() - kPadding)
    throw std::length_error("a text of more than 4 GB: cut it into several");
  size_ += n;
}

Normalizer::Normalizer(Rules rules) : rules_(std::move(rules)) {
  std::sort(rules_.filters.begin(), rules_.filters.end());
  replacement_ = rules_.mode == Mode::kSplit ? rules_.split : "";
  separator_ = rules_.mode == Mode::kSplit ? rules_.split : " ";
  ascii_is_plain_ = true;
  for (CodePoint code = 0; code < 128; ++code) {
    const CodePoint low = rules_.lower ? lower(code) : code;
    std::string bytes = utf8(low);
    if (is_filtered(low)) {
      bytes = replacement_;
    } else if (rules_.mode == Mode::kWhitespace && is_space(low)) {
      bytes = separator_;
    }
    ascii_is_plain_ = ascii_is_plain_ && bytes.size() == 1;
    ascii_[code] = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
  }
}

bool Normalizer::is_filtered(CodePoint code) const {
  return !rules_.filters.empty() && code <= rules_.filters.back() &&
         std::binary_search(rules_.filters.begin(), rules_.filters.end(), code);
}

// Writes one lower-cased code point of a text that is to be split.
char* Normalizer::put(CodePoint code, char* out) const {
  const std::string* bytes = nullptr;
  if (is_filtered(code)) {
    bytes = &replacement_;
  } else if (rules_.mode == Mode::kWhitespace && is_space(code)) {
    bytes = &separator_;
  }
  if (!bytes) return out + encode_utf8(code, out);
  std::memcpy(out, bytes->data(), bytes->size());
  return out + bytes->size();
}

template <class Reader, bool kFilter>
std::size_t Normalizer::write(const Reader& reader, char* out) const {
  char* const begin = out;
  const auto put_code = [&](CodePoint code) {
    out = kFilter ? put(code, out) : out + encode_utf8(code, out);
  };
  const bool plain = kFilter && ascii_is_plain_;
  const auto map_ascii = kernels().map_ascii;
  std::size_t look = 0;  // where to try the kernel again: not where it has just stopped
  for (std::size_t i = 0, next = 0; i < reader.length; i = next) {
    if (plain && i >= look) {
      const std::size_t n =
          map_ascii(reader.data + i, sizeof *reader.data, reader.length - i, ascii_, out);
      out += n, i += n;
      look = i + 16;
      if (i == reader.length) break;
    }
    const CodePoint code = reader.at(i, &next);
    if (plain && code < 128) {
      *out++ = static_cast<char>(ascii_[code]);
    } else if (!rules_.lower) {
      put_code(code);
    } else if (code == kSigma) {
      put_code(lower_sigma(reader, i, next));
    } else if (code == kDottedI) {
      put_code('i');
      put_code(kCombiningDot);
    } else {
      put_code(lower(code));
    }
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t Normalizer::worst_case(std::size_t length) const {
  // A unit becomes at most one code point (4 bytes), "i" and a combining dot
  // (3), or the replacement (twice, if both of those are filtered).
  return length * std::max<std::size_t>(4, 2 * replacement_.size()) + 8;
}

template <bool kFilter>
std::size_t Normalizer::write(const TextView& text, WordBuffer& out) const {
  char* const to = out.room(worst_case(text.length));
  const std::size_t n = text.length;
  switch (text.encoding) {
    case Encoding::kUtf8:
      return write<Utf8Reader, kFilter>({static_cast<const char*>(text.data), n}, to);
    case Encoding::kLatin1:
      return write<FixedReader<std::uint8_t>, kFilter>(
          {static_cast<const std::uint8_t*>(text.data), n}, to);
    case Encoding::kUcs2:
      return write<FixedReader<std::uint16_t>, kFilter>(
          {static_cast<const std::uint16_t*>(text.data), n}, to);
    case Encoding::kUcs4:
      return write<FixedReader<std::uint32_t>, kFilter>(
          {static_cast<const std::uint32_t*>(text.data), n}, to);
  }
  return 0;
}

void Normalizer::split_text(const TextView& text, WordBuffer& out) const {
  const std::size_t begin = out.size();
  if (rules_.mode == Mode::kCharacters) {
    out.take(write<false>(text, out));
  } else {
    out.take(write<true>(text, out));
  }
  find_words(begin, out);
}

void Normalizer::add_token(const TextView& token, WordBuffer& out) const {
  const std::size_t begin = out.size();
  const std::size_t n = write<false>(token, out);
  out.take(n);
  out.add_span(begin, begin + n);
}

void Normalizer::find_words(std::size_t begin, WordBuffer& out) const {
  const char* const data = out.data() + begin;
  const std::size_t length = out.size() - begin;
  if (rules_.mode == Mode::kCharacters) {
    for (std::size_t i = 0, n; i < length; i += n) {
      CodePoint code;
      n = decode_utf8(data + i, data + length, &code);
      out.add_span(begin + i, begin + i + n);
    }
    return;
  }
  if (separator_.size() == 1) {
    WordSpan* const spans = out.span_room(length / 2 + 4);
    out.take_spans(kernels().find_edges(data, length, separator_[0], static_cast<std::uint32_t>(begin),
                                        &spans->begin) / 2);
    return;
  }
  std::size_t word = 0;
  const auto end_word = [&](std::size_t end, std::size_t next) {
    if (end > word) out.add_span(begin + word, begin + end);
    word = next;
  };
  const char* at = data;
  const char* const end = data + length;
  while ((at = std::search(at, end, separator_.begin(), separator_.end())) != end) {
    const auto i = static_cast<std::size_t>(at - data);
    end_word(i, i + separator_.size());
    at += separator_.size();
  }
  end_word(length, length);
}

}  // namespace wordrow
