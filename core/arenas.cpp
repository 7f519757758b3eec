#include "arenas.h"

#include <atomic>
#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace wordrow {

#if defined(__GLIBC__)
namespace {

std::atomic<bool> is_kept{false};

// Whether the user has set malloc up.
bool is_chosen() { return std::getenv("MALLOC_ARENA_MAX") || std::getenv("GLIBC_TUNABLES"); }

}  // namespace

void keep_memory() {
  is_kept = true;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

void use_main_arena() {
  if (is_kept || is_chosen()) return;
  mallopt(M_ARENA_MAX, 1);
  void* volatile block = std::malloc(1);  // a thread is given its arena when it first allocates
  std::free(block);
  if (!is_kept) mallopt(M_ARENA_MAX, 0);  // as many as malloc likes
}
#else
void keep_memory() {}
void use_main_arena() {}
#endif

}  // namespace wordrow
