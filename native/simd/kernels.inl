// The loops for one series, once, in GNU vector types. one_type.inl includes this file for each instruction set and
// element type, with
//   DTESN_ISA    the namespace of the set       DTESN_BYTES  its vector width in bytes
//   DTESN_T      float or double                DTESN_I      the signed integer of the same width
//   DTESN_TYPE   f32 or f64, the inner namespace
// Plain static functions, no templates: target pragmas bind to them for certain.

typedef DTESN_T T;
typedef DTESN_I I;
typedef T V __attribute__((vector_size(DTESN_BYTES)));
typedef I VI __attribute__((vector_size(DTESN_BYTES)));
typedef T VU __attribute__((vector_size(DTESN_BYTES), aligned(sizeof(T)), may_alias));
constexpr size_t kLanes = DTESN_BYTES / sizeof(T);

// Eight elements, in vectors no wider than the set has.
constexpr size_t kEightBytes = 8 * sizeof(T) < DTESN_BYTES ? 8 * sizeof(T) : DTESN_BYTES;
typedef T E __attribute__((vector_size(8 * sizeof(T) < DTESN_BYTES ? 8 * sizeof(T) : DTESN_BYTES)));
typedef T EU __attribute__((vector_size(8 * sizeof(T) < DTESN_BYTES ? 8 * sizeof(T) : DTESN_BYTES), aligned(sizeof(T)),
                            may_alias));

DTESN_INLINE V load(const T* p) { return *reinterpret_cast<const VU*>(p); }
DTESN_INLINE void store(T* p, V v) { *reinterpret_cast<VU*>(p) = v; }
DTESN_INLINE V splat(T a) { return a - V{}; }  // a + 0 would be an addition: -0 becomes 0

// ---- dense: part of a panel, `vectors` (at most 8, a constant where it is inlined) wide ----

DTESN_INLINE void panelPart(const T* w, size_t stride, size_t cols, const T* x, T* y, const int vectors) {
  V even[8], odd[8];
  // Narrow parts run two columns at once: with fewer than eight sums in flight the add latency would show.
  const bool paired = vectors <= 4;
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
    even[v] = load(y + v * kLanes);
    odd[v] = V{};
  }
  size_t k = 0;
  if (paired) {
    for (; k + 2 <= cols; k += 2, w += 2 * stride) {
      const T a = x[k], b = x[k + 1];
      DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
        even[v] += load(w + v * kLanes) * a;
        odd[v] += load(w + stride + v * kLanes) * b;
      }
    }
  }
  for (; k < cols; ++k, w += stride) {
    const T a = x[k];
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) even[v] += load(w + v * kLanes) * a;
  }
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) store(y + v * kLanes, paired ? even[v] + odd[v] : even[v]);
}

DTESN_INLINE void panel(const T* w, size_t width, size_t cols, const T* x, T* y) {
  constexpr size_t kGroup = kGroupBytes / sizeof(T);
  constexpr int kVectors = kGroupBytes / DTESN_BYTES;  // vectors a group: 4, 2 or 1
  constexpr size_t kPartGroups = 8 / kVectors < 4 ? 8 / kVectors : 4;
  const size_t stride = width * kGroup;
  for (size_t done = 0; done < width;) {
    const size_t part = width - done < kPartGroups ? width - done : kPartGroups;
    const T* from = w + done * kGroup;
    T* to = y + done * kGroup;
    switch (part) {
      case 1:
        panelPart(from, stride, cols, x, to, 1 * kVectors);
        break;
      case 2:
        panelPart(from, stride, cols, x, to, 2 * kVectors);
        break;
      case 3:
        panelPart(from, stride, cols, x, to, 3 * kVectors <= 8 ? 3 * kVectors : 8);
        break;
      default:
        panelPart(from, stride, cols, x, to, 4 * kVectors <= 8 ? 4 * kVectors : 8);
    }
    done += part;
  }
}

// The first group of the i-th panel of a sweep, and the groups of the panel that begins there.
DTESN_INLINE size_t firstGroup(size_t i, size_t groups, Sweep sweep) {
  const size_t count = (groups + kPanelGroups - 1) / kPanelGroups;
  return (sweep == Sweep::forwards ? i : count - 1 - i) * kPanelGroups;
}
DTESN_INLINE size_t groupsFrom(size_t first, size_t groups) {
  return groups - first < kPanelGroups ? groups - first : kPanelGroups;
}

static void panels(const T* w, size_t groups, size_t cols, const T* x, T* y, Sweep sweep) {
  for (size_t i = 0; i * kPanelGroups < groups; ++i) {
    const size_t first = firstGroup(i, groups, sweep), row = first * groupRows<T>();
    panel(w + row * cols, groupsFrom(first, groups), cols, x, y + row);
  }
}

// ---- cycle ----

static void cycle(T weight, size_t n, const T* x, T* y) {
  if (n == 0) return;
  y[0] += weight * x[n - 1];
  size_t i = 1;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(y + i) + load(x + i - 1) * weight);
  for (; i < n; ++i) y[i] += weight * x[i - 1];
}

// ---- tanh by e^y - 1 with y = 2|x| = k ln 2 + r: tanh|x| = (e^y - 1) / (e^y + 1) ----

#if DTESN_WIDE
constexpr I kSignBit = INT64_MIN;
constexpr I kExponentShift = 52, kExponentBias = 1023;
constexpr T kRounder = 6755399441055744.0;  // 1.5 2^52: adding it rounds to a whole number
constexpr T kLimit = 40.0;                  // tanh(20) is 1 to the last bit
constexpr T kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
constexpr T kTaylor[] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
                         1.0 / 362880.0,     1.0 / 40320.0,     1.0 / 5040.0,     1.0 / 720.0,
                         1.0 / 120.0,        1.0 / 24.0,        1.0 / 6.0,        0.5};
#else
constexpr I kSignBit = INT32_MIN;
constexpr I kExponentShift = 23, kExponentBias = 127;
constexpr T kRounder = 12582912.0f;
constexpr T kLimit = 20.0f;
constexpr T kLn2High = 6.93359375e-01f, kLn2Low = -2.12194440e-04f;
constexpr T kTaylor[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f};
#endif
constexpr T kLog2e = static_cast<T>(1.44269504088896340736);

DTESN_INLINE V tanhVector(V x) {
  const VI bits = reinterpret_cast<VI>(x);
  const VI sign = bits & kSignBit;
  V y = reinterpret_cast<V>(bits ^ sign);
  y += y;
  y = y > kLimit ? splat(kLimit) : y;  // a NaN compares false and passes through
  const V rounded = y * kLog2e + kRounder;
  const V k = rounded - kRounder;
  const V r = (y - k * kLn2High) - k * kLn2Low;
  V p = splat(kTaylor[0]);
  DTESN_UNROLL for (size_t i = 1; i < sizeof(kTaylor) / sizeof(T); ++i) p = p * r + kTaylor[i];
  p = p * (r * r) + r;  // e^r - 1
  const VI whole = reinterpret_cast<VI>(rounded) - reinterpret_cast<VI>(splat(kRounder));
  const V power = reinterpret_cast<V>((whole + kExponentBias) << kExponentShift);  // 2^k
  const V expm1 = power * p + (power - static_cast<T>(1));
  const V tanh = expm1 / (expm1 + static_cast<T>(2));
  return reinterpret_cast<V>(reinterpret_cast<VI>(tanh) | sign);
}

DTESN_INLINE V leaky(V state, V leak, V target) { return (static_cast<T>(1) - leak) * state + leak * target; }

// The last, partial vector of the state; every element meets the same arithmetic.
#if DTESN_BYTES == 64 && DTESN_WIDE
DTESN_INLINE V loadPart(const T* p, size_t count) { return __builtin_ia32_loadupd512_mask(p, V{}, (1u << count) - 1); }
DTESN_INLINE void storePart(T* p, V v, size_t count) { __builtin_ia32_storeupd512_mask(p, v, (1u << count) - 1); }
#elif DTESN_BYTES == 64
DTESN_INLINE V loadPart(const T* p, size_t count) { return __builtin_ia32_loadups512_mask(p, V{}, (1u << count) - 1); }
DTESN_INLINE void storePart(T* p, V v, size_t count) { __builtin_ia32_storeups512_mask(p, v, (1u << count) - 1); }
#else
DTESN_INLINE V loadPart(const T* p, size_t count) {
  V v = V{};
  __builtin_memcpy(&v, p, count * sizeof(T));
  return v;
}
DTESN_INLINE void storePart(T* p, V v, size_t count) { __builtin_memcpy(p, &v, count * sizeof(T)); }
#endif

static void leakyTanh(const T* drive, const T* leak, size_t n, T* state) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    store(state + i, leaky(load(state + i), load(leak + i), tanhVector(load(drive + i))));
  }
  if (const size_t rest = n - i) {
    storePart(state + i, leaky(loadPart(state + i, rest), load(leak + i), tanhVector(load(drive + i))), rest);
  }
}

static void leakyIdentity(const T* drive, const T* leak, size_t n, T* state) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(state + i, leaky(load(state + i), load(leak + i), load(drive + i)));
  if (const size_t rest = n - i) {
    storePart(state + i, leaky(loadPart(state + i, rest), load(leak + i), load(drive + i)), rest);
  }
}
