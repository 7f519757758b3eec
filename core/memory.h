// Arrays that are read at random, on large pages where the system has them: a table of words or
// rows has more small pages than the processor's TLB has entries.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace wordrow {

inline void prefetch_address(const void* address) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

// The same for what will be written: fetches the cache line for exclusive use.
inline void prefetch_to_write(const void* address) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address, 1);
#else
  (void)address;
#endif
}

// For a function whose inner loop needs all registers.
#if defined(__GNUC__) || defined(__clang__)
#define WORDROW_NOINLINE __attribute__((noinline))
#else
#define WORDROW_NOINLINE
#endif

// Asks for large pages in memory that has not been touched yet.
inline void prefer_large_pages(void* memory, std::size_t n_bytes) {
#if defined(__linux__)
  constexpr std::uintptr_t kPage = std::uintptr_t{2} << 20;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (begin + kPage - 1) / kPage * kPage;
  const std::uintptr_t end = (begin + n_bytes) / kPage * kPage;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)n_bytes;
#endif
}

template <class T>
struct LargePages {
  using value_type = T;
  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U>&) {}

  T* allocate(std::size_t n) {
#if defined(__linux__)
    constexpr std::size_t kPage = std::size_t{2} << 20;
    if (n * sizeof(T) >= kPage) {
      const std::size_t n_bytes = (n * sizeof(T) + kPage - 1) / kPage * kPage;
      void* const memory = std::aligned_alloc(kPage, n_bytes);
      if (!memory) throw std::bad_alloc();
      madvise(memory, n_bytes, MADV_HUGEPAGE);  // a hint: small pages work too
      return static_cast<T*>(memory);
    }
#endif
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{kAlignment}));
  }

  void deallocate(T* memory, std::size_t n) {
#if defined(__linux__)
    if (n * sizeof(T) >= std::size_t{2} << 20) return std::free(memory);
#else
    (void)n;
#endif
    ::operator delete(memory, std::align_val_t{kAlignment});
  }

  bool operator==(const LargePages&) const { return true; }
  bool operator!=(const LargePages&) const { return false; }

 private:
  static constexpr std::size_t kAlignment = alignof(T) > 64 ? alignof(T) : 64;
};

// A reusable buffer: grows where needed, is never initialized.
template <class T>
class Room {
 public:
  // Room for n items; the first `kept` stay as they are.
  T* of(std::size_t n, std::size_t kept = 0) {
    if (n > size_) {
      const std::size_t size = n + n / 2 + 64;
      std::unique_ptr<T[]> items(new T[size]);
      std::copy_n(items_.get(), kept, items.get());
      items_.swap(items);
      size_ = size;
    }
    return items_.get();
  }
  T* data() { return items_.get(); }
  const T* data() const { return items_.get(); }

 private:
  std::unique_ptr<T[]> items_;
  std::size_t size_ = 0;
};

template <class T>
using LargeVector = std::vector<T, LargePages<T>>;

}  // namespace wordrow
