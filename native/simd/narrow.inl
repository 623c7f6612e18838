// Dense products with narrow weights, f32 vectors and sums. A 32-bit lane holds two (bf16) or four (int8) consecutive
// columns of one row, so a vector of rows widens with shifts alone.

// A panel's rows are walked in parts of four vectors.
constexpr int kPartVectors = 4;

DTESN_INLINE VI loadLanes(const uint32_t* w) { return reinterpret_cast<VI>(load(reinterpret_cast<const T*>(w))); }

DTESN_INLINE void bf16Part(const uint32_t* w, size_t stride, size_t cols, const T* x, T* y, const int vectors) {
  V even[kPartVectors], odd[kPartVectors];
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
    even[v] = load(y + v * kLanes);
    odd[v] = V{};
  }
  for (size_t k = 0; k < cols; k += 2, w += stride) {
    const T a = x[k], b = k + 1 < cols ? x[k + 1] : 0;
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
      const VI pair = loadLanes(w + v * kLanes);
      even[v] += reinterpret_cast<V>(pair << 16) * a;
      odd[v] += reinterpret_cast<V>(pair & static_cast<I>(0xffff0000)) * b;
    }
  }
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) store(y + v * kLanes, even[v] + odd[v]);
}

DTESN_INLINE void int8Part(const uint32_t* w, const T* scales, size_t stride, size_t cols, const T* x, T* y,
                           const int vectors) {
  V even[kPartVectors], odd[kPartVectors];
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) even[v] = odd[v] = V{};
  for (size_t k = 0; k < cols; k += 4, w += stride) {
    T a[4];
    DTESN_UNROLL for (size_t c = 0; c < 4; ++c) a[c] = k + c < cols ? x[k + c] : 0;
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
      const VI four = loadLanes(w + v * kLanes) ^ static_cast<I>(0x80808080);  // biased by 128 as stored
      even[v] += __builtin_convertvector(four << 24 >> 24, V) * a[0];
      odd[v] += __builtin_convertvector(four << 16 >> 24, V) * a[1];
      even[v] += __builtin_convertvector(four << 8 >> 24, V) * a[2];
      odd[v] += __builtin_convertvector(four >> 24, V) * a[3];
    }
  }
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
    store(y + v * kLanes, load(y + v * kLanes) + (even[v] + odd[v]) * load(scales + v * kLanes));
  }
}

// Calls PART(row within the panel, vectors) for every part of a panel `width` rows wide.
#define DTESN_EACH_PART(PART)                                       \
  for (size_t row = 0; row < width; row += kPartVectors * kLanes) { \
    const size_t left = (width - row) / kLanes;                     \
    switch (left < kPartVectors ? left : kPartVectors) {            \
      case 1:                                                       \
        PART(1);                                                    \
        break;                                                      \
      case 2:                                                       \
        PART(2);                                                    \
        break;                                                      \
      case 3:                                                       \
        PART(3);                                                    \
        break;                                                      \
      default:                                                      \
        PART(4);                                                    \
    }                                                               \
  }

static void bf16Panels(const uint32_t* w, size_t groups, size_t cols, const T* x, T* y, Sweep sweep) {
  for (size_t i = 0; i * kPanelGroups < groups; ++i) {
    const size_t first = firstGroup(i, groups, sweep), at = first * groupRows<T>();
    const size_t width = groupsFrom(first, groups) * groupRows<T>();
    const uint32_t* const panel = w + at * ((cols + 1) / 2);
#define DTESN_PART(VECTORS) bf16Part(panel + row, width, cols, x, y + at + row, VECTORS)
    DTESN_EACH_PART(DTESN_PART)
#undef DTESN_PART
  }
}

static void int8Panels(const uint32_t* w, const T* scales, size_t groups, size_t cols, const T* x, T* y, Sweep sweep) {
  for (size_t i = 0; i * kPanelGroups < groups; ++i) {
    const size_t first = firstGroup(i, groups, sweep), at = first * groupRows<T>();
    const size_t width = groupsFrom(first, groups) * groupRows<T>();
    const uint32_t* const panel = w + at * ((cols + 3) / 4);
#define DTESN_PART(VECTORS) int8Part(panel + row, scales + at + row, width, cols, x, y + at + row, VECTORS)
    DTESN_EACH_PART(DTESN_PART)
#undef DTESN_PART
  }
}

#if DTESN_BYTES == 64
// ---- int8 by VNNI: x in fixed point of three signed digits to the base 256, whole sums, nothing rounded but x ----

// Columns whose sums of products stay far below 2^31.
constexpr size_t kDigitColumns = 4096;
constexpr T kLargestDigits = 127 * 65536;

struct Digits {
  int8_t digit[3][kDigitColumns];  // low, middle, high
  int32_t sum[3];
  T unit;
};

// x = unit (digit[0] + 256 digit[1] + 65536 digit[2]) to 1.2e-7 of the largest |x|; NaN and infinity make unit NaN.
static void toDigits(const T* x, size_t cols, Digits& digits) {
  T largest = 0, poison = 0;
  for (size_t k = 0; k < cols; ++k) {
    const T size = x[k] < 0 ? -x[k] : x[k];
    largest = size > largest ? size : largest;
    poison += size * 0;
  }
  const T factor = largest > 0 && poison == 0 ? kLargestDigits / largest : 0;
  digits.unit = largest / kLargestDigits + poison;
  digits.sum[0] = digits.sum[1] = digits.sum[2] = 0;
  const size_t padded = (cols + 3) / 4 * 4;
  for (size_t k = 0; k < padded; ++k) {
    const T scaled = k < cols && poison == 0 ? x[k] * factor : 0;
    const int32_t whole = static_cast<int32_t>(scaled + (scaled < 0 ? T(-0.5) : T(0.5)));
    const int32_t low = static_cast<int8_t>(whole), rest = (whole - low) >> 8;
    const int32_t middle = static_cast<int8_t>(rest), high = (rest - middle) >> 8;
    digits.digit[0][k] = static_cast<int8_t>(low);
    digits.digit[1][k] = static_cast<int8_t>(middle);
    digits.digit[2][k] = static_cast<int8_t>(high);
    digits.sum[0] += low;
    digits.sum[1] += middle;
    digits.sum[2] += high;
  }
}

DTESN_INLINE void vnniPart(const uint32_t* w, const T* scales, size_t stride, size_t cols, const Digits& digits, T* y,
                           const int vectors) {
  VI sum[3][kPartVectors];
  DTESN_UNROLL for (int d = 0; d < 3; ++d) {
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) sum[d][v] = VI{} - 128 * digits.sum[d];
  }
  for (size_t k = 0; k < cols; k += 4, w += stride) {
    VI x[3];
    DTESN_UNROLL for (int d = 0; d < 3; ++d) {
      I four;
      __builtin_memcpy(&four, digits.digit[d] + k, 4);
      x[d] = four - VI{};
    }
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
      const VI weights = loadLanes(w + v * kLanes);
      DTESN_UNROLL for (int d = 0; d < 3; ++d) {
        asm("vpdpbusd %2, %1, %0" : "+v"(sum[d][v]) : "v"(weights), "v"(x[d]));
      }
    }
  }
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) {
    const V total = __builtin_convertvector(sum[2][v], V) * 65536.0f + __builtin_convertvector(sum[1][v], V) * 256.0f +
                    __builtin_convertvector(sum[0][v], V);
    store(y + v * kLanes, load(y + v * kLanes) + total * (load(scales + v * kLanes) * digits.unit));
  }
}

static void int8PanelsVnni(const uint32_t* w, const T* scales, size_t groups, size_t cols, const T* x, T* y,
                           Sweep sweep) {
  Digits digits;
  for (size_t from = 0; from < cols; from += kDigitColumns) {
    const size_t some = cols - from < kDigitColumns ? cols - from : kDigitColumns;
    toDigits(x + from, some, digits);
    for (size_t i = 0; i * kPanelGroups < groups; ++i) {
      const size_t first = firstGroup(i, groups, sweep), at = first * groupRows<T>();
      const size_t width = groupsFrom(first, groups) * groupRows<T>();
      const uint32_t* const weights = w + at * ((cols + 3) / 4) + width * (from / 4);
#define DTESN_PART(VECTORS) vnniPart(weights + row, scales + at + row, width, some, digits, y + at + row, VECTORS)
      DTESN_EACH_PART(DTESN_PART)
#undef DTESN_PART
    }
  }
}
#endif

#undef DTESN_EACH_PART
