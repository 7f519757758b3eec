// Distinct words, numbered in the order of their addition, in little more memory than their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tables.h"

namespace wordrow {

class Words {
 public:
  static constexpr std::size_t kReadable = 16;  // bytes behind a word's end that must be readable

  Words() : slots_(1024) {}

  // The number of a word, or kNoSerial. `_in_place`: kReadable bytes past its end are readable.
  std::uint32_t find_in_place(const char* word, std::size_t length) const {
    return slots_[slot_of(hash_of(word, length), {word, length})].place - 1;
  }
  std::uint32_t find(std::string_view word) const {
    return find_in_place(readable(word).data(), word.size());
  }
  // Adds a word; returns whether it is new.
  bool add_in_place(const char* word, std::size_t length) {
    const std::uint32_t hash = hash_of(word, length);
    Slot& slot = slots_[slot_of(hash, {word, length})];
    if (slot.place) return false;
    if (ends_.size() >= kNoSerial - 1) throw std::length_error("more than 2^32 different words");
    bytes_.append(word, length);
    ends_.push_back(bytes_.size());
    slot = {static_cast<std::uint32_t>(ends_.size()), hash};
    if (2 * ends_.size() > slots_.size()) rehash(2 * slots_.size());
    return true;
  }
  bool add(std::string_view word) { return add_in_place(readable(word).data(), word.size()); }
  void reserve(std::size_t n) {
    std::size_t n_slots = slots_.size();
    while (n_slots < 2 * n) n_slots *= 2;
    if (n_slots > slots_.size()) rehash(n_slots);
  }
  std::size_t size() const { return ends_.size(); }
  std::string_view word(std::size_t place) const {
    const std::size_t begin = place ? ends_[place - 1] : 0;
    return {bytes_.data() + begin, ends_[place] - begin};
  }

 private:
  struct Slot {
    std::uint32_t place = 0;  // from 1; 0: empty
    std::uint32_t hash = 0;   // so that other words are seldom compared
  };

  static std::string readable(std::string_view word) {
    return std::string(word).append(kReadable, '\0');
  }
  static std::uint32_t hash_of(const char* word, std::size_t length) {
    return static_cast<std::uint32_t>(WordKey::of(word, length).hash() >> 16);
  }
  // Where a word is, or would be.
  std::size_t slot_of(std::uint32_t hash, std::string_view wanted) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      const Slot& slot = slots_[i];
      if (!slot.place || (slot.hash == hash && word(slot.place - 1) == wanted)) return i;
    }
  }
  void rehash(std::size_t n_slots) {
    std::vector<Slot> old(n_slots);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (!slot.place) continue;
      std::size_t i = slot.hash & (n_slots - 1);
      while (slots_[i].place) i = (i + 1) & (n_slots - 1);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::string bytes_;
  std::vector<std::size_t> ends_;  // where each word ends in the bytes
};

}  // namespace wordrow
