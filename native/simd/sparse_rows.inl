// Products with sparse rows (CSR). One series gathers a vector of x at a time, or element by element where the set
// cannot gather. Many series lie side by side, so that an index and a weight serve a vector of them; each of these has
// the sums that a series alone has, and the numbers do not depend on how series are grouped.

#if DTESN_BYTES == 64
// x at as many columns as V has lanes.
DTESN_INLINE V gathered(const T* x, const uint32_t* columns) {
  V values = V{};
#if DTESN_WIDE
  typedef int32_t Columns __attribute__((vector_size(32)));
#define DTESN_GATHER "vgatherdpd (%1,%2,8), %0%{%%k1%}"
#else
  typedef VI Columns;
#define DTESN_GATHER "vgatherdps (%1,%2,4), %0%{%%k1%}"
#endif
  Columns at;
  __builtin_memcpy(&at, columns, sizeof(at));
  asm("kxnorw %%k1, %%k1, %%k1\n\t" DTESN_GATHER : "+&v"(values) : "r"(x), "v"(at) : "k1", "memory");
#undef DTESN_GATHER
  return values;
}

static void rows(const T* w, const uint32_t* columns, const size_t* starts, size_t count, const T* x, T* y) {
  for (size_t i = 0; i < count; ++i) {
    V sum = V{};
    size_t k = starts[i];
    const size_t end = starts[i + 1];
    for (; k + kLanes <= end; k += kLanes) sum += load(w + k) * gathered(x, columns + k);
    T each[kLanes];
    store(each, sum);
    T rest = 0;
    for (; k < end; ++k) {
      asm volatile("");  // no vectors here: products of their own would not be fused with the sum
      rest += w[k] * x[columns[k]];
    }
    for (size_t apart = kLanes / 2; apart > 0; apart /= 2) {
      for (size_t s = 0; s < apart; ++s) each[s] += each[s + apart];
    }
    y[i] += each[0] + rest;
  }
}
#else
static void rows(const T* w, const uint32_t* columns, const size_t* starts, size_t count, const T* x, T* y) {
  for (size_t i = 0; i < count; ++i) {
    // Four sums: with fewer the add latency would show, not the loads.
    T a = 0, b = 0, c = 0, d = 0;
    size_t k = starts[i];
    const size_t end = starts[i + 1];
    for (; k + 4 <= end; k += 4) {
      asm volatile("");  // no vectors here: gathering them costs more in shuffles than it saves
      a += w[k] * x[columns[k]];
      b += w[k + 1] * x[columns[k + 1]];
      c += w[k + 2] * x[columns[k + 2]];
      d += w[k + 3] * x[columns[k + 3]];
    }
    for (; k < end; ++k) a += w[k] * x[columns[k]];
    y[i] += (a + b) + (c + d);
  }
}
#endif

// Sums that a row of one series has side by side, and those of many series too.
constexpr size_t kRowSums = DTESN_BYTES == 64 ? kLanes : 4;

DTESN_INLINE V rowOfMany(const T* w, const uint32_t* columns, size_t degree, const T* side) {
  V sum[kRowSums] = {};
  size_t k = 0;
  for (; k + kRowSums <= degree; k += kRowSums) {
    DTESN_UNROLL for (size_t i = 0; i < kRowSums; ++i) sum[i] += load(side + columns[k + i] * kLanes) * w[k + i];
  }
#if DTESN_BYTES == 64
  V rest = V{};
  for (; k < degree; ++k) rest += load(side + columns[k] * kLanes) * w[k];
  DTESN_UNROLL for (size_t apart = kRowSums / 2; apart > 0; apart /= 2) {
    DTESN_UNROLL for (size_t i = 0; i < apart; ++i) sum[i] += sum[i + apart];
  }
  return sum[0] + rest;
#else
  for (; k < degree; ++k) sum[0] += load(side + columns[k] * kLanes) * w[k];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
#endif
}

static void rowsMany(const T* w, const uint32_t* columns, const size_t* starts, size_t count, size_t cols,
                     size_t series, const T* const* xs, T* const* ys, T* work) {
  // The last few that would leave most lanes empty go one by one.
  for (; series % kLanes != 0 && series % kLanes <= kLanes / 4; --series) {
    rows(w, columns, starts, count, xs[series - 1], ys[series - 1]);
  }
  interleave(series, xs, cols, work);
  for (size_t row = 0; row < count; row += kLanes) {
    const size_t size = count - row < kLanes ? count - row : kLanes;
    for (size_t s = 0; s < series; s += kLanes) {
      const T* const side = work + s * roundUp(cols, kLanes);
      V sums[kLanes] = {};
      for (size_t i = 0; i < size; ++i) {
        const size_t start = starts[row + i];
        sums[i] = rowOfMany(w + start, columns + start, starts[row + i + 1] - start, side);
      }
      addSums(sums, size, series - s, ys + s, row);
    }
  }
}
