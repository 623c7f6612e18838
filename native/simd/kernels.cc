// One translation unit for every instruction set: target pragmas around the same source, chosen when the module loads.
// Standard headers stand before the first pragma, so that no shared inline function is compiled for a newer CPU.
#include "simd/kernels.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "simd/cpu_features.h"
#include "simd/rounded.h"
#include "simd/scalar.h"

#define DTESN_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define DTESN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DTESN_UNROLL _Pragma("GCC unroll 16")
#endif

namespace dtesn {

#if defined(__x86_64__) || defined(_M_X64)

#define DTESN_ISA sse2
#define DTESN_BYTES 16
#include "simd/each_type.inl"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi2")
#endif
#define DTESN_ISA avx2
#define DTESN_BYTES 32
#include "simd/each_type.inl"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi2"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi2,prefer-vector-width=512")
#endif
#define DTESN_ISA avx512
#define DTESN_BYTES 64
#include "simd/each_type.inl"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#elif defined(__aarch64__) || defined(_M_ARM64)

#define DTESN_ISA neon
#define DTESN_BYTES 16
#include "simd/each_type.inl"

#endif

namespace {

template <class Table>
const Table* find(Isa isa, const Table* scalar, const Table* narrow, const Table* wide, const Table* widest) {
  switch (isa) {
    case Isa::scalar:
      return scalar;
    case Isa::sse2:
    case Isa::neon:
      return narrow;
    case Isa::avx2:
      return wide;
    case Isa::avx512:
      return widest;
  }
  return nullptr;
}

Isa chooseIsa() {
  const std::vector<Isa> available = availableIsas();
  const char* wanted = std::getenv("DTESN_ISA");
  if (wanted == nullptr || *wanted == '\0') return available.back();
  std::string names;
  for (Isa isa : available) {
    if (std::strcmp(wanted, isaName(isa)) == 0) return isa;
    names += (names.empty() ? "" : ", ") + std::string(isaName(isa));
  }
  throw std::invalid_argument("Expected one of " + names + " for DTESN_ISA but received " + wanted);
}

}  // namespace

const char* isaName(Isa isa) {
  switch (isa) {
    case Isa::scalar:
      return "scalar";
    case Isa::sse2:
      return "sse2";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::neon:
      return "neon";
  }
  return "unknown";
}

std::vector<Isa> availableIsas() {
  std::vector<Isa> available = {Isa::scalar};
#if defined(__x86_64__) || defined(_M_X64)
  available.push_back(Isa::sse2);
  if (cpuFeatures().avx2) available.push_back(Isa::avx2);
  if (cpuFeatures().avx512) available.push_back(Isa::avx512);
#elif defined(__aarch64__) || defined(_M_ARM64)
  available.push_back(Isa::neon);
#endif
  return available;
}

Isa activeIsa() {
  static const Isa isa = chooseIsa();
  return isa;
}

#if defined(__x86_64__) || defined(_M_X64)
#define DTESN_TABLES(TABLE) &sse2::TABLE, &avx2::TABLE, &avx512::TABLE
#elif defined(__aarch64__) || defined(_M_ARM64)
#define DTESN_TABLES(TABLE) &neon::TABLE, nullptr, nullptr
#else
#define DTESN_TABLES(TABLE) nullptr, nullptr, nullptr
#endif

template <>
const Kernels<float>& kernelsFor<float>(Isa isa) {
  return *find<Kernels<float>>(isa, &scalarKernels<float>(), DTESN_TABLES(f32::kTable));
}

template <>
const Kernels<double>& kernelsFor<double>(Isa isa) {
  return *find<Kernels<double>>(isa, &scalarKernels<double>(), DTESN_TABLES(f64::kTable));
}

const TrainingKernels& trainingKernelsFor(Isa isa) {
  return *find<TrainingKernels>(isa, &scalarTrainingKernels(), DTESN_TABLES(f64::kTraining));
}

const ExactKernels& exactKernelsFor(Isa isa) {
  return *find<ExactKernels>(isa, &scalarExactKernels(), DTESN_TABLES(f64::kExact));
}

const NarrowKernels& narrowKernelsFor(Isa isa) {
#if defined(__x86_64__) || defined(_M_X64)
  if (isa == Isa::avx512 && cpuFeatures().vnni) return avx512::f32::kNarrowVnni;
#endif
  return *find<NarrowKernels>(isa, &scalarNarrowKernels(), DTESN_TABLES(f32::kNarrow));
}

}  // namespace dtesn
