#include "isa.h"

#include <cstdlib>
#include <cstring>

#if defined(WORDROW_X86) && defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace wordrow {

extern const Kernels kernels_baseline;
#if defined(WORDROW_X86)
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
#endif

namespace {

#if defined(WORDROW_X86) && defined(_MSC_VER)
// What __builtin_cpu_supports asks elsewhere: the processor's bits, and that
// the system saves the wide registers (XCR0).
bool has(int leaf_7_bits, unsigned long long saved) {
  int info[4];
  __cpuid(info, 1);
  const bool fma = info[2] & (1 << 12), osxsave = info[2] & (1 << 27);
  if (!fma || !osxsave || (_xgetbv(0) & saved) != saved) return false;
  __cpuidex(info, 7, 0);
  return (info[1] & leaf_7_bits) == leaf_7_bits;
}
bool has_avx2() { return has(1 << 5, 0x6); }
bool has_avx512() { return has(1 << 16 | 1 << 17 | 1 << 30 | 1 << 31, 0xE6); }
#elif defined(WORDROW_X86)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#endif

const Kernels& choose() {
#if defined(WORDROW_X86)
  // WORDROW_ISA=baseline (or avx2) asks for less than the processor has.
  const char* limit = std::getenv("WORDROW_ISA");
  const bool only_baseline = limit && std::strcmp(limit, "baseline") == 0;
  const bool only_avx2 = limit && std::strcmp(limit, "avx2") == 0;
  if (!only_baseline && !only_avx2 && has_avx512()) return kernels_avx512;
  if (!only_baseline && has_avx2()) return kernels_avx2;
#endif
  return kernels_baseline;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace wordrow
