// The character n-grams of words, hashed to buckets as fastText does it (Bojanowski et al. 2017,
// "Enriching Word Vectors with Subword Information").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wordrow {

struct SubwordRules {
  int min_n, max_n;  // code points of an n-gram; max_n 0: there are none
  std::uint32_t n_buckets;
};

// fastText's hash of a word or n-gram: FNV-1a with bytes taken as signed.
inline std::uint32_t subword_hash(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) {
    hash ^= static_cast<std::uint32_t>(static_cast<signed char>(c));
    hash *= 16777619u;
  }
  return hash;
}

// Appends the buckets of the n-grams of "<word>", in fastText's order.
void add_subwords(std::string_view word, const SubwordRules& rules, std::string& room,
                  std::vector<std::int32_t>& buckets);

}  // namespace wordrow
