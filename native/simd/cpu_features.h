// What the CPU and the system offer beyond the base of x86-64. Own detection: __builtin_cpu_supports needs a symbol of
// the compiler's library that zig does not make position independent.
#pragma once

namespace dtesn {

struct CpuFeatures {
  bool avx2 = false;    // with fma and bmi2
  bool avx512 = false;  // f, bw, dq, vl and cd
  bool vnni = false;    // avx512_vnni
};

// All false on other CPUs. A feature whose registers the system does not save is not offered.
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 14.3 and 15.2 to 15.4.
const CpuFeatures& cpuFeatures();

}  // namespace dtesn
