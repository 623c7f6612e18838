// Exchanges between the lanes of a vector, and kLanes series laid side by side by them.

#define DTESN_LANES (DTESN_BYTES >> (DTESN_WIDE ? 3 : 2))
#if DTESN_LANES == 2
#define DTESN_SWAP1 1, 0
#elif DTESN_LANES == 4
#define DTESN_SWAP1 1, 0, 3, 2
#define DTESN_SWAP2 2, 3, 0, 1
#elif DTESN_LANES == 8
#define DTESN_SWAP1 1, 0, 3, 2, 5, 4, 7, 6
#define DTESN_SWAP2 2, 3, 0, 1, 6, 7, 4, 5
#define DTESN_SWAP4 4, 5, 6, 7, 0, 1, 2, 3
#else
#define DTESN_SWAP1 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define DTESN_SWAP2 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
#define DTESN_SWAP4 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11
#define DTESN_SWAP8 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7
#endif

// Lane i holds what lane i ^ bit held.
DTESN_INLINE V swapped(V v, const size_t bit) {
  switch (bit) {
#if DTESN_LANES >= 4
    case 2:
      return __builtin_shufflevector(v, v, DTESN_SWAP2);
#endif
#if DTESN_LANES >= 8
    case 4:
      return __builtin_shufflevector(v, v, DTESN_SWAP4);
#endif
#if DTESN_LANES >= 16
    case 8:
      return __builtin_shufflevector(v, v, DTESN_SWAP8);
#endif
    default:
      return __builtin_shufflevector(v, v, DTESN_SWAP1);
  }
}

#undef DTESN_LANES
#undef DTESN_SWAP1
#undef DTESN_SWAP2
#undef DTESN_SWAP4
#undef DTESN_SWAP8

// True in the lanes whose number has this bit.
DTESN_INLINE VI lanesWith(const size_t bit) {
  VI lanes = {};
  DTESN_UNROLL for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = lane & bit ? -1 : 0;
  return lanes;
}

// Lane j of vector i becomes lane i of vector j.
DTESN_INLINE void transpose(V* v) {
  DTESN_UNROLL for (size_t bit = 1; bit < kLanes; bit *= 2) {
    const VI second = lanesWith(bit);
    DTESN_UNROLL for (size_t i = 0; i < kLanes; ++i) {
      if (i & bit) continue;
      const V a = v[i], b = v[i | bit];
      v[i] = second ? swapped(b, bit) : a;
      v[i | bit] = second ? b : swapped(a, bit);
    }
  }
}

// Groups of kLanes series, n vectors each: lane s of vector k is x_s[k]. A last group repeats its first series.
static void interleave(size_t count, const T* const* xs, size_t n, T* side) {
  for (size_t first = 0; first < count; first += kLanes) {
    const T* from[kLanes];
    for (size_t s = 0; s < kLanes; ++s) from[s] = xs[first + s < count ? first + s : first];
    for (size_t k = 0; k < n; k += kLanes, side += kLanes * kLanes) {
      V v[kLanes];
      if (k + kLanes <= n) {
        DTESN_UNROLL for (size_t s = 0; s < kLanes; ++s) v[s] = load(from[s] + k);
      } else {
        DTESN_UNROLL for (size_t s = 0; s < kLanes; ++s) v[s] = loadPart(from[s] + k, n - k);
      }
      transpose(v);
      DTESN_UNROLL for (size_t i = 0; i < kLanes; ++i) store(side + i * kLanes, v[i]);
    }
  }
}

// y_s[i] += lane s of sum i, for `count` series and the first `size` sums.
DTESN_INLINE void addSums(V* sums, size_t size, size_t count, T* const* ys, size_t row) {
  transpose(sums);
  for (size_t s = 0; s < kLanes && s < count; ++s) {
    T* const y = ys[s] + row;
    if (size == kLanes) {
      store(y, load(y) + sums[s]);
    } else {
      storePart(y, loadPart(y, size) + sums[s], size);
    }
  }
}
