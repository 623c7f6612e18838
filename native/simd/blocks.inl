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

// Blocks that many series go through together.
constexpr size_t kChunk = 4;

// Of `count` series, those that go side by side: whole groups, and a last one that fills most of the lanes. Only where
// the lanes are twice the rows of the smaller block: with fewer, tiles are as quick.
DTESN_INLINE size_t seriesBeside(size_t count, size_t rows) {
  if (kLanes < 16) return 0;
  return count % kLanes < (rows == 8 ? 8 : 11) ? count - count % kLanes : count;
}

// Eight rows of a block for one group of series: the sums that a tile has, a row a vector.
DTESN_INLINE void blockBeside(const T* w, const T* scales, const uint16_t* columns, size_t degree, const T* side,
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

// `blocks` blocks for groups of series side by side, from row `row` on; lanes are eight or sixteen.
static void blocksBeside(const T* w, const T* scales, const uint16_t* columns, size_t degree, size_t blocks,
                         size_t cols, size_t count, const T* side, T* const* ys, size_t row, size_t rows) {
  for (size_t s = 0; s < count; s += kLanes, side += roundUp(cols, kLanes) * kLanes) {
    for (size_t r = 0; r < blocks * rows; r += kLanes) {
      V sums[kLanes] = {};
      const size_t size = blocks * rows - r < kLanes ? blocks * rows - r : kLanes;
      for (size_t eight = r; eight < r + size; eight += 8) {
        const size_t b = eight / rows;
        blockBeside(w + b * rows * degree + eight % rows, scales == nullptr ? nullptr : scales + row + eight,
                    columns + b * degree, degree, side, sums + (eight - r), rows);
      }
      addSums(sums, size, count - s, ys + s, row + r);
    }
  }
}

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
