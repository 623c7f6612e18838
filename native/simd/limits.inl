// The two limits of a core, as loops that do nothing else: multiply-adds in registers, and loads.

// Twelve vectors at a time: more than latency times units need, and fewer than the registers of any set.
static void multiplyAdds(size_t rounds, T factor, T addend, T* sums) {
  constexpr int kChains = 12;
  for (size_t first = 0; first < kSumBytes / sizeof(T); first += kChains * kLanes) {
    V sum[kChains];
    DTESN_UNROLL for (int c = 0; c < kChains; ++c) sum[c] = load(sums + first + c * kLanes);
    for (size_t r = 0; r < rounds; ++r) {
      DTESN_UNROLL for (int c = 0; c < kChains; ++c) sum[c] = sum[c] * factor + addend;
    }
    DTESN_UNROLL for (int c = 0; c < kChains; ++c) store(sums + first + c * kLanes, sum[c]);
  }
}

#if defined(__aarch64__)
#define DTESN_LOADED(vector) asm volatile("" : : "w"(vector))
#else
#define DTESN_LOADED(vector) asm volatile("" : : "x"(vector))
#endif

static void loadAll(const T* data, size_t size) {
  constexpr size_t kVectors = 8;
  const T* end = data + size / (kVectors * kLanes) * (kVectors * kLanes);
  for (; data < end; data += kVectors * kLanes) {
    DTESN_UNROLL for (size_t v = 0; v < kVectors; ++v) DTESN_LOADED(load(data + v * kLanes));
  }
}

#undef DTESN_LOADED
