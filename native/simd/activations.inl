// Activations in place, and the law that adds a step: what tanh under the leaky law does in one pass (kernels.inl),
// these do in two.
//
// Errors: sigmoid 2 ULP of 1, sine 2 ULP of 1 for |z| <= 1e5 (beyond, the error grows with |z|), softplus 3 ULP of
// max(1, z); relu is exact.
// Traffic of an element: mapX reads and writes sizeof(T) bytes, euler reads three elements and writes one. Operations
// (additions, multiplications and comparisons; f32, then f64): tanh 26 or 38 and a division, sigmoid 29 or 41 and a
// division, sine 25 or 31, softplus 45 or 75 and two divisions, relu 1, euler 2.

// e^-|z| from the parts of tanh: 1 / (1 + (e^|z| - 1)), for |z| up to kLimit.
DTESN_INLINE V decayOf(V z) {
  const VI bits = reinterpret_cast<VI>(z);
  V y = reinterpret_cast<V>(bits & ~kSignBit);
  y = y > kLimit ? splat(kLimit) : y;  // a NaN compares false and passes through
  const V rounded = y * kLog2e + kRounder;
  const V k = rounded - kRounder;
  const V r = (y - k * kLn2High) - k * kLn2Low;
  V p = splat(kTaylor[0]);
  DTESN_UNROLL for (size_t i = 1; i < sizeof(kTaylor) / sizeof(T); ++i) p = p * r + kTaylor[i];
  p = p * (r * r) + r;  // e^r - 1
  const VI whole = reinterpret_cast<VI>(rounded) - reinterpret_cast<VI>(splat(kRounder));
  const V power = reinterpret_cast<V>((whole + kExponentBias) << kExponentShift);
  return static_cast<T>(1) / (power * p + power);
}

DTESN_INLINE V sigmoidVector(V z) {
  return static_cast<T>(0.5) + static_cast<T>(0.5) * tanhVector(z * static_cast<T>(0.5));
}

DTESN_INLINE V reluVector(V z) { return z < 0 ? V{} : z; }

// sin(k pi + r) = (-1)^k sin r, |r| <= pi / 2, by the Taylor series of sin r / r in r^2. In f32 the parts of pi but the
// last have at most 9 bits, so that k times a part is exact on sets that cannot fuse, for k of up to 15 bits.
#if DTESN_WIDE
constexpr T kPi[] = {3.14159265346825122833e+00, 1.21542010126079319532e-10, 4.04453249759190126308e-21};
constexpr T kSineSeries[] = {1.0 / 51090942171709440000.0,
                             -1.0 / 121645100408832000.0,
                             1.0 / 355687428096000.0,
                             -1.0 / 1307674368000.0,
                             1.0 / 6227020800.0,
                             -1.0 / 39916800.0,
                             1.0 / 362880.0,
                             -1.0 / 5040.0,
                             1.0 / 120.0,
                             -1.0 / 6.0};
#else
constexpr T kPi[] = {3.140625f, 9.67025756835937500e-4f, 4.76837158203125e-7f, 1.50995799097837643e-7f};
constexpr T kSineSeries[] = {1.0f / 6227020800.0f, -1.0f / 39916800, 1.0f / 362880,
                             -1.0f / 5040,         1.0f / 120,       -1.0f / 6};
#endif

DTESN_INLINE V sineVector(V z) {
  const V rounded = z * static_cast<T>(0.31830988618379067154) + kRounder;
  const V k = rounded - kRounder;
  V r = z;
  DTESN_UNROLL for (size_t i = 0; i < sizeof(kPi) / sizeof(T); ++i) r -= k * kPi[i];
  const V square = r * r;
  V p = splat(kSineSeries[0]);
  DTESN_UNROLL for (size_t i = 1; i < sizeof(kSineSeries) / sizeof(T); ++i) p = p * square + kSineSeries[i];
  const V sine = r + r * (square * p);
  const VI odd = reinterpret_cast<VI>(rounded) & 1;
  return reinterpret_cast<V>(reinterpret_cast<VI>(sine) ^ (odd << (sizeof(T) * 8 - 1)));
}

// max(z, 0) + log(1 + t) with t = e^-|z|, and log(1 + t) = 2 atanh s = 2 (s + s^3 / 3 + s^5 / 5 + ...), s = t / (2 + t)
// at most 1/3.
constexpr int kLogTerms = DTESN_WIDE ? 17 : 8;

DTESN_INLINE V softplusVector(V z) {
  const V t = decayOf(z);
  const V s = t / (t + static_cast<T>(2));
  const V square = s * s;
  V p = splat(static_cast<T>(1) / (2 * kLogTerms + 1));
  DTESN_UNROLL for (int i = kLogTerms - 1; i > 0; --i) p = p * square + static_cast<T>(1) / (2 * i + 1);
  return reluVector(z) + static_cast<T>(2) * (s + s * (square * p));
}

#define DTESN_MAP(NAME, FUNCTION)                                                                   \
  static void NAME(T* drive, size_t n) {                                                            \
    size_t i = 0;                                                                                   \
    for (; i + kLanes <= n; i += kLanes) store(drive + i, FUNCTION(load(drive + i)));               \
    if (const size_t rest = n - i) storePart(drive + i, FUNCTION(loadPart(drive + i, rest)), rest); \
  }

DTESN_MAP(mapTanh, tanhVector)
DTESN_MAP(mapSigmoid, sigmoidVector)
DTESN_MAP(mapRelu, reluVector)
DTESN_MAP(mapSine, sineVector)
DTESN_MAP(mapSoftplus, softplusVector)
#undef DTESN_MAP

static void euler(const T* change, const T* step, size_t n, T* state) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(state + i, load(state + i) + load(step + i) * load(change + i));
  if (const size_t rest = n - i) {
    storePart(state + i, loadPart(state + i, rest) + load(step + i) * load(change + i), rest);
  }
}
