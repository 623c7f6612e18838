#include "simd/cpu_features.h"

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#endif

namespace dtesn {
namespace {

#if defined(__x86_64__) || defined(_M_X64)

bool has(uint32_t word, int bit) { return (word >> bit & 1) != 0; }

// The registers that the system saves: bits 1 and 2 are those of SSE and AVX, 5 to 7 those of AVX-512.
uint32_t savedRegisters() {
  uint32_t low;
  uint32_t high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

CpuFeatures detect() {
  CpuFeatures found;
  uint32_t a;
  uint32_t b;
  uint32_t c;
  uint32_t d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return found;
  const bool hasFma = has(c, 12);
  const bool hasSaving = has(c, 27);
  const bool hasAvx = has(c, 28);
  if (!hasFma || !hasSaving || !hasAvx || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return found;
  const uint32_t saved = savedRegisters();
  found.avx2 = (saved & 0x06) == 0x06 && has(b, 5) && has(b, 8);
  const bool isComplete = has(b, 16) && has(b, 17) && has(b, 28) && has(b, 30) && has(b, 31);
  found.avx512 = found.avx2 && (saved & 0xe6) == 0xe6 && isComplete;
  found.vnni = found.avx512 && has(c, 11);
  return found;
}

#else

CpuFeatures detect() { return {}; }

#endif

}  // namespace

const CpuFeatures& cpuFeatures() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace dtesn
