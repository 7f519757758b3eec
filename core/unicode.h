// Code points: lower case, the properties that decide a final sigma, UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wordrow {

using CodePoint = std::uint32_t;

constexpr CodePoint kDottedI = 0x130;      // lower-cases to "i" + kCombiningDot
constexpr CodePoint kCombiningDot = 0x307;
constexpr CodePoint kSigma = 0x3A3;        // lower case depends on its neighbours
constexpr CodePoint kSmallSigma = 0x3C3;
constexpr CodePoint kFinalSigma = 0x3C2;
constexpr CodePoint kMaxCodePoint = 0x10FFFF;

// Python's str.lower of one code point, but for kDottedI and kSigma.
CodePoint lower(CodePoint code);

bool is_cased(CodePoint code);
bool is_case_ignorable(CodePoint code);
bool is_space(CodePoint code);  // str.isspace, what str.split() splits on

// Writes 1 to 4 bytes and returns how many. Lone surrogates get three bytes,
// as Python's "surrogatepass" writes them.
std::size_t encode_utf8(CodePoint code, char* out);

// Decodes one code point of [in, end) into *code and returns its length in
// bytes, or 0 if the bytes are not UTF-8 (surrogates are let through, as above).
std::size_t decode_utf8(const char* in, const char* end, CodePoint* code);

// How many of n bytes are UTF-8, up to the first that is not. Surrogates are, or are not.
std::size_t valid_utf8(const char* text, std::size_t n, bool lets_surrogates = false);

}  // namespace wordrow
