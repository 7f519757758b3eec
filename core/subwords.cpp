#include "subwords.h"

namespace wordrow {

void add_subwords(std::string_view word, const SubwordRules& rules, std::string& room,
                  std::vector<std::int32_t>& buckets) {
  if (rules.max_n <= 0 || rules.n_buckets == 0) return;
  room.assign(1, '<').append(word).append(1, '>');
  const auto continues = [&](std::size_t i) {
    return i < room.size() && (static_cast<unsigned char>(room[i]) & 0xC0) == 0x80;
  };
  for (std::size_t begin = 0; begin < room.size(); ++begin) {
    if (continues(begin)) continue;
    std::size_t end = begin;
    for (int n = 1; end < room.size() && n <= rules.max_n; ++n) {
      do ++end;
      while (continues(end));
      if (n < rules.min_n || (n == 1 && (begin == 0 || end == room.size()))) continue;
      const std::uint32_t hash = subword_hash(std::string_view(room).substr(begin, end - begin));
      buckets.push_back(static_cast<std::int32_t>(hash % rules.n_buckets));
    }
  }
}

}  // namespace wordrow
