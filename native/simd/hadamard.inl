// The structured products: a permutation, and three Walsh-Hadamard transforms with signs between them.
//
//   y += weight H D1 H D2 H D3 x      H[i, k] = (-1)^popcount(i & k), D diagonal with elements 1 and -1
//
// H is the product of a level for each bit of the index; levels commute. A vector of n elements is a matrix of rows
// that fit the first cache: the levels of its columns and those of its rows take turns, so that three transforms are
// four walks over memory: rows, columns and columns, rows and rows, columns.

static void permutation(T weight, const uint32_t* places, size_t n, const T* x, T* y) {
  for (size_t i = 0; i < n; ++i) y[i] += weight * x[places[i]];
}

// Levels done at once in registers.
constexpr int kLevels = DTESN_BYTES == 64 ? 4 : 3;
// Elements of a row, and between two rows those that keep a column of them out of one set of the cache.
constexpr size_t kRowLength = kHadamardRow / sizeof(T);
constexpr size_t kRowStride = kRowLength + kHadamardGap / sizeof(T);
// Columns walked at a time.
constexpr size_t kStrip = kHadamardGap / sizeof(T);

DTESN_INLINE void butterflies(V* v, const int levels) {
  DTESN_UNROLL for (int level = 0; level < levels; ++level) {
    DTESN_UNROLL for (int i = 0; i < 1 << levels; ++i) {
      if (i >> level & 1) continue;
      const V a = v[i], b = v[i | 1 << level];
      v[i] = a + b;
      v[i | 1 << level] = a - b;
    }
  }
}

// -1 in the lanes whose number has this bit, 1 in the others.
DTESN_INLINE V laneSigns(const size_t bit) { return lanesWith(bit) ? splat(-1) : splat(1); }

// The levels within a vector.
DTESN_INLINE V laneButterflies(V v) {
  DTESN_UNROLL for (size_t bit = 1; bit < kLanes; bit *= 2) v = swapped(v, bit) + v * laneSigns(bit);
  return v;
}

// `levels` levels over groups of `length` elements, `size` groups: lines are `stride` elements apart.
DTESN_INLINE void levelsPass(T* data, size_t size, size_t step, size_t stride, size_t length, bool lanes, bool ahead,
                             const int levels) {
  constexpr int kMost = 1 << kLevels;
  for (size_t base = 0; base < size; base += step << levels) {
    for (size_t first = base; first < base + step; ++first) {
      T* const line = data + first * stride;
      for (size_t i = 0; i < length; i += kLanes) {
        V v[kMost];
        DTESN_UNROLL for (int j = 0; j < 1 << levels; ++j) {
          T* const place = line + j * step * stride + i;
          if (ahead) __builtin_prefetch(place + length, 1, 2);
          v[j] = load(place);
          if (lanes) v[j] = laneButterflies(v[j]);
        }
        butterflies(v, levels);
        DTESN_UNROLL for (int j = 0; j < 1 << levels; ++j) store(line + j * step * stride + i, v[j]);
      }
    }
  }
}

// All levels over `size` lines; with `lanes` those within a vector too, with `ahead` the next strip comes meanwhile.
DTESN_INLINE void allLevels(T* data, size_t size, size_t stride, size_t length, bool lanes, bool ahead) {
  size_t step = 1;
  do {
    switch (size / step) {
      case 1:
        levelsPass(data, size, step, stride, length, lanes, ahead, 0);
        step *= 2;
        break;
      case 2:
        levelsPass(data, size, step, stride, length, lanes, ahead, 1);
        step *= 2;
        break;
      case 4:
        levelsPass(data, size, step, stride, length, lanes, ahead, 2);
        step *= 4;
        break;
      default:
        // Sixteen lines at once where the registers hold them.
        if (size / step == 8 || kLevels == 3) {
          levelsPass(data, size, step, stride, length, lanes, ahead, 3);
          step *= 8;
        } else {
          levelsPass(data, size, step, stride, length, lanes, ahead, kLevels);
          step *= size_t{1} << kLevels;
        }
    }
    lanes = ahead = false;
  } while (step < size);
}

static void rowLevels(T* row, size_t length) { allLevels(row, length / kLanes, kLanes, kLanes, true, false); }

static void stripLevels(T* strip, size_t rows, bool ahead) {
  if (rows > 1) allLevels(strip, rows, kRowStride, kStrip, false, ahead);
}

// The signs of the elements from i onwards.
DTESN_INLINE V flipped(V v, const uint32_t* signs, size_t i) {
  VI bits = {};
  DTESN_UNROLL for (size_t lane = 0; lane < kLanes; ++lane) bits[lane] = I{1} << lane;
  const I word = static_cast<I>(signs[i / 32] >> i % 32);
  const VI negative = ((word - VI{}) & bits) != 0;
  return reinterpret_cast<V>(reinterpret_cast<VI>(v) ^ (negative & kSignBit));
}

static void flip(const T* from, const uint32_t* signs, size_t first, size_t length, T* to) {
  for (size_t i = 0; i < length; i += kLanes) store(to + i, flipped(load(from + i), signs, first + i));
}

// Fewer elements than lanes.
static void hadamardFew(const uint32_t* signs, size_t n, T weight, const T* x, T* work, T* y) {
  for (size_t i = 0; i < n; ++i) work[i] = x[i];
  for (size_t transform = 3; transform-- > 0;) {
    for (size_t i = 0; i < n; ++i) work[i] = signs[transform] >> i & 1 ? -work[i] : work[i];
    for (size_t bit = 1; bit < n; bit *= 2) {
      for (size_t i = 0; i < n; ++i) {
        if (i & bit) continue;
        const T a = work[i], b = work[i | bit];
        work[i] = a + b;
        work[i | bit] = a - b;
      }
    }
  }
  for (size_t i = 0; i < n; ++i) y[i] += weight * work[i];
}

static void hadamard(const uint32_t* signs, size_t n, T weight, const T* x, T* work, T* y) {
  if (n < kLanes) return hadamardFew(signs, n, weight, x, work, y);
  const size_t words = (n + 31) / 32;
  const uint32_t *const d1 = signs, *const d2 = signs + words, *const d3 = d2 + words;
  const size_t length = n < kRowLength ? n : kRowLength, rows = n / length;
  for (size_t r = 0; r < rows; ++r) {
    T* const row = work + r * kRowStride;
    flip(x + r * length, d3, r * length, length, row);
    rowLevels(row, length);
  }
  if (rows == 1) {
    flip(work, d2, 0, length, work);
  } else {
    for (size_t c = 0; c < length; c += kStrip) {
      stripLevels(work + c, rows, true);
      for (size_t r = 0; r < rows; ++r)
        flip(work + r * kRowStride + c, d2, r * length + c, kStrip, work + r * kRowStride + c);
      stripLevels(work + c, rows, false);
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    T* const row = work + r * kRowStride;
    rowLevels(row, length);
    flip(row, d1, r * length, length, row);
    rowLevels(row, length);
  }
  const size_t strip = rows == 1 ? length : kStrip;
  for (size_t c = 0; c < length; c += strip) {
    stripLevels(work + c, rows, true);
    for (size_t r = 0; r < rows; ++r) {
      const T* const from = work + r * kRowStride + c;
      T* const to = y + r * length + c;
      for (size_t i = 0; i < strip; i += kLanes) store(to + i, load(to + i) + load(from + i) * weight);
    }
  }
}
