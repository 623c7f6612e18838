// Training: products of matrices in strips of 24 columns (kStripWidth), each strip row-major and contiguous. f64 only.
//
// outer is Gram accumulation, the step of Cholesky's method and that of Householder's: 24 x 24 sums over many rows. A
// tile of it stays in registers while the strips stream past.

constexpr int kStripVectors = kStripWidth / kLanes;
constexpr int kOuterVectors = 3;
constexpr int kOuterRows = DTESN_BYTES == 64 ? 8 : 4;

DTESN_INLINE void outerTile(const T* a, const T* b, size_t steps, T keep, T factor, T* c) {
  V sum[kOuterRows][kOuterVectors];
  DTESN_UNROLL for (int r = 0; r < kOuterRows; ++r) {
    DTESN_UNROLL for (int v = 0; v < kOuterVectors; ++v) {
      sum[r][v] = V{};
      __builtin_prefetch(c + r * kStripWidth + v * kLanes, 1, 3);
    }
  }
  for (size_t t = 0; t < steps; ++t, a += kStripWidth, b += kStripWidth) {
    V row[kOuterVectors];
    DTESN_UNROLL for (int v = 0; v < kOuterVectors; ++v) row[v] = load(b + v * kLanes);
    DTESN_UNROLL for (int r = 0; r < kOuterRows; ++r) {
      const T weight = a[r];
      DTESN_UNROLL for (int v = 0; v < kOuterVectors; ++v) sum[r][v] += row[v] * weight;
    }
  }
  DTESN_UNROLL for (int r = 0; r < kOuterRows; ++r) {
    DTESN_UNROLL for (int v = 0; v < kOuterVectors; ++v) {
      T* to = c + r * kStripWidth + v * kLanes;
      store(to, load(to) * keep + sum[r][v] * factor);
    }
  }
}

static void outer(const T* a, const T* b, size_t steps, T keep, T factor, T* c) {
  for (size_t col = 0; col < kStripWidth; col += kOuterVectors * kLanes) {
    for (size_t row = 0; row < kStripWidth; row += kOuterRows) {
      outerTile(a + row, b + col, steps, keep, factor, c + row * kStripWidth + col);
    }
  }
}

static void reflect(T* strip, size_t rows, const T* weights, size_t column, size_t next, T* dots) {
  V sum[kStripVectors];
  DTESN_UNROLL for (int v = 0; v < kStripVectors; ++v) sum[v] = V{};
  for (size_t t = 0; t < rows; ++t, strip += kStripWidth) {
    const T old = strip[column], ahead = strip[next] - old * weights[next];
    DTESN_UNROLL for (int v = 0; v < kStripVectors; ++v) {
      const V row = load(strip + v * kLanes) - load(weights + v * kLanes) * old;
      store(strip + v * kLanes, row);
      sum[v] += row * ahead;
    }
  }
  DTESN_UNROLL for (int v = 0; v < kStripVectors; ++v) store(dots + v * kLanes, sum[v]);
}

// Each row's own sum is kept as eight partial ones, added up by the caller once for all strips.
static void symmetric(const T* strip, size_t mirrored, const T* x, const T* part, T* partial, T* y) {
  constexpr int kPartialVectors = kGroupBytes / DTESN_BYTES;
  V sum[kStripVectors];
  DTESN_UNROLL for (int v = 0; v < kStripVectors; ++v) sum[v] = V{};
  for (size_t t = 0; t < mirrored; ++t, strip += kStripWidth, partial += kGroupBytes / sizeof(T)) {
    V mine[kPartialVectors];
    DTESN_UNROLL for (int p = 0; p < kPartialVectors; ++p) mine[p] = load(partial + p * kLanes);
    DTESN_UNROLL for (int v = 0; v < kStripVectors; ++v) {
      const V row = load(strip + v * kLanes);
      sum[v] += row * x[t];
      mine[v % kPartialVectors] += row * load(part + v * kLanes);
    }
    DTESN_UNROLL for (int p = 0; p < kPartialVectors; ++p) store(partial + p * kLanes, mine[p]);
  }
  for (size_t t = 0; t < kStripWidth; ++t, strip += kStripWidth) {
    DTESN_UNROLL for (int v = 0; v < kStripVectors; ++v) sum[v] += load(strip + v * kLanes) * part[t];
  }
  DTESN_UNROLL for (int v = 0; v < kStripVectors; ++v) store(y + v * kLanes, load(y + v * kLanes) + sum[v]);
}
