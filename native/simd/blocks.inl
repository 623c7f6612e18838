// Block-sparse products: a column of a block is some vectors of rows, or half a vector.

// x at four columns, their indices in one load: ports that load are what these kernels lack.
struct Four {
  T x[4];
};

DTESN_INLINE Four gather(const T* x, const uint16_t* columns) {
  uint64_t four;
  __builtin_memcpy(&four, columns, sizeof(four));
  return {{x[four & 0xffff], x[four >> 16 & 0xffff], x[four >> 32 & 0xffff], x[four >> 48]}};
}

#if DTESN_BYTES == 64 && !DTESN_WIDE
// Sixteen lanes hold two columns of eight rows.
DTESN_INLINE V pair(T low, T high) {
  constexpr VI second = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};
  return second ? splat(high) : splat(low);
}
#endif

DTESN_INLINE V loadWeights(const T* w) { return load(w); }
DTESN_INLINE E loadEight(const T* w) { return *reinterpret_cast<const EU*>(w); }

#if DTESN_BYTES == 64 && !DTESN_WIDE
// Eight rows of a block for the series that lie in one group side by side: the sums that a tile has, a row a vector.
DTESN_INLINE void blockOfMany(const T* w, const T* scales, const uint16_t* columns, size_t degree, const T* side,
                              V* sums, const size_t rows) {
  V sum[8] = {};
  for (size_t j = 0; j < degree; ++j, w += rows) {
    const V x = load(side + columns[j] * kLanes);
    DTESN_UNROLL for (int r = 0; r < 8; ++r) sum[r] += x * w[r];
  }
  DTESN_UNROLL for (int r = 0; r < 8; ++r) {
    if (scales != nullptr) {
      sum[r] *= scales[r];
      DTESN_ROUNDED(sum[r]);
    }
    sums[r] = sum[r];
  }
}

// Weights in memory as T, in `room` where they are not.
DTESN_INLINE const T* widened(const T* w, size_t, T*) { return w; }
#endif

#define DTESN_W T
#include "simd/block.inl"
#undef DTESN_W

static void blocks8(const T* w, const uint16_t* columns, size_t degree, size_t blocks, const T* x, T* y, Sweep sweep) {
  eachBlock(w, nullptr, columns, degree, blocks, x, y, 8, sweep);
}

static void blocks16(const T* w, const uint16_t* columns, size_t degree, size_t blocks, const T* x, T* y, Sweep sweep) {
  eachBlock(w, nullptr, columns, degree, blocks, x, y, 16, sweep);
}

static void blocks8Many(const T* w, const uint16_t* columns, size_t degree, size_t blocks, size_t cols, size_t count,
                        const T* const* xs, T* const* ys, T* work, Sweep sweep) {
  eachBlockMany(w, nullptr, columns, degree, blocks, cols, count, xs, ys, work, 8, sweep);
}

static void blocks16Many(const T* w, const uint16_t* columns, size_t degree, size_t blocks, size_t cols, size_t count,
                         const T* const* xs, T* const* ys, T* work, Sweep sweep) {
  eachBlockMany(w, nullptr, columns, degree, blocks, cols, count, xs, ys, work, 16, sweep);
}
