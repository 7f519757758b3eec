#include "tables.h"

#include <stdexcept>

namespace wordrow {
namespace {

void require_room(std::size_t size) {
  if (size >= kNoSerial - 1) throw std::length_error("more than 2^32 different words or n-grams");
}

}  // namespace

WordKey WordKey::of_long(const char* word, std::size_t length) {
  std::uint64_t a = kSeed1 ^ length, b = kSeed2;
  for (std::size_t i = 0; i < length; i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, word + i, 8);
    if (length - i < 8) eight &= kKept.low[length - i];
    a = mix(a ^ eight, kSeed2);
    b = mix(b + eight, kSeed1);
  }
  return {a, b | std::uint64_t{0xFF} << 56};
}

// ---- WordTable ----------------------------------------------------------

const WordTable::Slot& WordTable::search(const WordKey& key, std::uint64_t hash,
                                         const char* word, std::size_t length) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask & ~std::size_t{1};; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.key.high == 0) return slot;
    if (slot.key == key &&
        (!key.is_long() || this->word(slot.serial) == std::string_view(word, length)))
      return slot;
  }
}

std::uint32_t WordTable::add(Slot& slot, const WordKey& key, const char* word,
                             std::size_t length) {
  require_room(counts.size());
  const auto serial = static_cast<std::uint32_t>(counts.size());
  slot.key = key;
  slot.serial = serial;
  arena_.append(word, length);
  ends_.push_back(arena_.size());
  counts.emplace_back();
  ids.push_back(0);
  if (counts.size() * 2 > slots_.size()) rehash(slots_.size() * 2);
  return serial;
}

void WordTable::reserve(std::size_t n_words) {
  std::size_t n_slots = slots_.size();
  while (n_slots < 2 * n_words) n_slots *= 2;
  if (n_slots > slots_.size()) rehash(n_slots);
}

void WordTable::rehash(std::size_t n_slots) {
  LargeVector<Slot> old(n_slots);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.key.high == 0) continue;
    std::size_t i = slot.key.hash() & mask & ~std::size_t{1};
    while (slots_[i].key.high) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

void WordTable::merge(const WordTable& other, std::uint32_t* serials) {
  std::vector<WordKey> keys(other.size());
  for (const Slot& slot : other.slots_)
    if (slot.key.high) keys[slot.serial] = slot.key;
  constexpr std::size_t kAhead = 16;
  std::vector<std::uint64_t> hashes(other.size());
  for (std::size_t s = 0; s < keys.size(); ++s) hashes[s] = keys[s].hash();
  for (std::size_t s = 0; s < keys.size(); ++s) {
    if (s + kAhead < keys.size()) prefetch(hashes[s + kAhead]);
    const std::string_view word = other.word(static_cast<std::uint32_t>(s));
    serials[s] = find_or_add(keys[s], hashes[s], word.data(), word.size());
  }
}

void WordTable::publish_ids() {
  for (Slot& slot : slots_)
    if (slot.key.high) slot.id = ids[slot.serial];
}

// ---- GramTable ----------------------------------------------------------

std::uint32_t GramTable::find_or_add(std::uint64_t key) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = place(key);
  for (; slots_[i]; i = (i + 1) & mask)
    if (keys[slots_[i] - 1] == key) return slots_[i] - 1;
  require_room(counts.size());
  slots_[i] = static_cast<std::uint32_t>(counts.size() + 1);
  counts.emplace_back();
  ids.push_back(0);
  keys.push_back(key);
  const std::uint32_t serial = slots_[i] - 1;
  if (counts.size() * 2 > slots_.size()) grow();
  return serial;
}

void GramTable::grow() {
  slots_.assign(slots_.size() * 2, 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t serial = 0; serial < keys.size(); ++serial) {
    std::size_t i = place(keys[serial]);
    while (slots_[i]) i = (i + 1) & mask;
    slots_[i] = static_cast<std::uint32_t>(serial + 1);
  }
}

}  // namespace wordrow
