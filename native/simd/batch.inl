// The products for many series at once: y_s += A x_s for `count` series, each vector where it lies.
//
// The same packed weights as for one series. A tile keeps a few vectors of rows for up to six series in registers, so a
// weight is loaded once for six multiply-adds and the arithmetic, not the memory, is the limit. Each sum runs over the
// columns in order: the numbers do not depend on how series are grouped.

// Vectors of rows a tile: with six series they fill the registers (32 of the widest set, 16 of the others).
constexpr int kTileVectors = DTESN_BYTES == 64 ? 4 : 2;
constexpr int kTileSeries = 6;

DTESN_INLINE void tile(const T* w, size_t stride, size_t from, size_t cols, const T* const* xs, T* const* ys,
                       size_t row, const T* next, const int vectors, const int series) {
  V sum[kTileSeries][kTileVectors];
  const T* x[kTileSeries];
  DTESN_UNROLL for (int s = 0; s < series; ++s) {
    x[s] = xs[s] + from;
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) sum[s][v] = load(ys[s] + row + v * kLanes);
  }
  for (size_t k = 0; k < cols; ++k, w += stride) {
    // The weights that follow come into the second cache while these are used.
    if (next != nullptr) __builtin_prefetch(next + k * (64 / sizeof(T)), 0, 2);
    V weight[kTileVectors];
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
      weight[v] = load(w + v * kLanes);
      DTESN_IN_REGISTER(weight[v]);
    }
    DTESN_UNROLL for (int s = 0; s < series; ++s) {
      const T a = x[s][k];
      DTESN_UNROLL for (int v = 0; v < vectors; ++v) sum[s][v] += weight[v] * a;
    }
  }
  DTESN_UNROLL for (int s = 0; s < series; ++s) {
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) store(ys[s] + row + v * kLanes, sum[s][v]);
  }
}

#define DTESN_TILE(VECTORS, SERIES)                                  \
  case VECTORS * 8 + SERIES:                                         \
    tile(w, stride, from, cols, xs, ys, row, next, VECTORS, SERIES); \
    break;
#define DTESN_TILES(VECTORS) \
  DTESN_TILE(VECTORS, 1)     \
  DTESN_TILE(VECTORS, 2)     \
  DTESN_TILE(VECTORS, 3)     \
  DTESN_TILE(VECTORS, 4) DTESN_TILE(VECTORS, 5) DTESN_TILE(VECTORS, 6)

static void anyTile(const T* w, size_t stride, size_t from, size_t cols, const T* const* xs, T* const* ys, size_t row,
                    const T* next, size_t vectors, size_t series) {
  switch (vectors * 8 + series) {
    DTESN_TILES(1)
    DTESN_TILES(2)
#if DTESN_BYTES == 64
    DTESN_TILES(3)
    DTESN_TILES(4)
#endif
  }
}

// Splits as evenly as whole numbers go: a last tile of one series would waste most of its registers.
DTESN_INLINE size_t tileSize(size_t left) {
  const size_t tiles = (left + kTileSeries - 1) / kTileSeries;
  return (left + tiles - 1) / tiles;
}

// A stretch of columns whose weights stay in the first cache while every series meets them.
constexpr size_t kStretch = 128 * sizeof(float) / sizeof(T);

static void panelsMany(const T* w, size_t groups, size_t cols, size_t count, const T* const* xs, T* const* ys,
                       Sweep sweep) {
  constexpr size_t kGroup = kGroupBytes / sizeof(T);
  for (size_t i = 0; i * kPanelGroups < groups; ++i) {
    const size_t first = firstGroup(i, groups, sweep), row = first * kGroup;
    const size_t width = groupsFrom(first, groups), stride = width * kGroup;
    const size_t vectors = stride / kLanes;
    const T* const panel = w + row * cols;
    const bool isLast = (i + 1) * kPanelGroups >= groups;
    const T* const following = isLast ? nullptr : w + firstGroup(i + 1, groups, sweep) * kGroup * cols;
    for (size_t from = 0; from < cols; from += kStretch) {
      const size_t some = cols - from < kStretch ? cols - from : kStretch;
      const T* const weights = panel + stride * from;
      // The stretch that follows comes into the second cache meanwhile, a group's share with each of the first passes.
      const T* const next = from + some < cols ? weights + stride * some : following;
      size_t pass = 0;
      for (size_t s = 0; s < count;) {
        const size_t series = tileSize(count - s);
        for (size_t v = 0; v < vectors; v += kTileVectors, ++pass) {
          const size_t wide = vectors - v < size_t{kTileVectors} ? vectors - v : size_t{kTileVectors};
          const T* ahead = pass < width && next != nullptr ? next + pass * kGroup * some : nullptr;
          anyTile(weights + v * kLanes, stride, from, some, xs + s, ys + s, row + v * kLanes, ahead, wide, series);
        }
        s += series;
      }
    }
  }
}

#undef DTESN_TILE
#undef DTESN_TILES
