// Arrays whose places are read at random: on large pages where the system has
// them, since a table of words or rows is more pages than a processor keeps
// addresses of.
#pragma once

#include <algorithm>
#include <cstddef>
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

// The same for what will be written: it comes without a second request for the right to do so.
inline void prefetch_to_write(const void* address) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address, 1);
#else
  (void)address;
#endif
}

// For a function whose inner loop is to have the processor's registers to itself.
#if defined(__GNUC__) || defined(__clang__)
#define WORDROW_APART __attribute__((noinline))
#else
#define WORDROW_APART
#endif

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
      madvise(memory, n_bytes, MADV_HUGEPAGE);  // where it is refused, small pages do
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

// Memory that is used again and again: enlarged where needed, never filled.
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
