#include "tables.h"

#include <cstring>
#include <stdexcept>

#if defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are read as little-endian numbers here and in normalize.cpp"
#endif

namespace wordrow {
namespace {

// Folded 64 x 64 -> 128 bit product: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
#if defined(_MSC_VER) && defined(_M_X64)
  std::uint64_t high;
  const std::uint64_t low = _umul128(a, b, &high);
  return low ^ high;
#elif defined(__SIZEOF_INT128__)
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  const std::uint64_t a0 = a & kLow, a1 = a >> 32, b0 = b & kLow, b1 = b >> 32;
  const std::uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const std::uint64_t other = a0 * b1 + (middle & kLow);
  return (a * b) ^ (a1 * b1 + (middle >> 32) + (other >> 32));
#endif
}

constexpr std::uint64_t kSeed1 = 0x9E3779B97F4A7C15u, kSeed2 = 0xD1B54A32D192ED03u;
constexpr std::size_t kInlineBytes = 15;

std::uint64_t load8(const char* bytes) {
  std::uint64_t eight;
  std::memcpy(&eight, bytes, 8);
  return eight;
}

// The low n bytes of a word, n in [0, 8].
std::uint64_t keep_bytes(std::uint64_t eight, std::size_t n) {
  return n >= 8 ? eight : eight & ((std::uint64_t{1} << (8 * n)) - 1);
}

void prefetch_address(const void* address) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

constexpr std::size_t kFirstSlots = 1024;

void require_room(std::size_t size) {
  if (size >= kNoSerial - 1) throw std::length_error("more than 2^32 different words or n-grams");
}

}  // namespace

// ---- WordTable ----------------------------------------------------------

WordTable::WordTable() : slots_(kFirstSlots, Slot{0, 0, 0}) {}

WordKey WordTable::key(const char* word, std::size_t length) {
  if (length <= kInlineBytes) {
    const std::uint64_t low = keep_bytes(load8(word), length);
    const std::uint64_t high = length > 8 ? keep_bytes(load8(word + 8), length - 8) : 0;
    return {low, high | (static_cast<std::uint64_t>(length) + 1) << 56};
  }
  std::uint64_t a = kSeed1 ^ length, b = kSeed2;
  for (std::size_t i = 0; i < length; i += 8) {
    const std::uint64_t eight = keep_bytes(load8(word + i), length - i);
    a = mix(a ^ eight, kSeed2);
    b = mix(b + eight, kSeed1);
  }
  return {a, b | std::uint64_t{0xFF} << 56};
}

std::uint64_t WordTable::hash(const WordKey& key) {
  return mix(key.low ^ kSeed1, key.high ^ kSeed2);
}

void WordTable::prefetch(std::uint64_t hash) const {
  prefetch_address(&slots_[hash & (slots_.size() - 1)]);
}

const WordTable::Slot& WordTable::probe(const WordKey& key, std::uint64_t hash,
                                        std::string_view word) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.high == 0) return slot;
    if (slot.low == key.low && slot.high == key.high &&
        (!key.is_long() || this->word(slot.serial) == word))
      return slot;
  }
}

std::uint32_t WordTable::find(const WordKey& key, std::uint64_t hash,
                              std::string_view word) const {
  const Slot& slot = probe(key, hash, word);
  return slot.high ? slot.serial : kNoSerial;
}

std::uint32_t WordTable::find_or_add(const WordKey& key, std::uint64_t hash,
                                     std::string_view word) {
  auto& slot = const_cast<Slot&>(probe(key, hash, word));
  if (slot.high) return slot.serial;
  require_room(counts.size());
  const auto serial = static_cast<std::uint32_t>(counts.size());
  slot = {key.low, key.high, serial};
  arena_.append(word);
  ends_.push_back(arena_.size());
  counts.emplace_back();
  ids.push_back(0);
  if (counts.size() * 2 > slots_.size()) grow();
  return serial;
}

std::string_view WordTable::word(std::uint32_t serial) const {
  const std::size_t begin = serial ? ends_[serial - 1] : 0;
  return {arena_.data() + begin, ends_[serial] - begin};
}

void WordTable::grow() {
  std::vector<Slot> old(slots_.size() * 2, Slot{0, 0, 0});
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.high == 0) continue;
    std::size_t i = hash({slot.low, slot.high}) & mask;
    while (slots_[i].high) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

// ---- GramTable ----------------------------------------------------------

GramTable::GramTable() : slots_(kFirstSlots, 0) {}

std::uint64_t GramTable::key(std::uint32_t prefix, std::uint32_t word) {
  return static_cast<std::uint64_t>(prefix) << 32 | word;
}

std::size_t GramTable::place(std::uint64_t key) const {
  return mix(key ^ kSeed1, kSeed2) & (slots_.size() - 1);
}

void GramTable::prefetch(std::uint64_t key) const { prefetch_address(&slots_[place(key)]); }

std::uint32_t GramTable::find(std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = place(key); slots_[i]; i = (i + 1) & mask)
    if (keys[slots_[i] - 1] == key) return slots_[i] - 1;
  return kNoSerial;
}

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
