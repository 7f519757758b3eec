// Distinct words, each with its place in the order they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tables.h"

namespace wordrow {

class Words {
 public:
  static constexpr std::size_t kReadable = 16;  // bytes behind a word's begin that are read

  // The place of a word, or kNoSerial. In `_in_place`, kReadable bytes can be read.
  std::uint32_t find_in_place(const char* word, std::size_t length) const {
    const WordKey key = WordKey::of(word, length);
    const WordTable::Slot& slot = table_.find(key, key.hash(), word, length);
    return slot.key.high ? slot.serial : kNoSerial;
  }
  std::uint32_t find(std::string_view word) const {
    char room[kReadable] = {};
    if (word.size() < kReadable) {
      std::memcpy(room, word.data(), word.size());
      return find_in_place(room, word.size());
    }
    return find_in_place(std::string(word).append(kReadable, '\0').data(), word.size());
  }
  // The same, added where it is new; `is_new` says whether it was.
  std::uint32_t add_in_place(const char* word, std::size_t length, bool* is_new) {
    const WordKey key = WordKey::of(word, length);
    const std::size_t n_before = table_.size();
    const std::uint32_t place = table_.find_or_add(key, key.hash(), word, length);
    *is_new = table_.size() > n_before;
    return place;
  }
  bool add(std::string_view word) {
    bool is_new;
    add_in_place(std::string(word).append(kReadable, '\0').data(), word.size(), &is_new);
    return is_new;
  }
  void reserve(std::size_t n) { table_.reserve(n); }
  std::size_t size() const { return table_.size(); }
  std::string_view word(std::size_t place) const {
    return table_.word(static_cast<std::uint32_t>(place));
  }

 private:
  WordTable table_;
};

}  // namespace wordrow
