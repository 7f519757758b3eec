#include "unicode.h"

namespace wordrow {
namespace {

#include "unicode_table.inc"

enum Flag : std::uint8_t { kCased = 1, kIgnorable = 2, kSpace = 4 };

std::uint8_t flags(CodePoint code) {
  if (code > kMaxCodePoint) return 0;
  return flag_pages[flag_index[code >> 8] * 256u + (code & 255)];
}

}  // namespace

CodePoint lower(CodePoint code) {
  if (code > kMaxCodePoint) return code;
  return code + static_cast<CodePoint>(lower_pages[lower_index[code >> 8] * 256u + (code & 255)]);
}

bool is_cased(CodePoint code) { return flags(code) & kCased; }
bool is_case_ignorable(CodePoint code) { return flags(code) & kIgnorable; }
bool is_space(CodePoint code) { return flags(code) & kSpace; }

std::size_t encode_utf8(CodePoint code, char* out) {
  auto* bytes = reinterpret_cast<unsigned char*>(out);
  if (code < 0x80) {
    bytes[0] = static_cast<unsigned char>(code);
    return 1;
  }
  if (code < 0x800) {
    bytes[0] = static_cast<unsigned char>(0xC0 | code >> 6);
    bytes[1] = static_cast<unsigned char>(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    bytes[0] = static_cast<unsigned char>(0xE0 | code >> 12);
    bytes[1] = static_cast<unsigned char>(0x80 | (code >> 6 & 0x3F));
    bytes[2] = static_cast<unsigned char>(0x80 | (code & 0x3F));
    return 3;
  }
  bytes[0] = static_cast<unsigned char>(0xF0 | code >> 18);
  bytes[1] = static_cast<unsigned char>(0x80 | (code >> 12 & 0x3F));
  bytes[2] = static_cast<unsigned char>(0x80 | (code >> 6 & 0x3F));
  bytes[3] = static_cast<unsigned char>(0x80 | (code & 0x3F));
  return 4;
}

std::size_t decode_utf8(const char* in, const char* end, CodePoint* code) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(in);
  const auto left = static_cast<std::size_t>(end - in);
  const unsigned char lead = bytes[0];
  if (lead < 0x80) {
    *code = lead;
    return 1;
  }
  std::size_t length;
  CodePoint value, smallest;
  if (lead >= 0xC2 && lead < 0xE0) {
    length = 2, value = lead & 0x1F, smallest = 0x80;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3, value = lead & 0x0F, smallest = 0x800;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    length = 4, value = lead & 0x07, smallest = 0x10000;
  } else {
    return 0;
  }
  if (left < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((bytes[i] & 0xC0) != 0x80) return 0;
    value = value << 6 | (bytes[i] & 0x3F);
  }
  if (value < smallest || value > kMaxCodePoint) return 0;
  *code = value;
  return length;
}

std::size_t valid_utf8(const char* text, std::size_t n, bool lets_surrogates) {
  const char *in = text, *const end = text + n;
  while (in < end) {
    if (static_cast<unsigned char>(*in) < 128) {
      ++in;
      continue;
    }
    CodePoint code = 0;
    const std::size_t length = decode_utf8(in, end, &code);
    const bool is_surrogate = code >= 0xD800 && code < 0xE000;
    if (length == 0 || (is_surrogate && !lets_surrogates)) break;
    in += length;
  }
  return static_cast<std::size_t>(in - text);
}

}  // namespace wordrow
