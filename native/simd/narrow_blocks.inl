// Block-sparse products with narrow weights, stored as blocks of their own type; f32 vectors and sums.

typedef int32_t EI __attribute__((vector_size(kEightBytes)));
typedef uint16_t HalvesU __attribute__((vector_size(DTESN_BYTES / 2), aligned(2), may_alias));
typedef uint16_t EightHalvesU __attribute__((vector_size(kEightBytes / 2), aligned(2), may_alias));
typedef int8_t BytesU __attribute__((vector_size(DTESN_BYTES / 4), aligned(1), may_alias));
typedef int8_t EightBytesU __attribute__((vector_size(kEightBytes / 4), aligned(1), may_alias));

#if DTESN_BYTES >= 32
// Conversions of GNU vectors to lanes of another width go element by element (GCC 12).
DTESN_INLINE V loadWeights(const uint16_t* w) {
  VI lanes;
  asm("vpmovzxwd %1, %0" : "=v"(lanes) : "m"(*reinterpret_cast<const HalvesU*>(w)));
  return reinterpret_cast<V>(lanes << 16);
}
DTESN_INLINE E loadEight(const uint16_t* w) {
  EI lanes;
  asm("vpmovzxwd %1, %0" : "=v"(lanes) : "m"(*reinterpret_cast<const EightHalvesU*>(w)));
  return reinterpret_cast<E>(lanes << 16);
}
DTESN_INLINE V loadWeights(const int8_t* w) {
  VI lanes;
  asm("vpmovsxbd %1, %0" : "=v"(lanes) : "m"(*reinterpret_cast<const BytesU*>(w)));
  return __builtin_convertvector(lanes, V);
}
DTESN_INLINE E loadEight(const int8_t* w) {
  EI lanes;
  asm("vpmovsxbd %1, %0" : "=v"(lanes) : "m"(*reinterpret_cast<const EightBytesU*>(w)));
  return __builtin_convertvector(lanes, E);
}
#else
typedef int8_t Bytes __attribute__((vector_size(16)));
typedef uint16_t Halves __attribute__((vector_size(16)));
typedef uint32_t Words __attribute__((vector_size(16)));
typedef uint64_t Longs __attribute__((vector_size(16)));

DTESN_INLINE V loadWeights(const uint16_t* w) {
  uint64_t bits;
  __builtin_memcpy(&bits, w, sizeof(bits));
  const auto halves = reinterpret_cast<Halves>(Longs{bits});
  return reinterpret_cast<V>(__builtin_shufflevector(Halves{}, halves, 0, 8, 1, 9, 2, 10, 3, 11));
}
DTESN_INLINE V loadWeights(const int8_t* w) {
  uint32_t bits;
  __builtin_memcpy(&bits, w, sizeof(bits));
  const auto low = reinterpret_cast<Bytes>(Words{bits});
  const auto pairs = reinterpret_cast<Halves>(
      __builtin_shufflevector(low, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  return __builtin_convertvector(
      reinterpret_cast<VI>(__builtin_shufflevector(pairs, pairs, 0, 8, 1, 9, 2, 10, 3, 11)) >> 24, V);
}
DTESN_INLINE E loadEight(const uint16_t* w) { return loadWeights(w); }
DTESN_INLINE E loadEight(const int8_t* w) { return loadWeights(w); }
#endif

#define DTESN_W uint16_t
#include "simd/block.inl"
#undef DTESN_W
#define DTESN_W int8_t
#include "simd/block.inl"
#undef DTESN_W

static void bf16Blocks(const uint16_t* w, const uint16_t* columns, size_t degree, size_t blocks, size_t rows,
                       const T* x, T* y, Sweep sweep) {
  if (rows == 8) return eachBlock(w, nullptr, columns, degree, blocks, x, y, 8, sweep);
  eachBlock(w, nullptr, columns, degree, blocks, x, y, 16, sweep);
}

static void int8Blocks(const int8_t* w, const T* scales, const uint16_t* columns, size_t degree, size_t blocks,
                       size_t rows, const T* x, T* y, Sweep sweep) {
  if (rows == 8) return eachBlock(w, scales, columns, degree, blocks, x, y, 8, sweep);
  eachBlock(w, scales, columns, degree, blocks, x, y, 16, sweep);
}

static void bf16BlocksMany(const uint16_t* w, const uint16_t* columns, size_t degree, size_t blocks, size_t rows,
                           size_t cols, size_t count, const T* const* xs, T* const* ys, T* work, Sweep sweep) {
  if (rows == 8) return eachBlockMany(w, nullptr, columns, degree, blocks, cols, count, xs, ys, work, 8, sweep);
  eachBlockMany(w, nullptr, columns, degree, blocks, cols, count, xs, ys, work, 16, sweep);
}

static void int8BlocksMany(const int8_t* w, const T* scales, const uint16_t* columns, size_t degree, size_t blocks,
                           size_t rows, size_t cols, size_t count, const T* const* xs, T* const* ys, T* work,
                           Sweep sweep) {
  if (rows == 8) return eachBlockMany(w, scales, columns, degree, blocks, cols, count, xs, ys, work, 8, sweep);
  eachBlockMany(w, scales, columns, degree, blocks, cols, count, xs, ys, work, 16, sweep);
}
