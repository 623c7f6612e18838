// Sums in f64 over elements of either type, whose bits are the same on every instruction set.

DTESN_INLINE D widened(const T* x) {
  return __builtin_convertvector(static_cast<N>(*reinterpret_cast<const NU*>(x)), D);
}

DTESN_INLINE D loadDoubles(const double* y) { return *reinterpret_cast<const DU*>(y); }

static void addMoments(const T* x, size_t n, double* sum, double* magnitude) {
  size_t i = 0;
  for (; i + kDoubles <= n; i += kDoubles) {
    const D value = widened(x + i);
    storeDoubles(sum + i, loadDoubles(sum + i) + value);
    storeDoubles(magnitude + i, loadDoubles(magnitude + i) + (value < 0 ? -value : value));
  }
  for (; i < n; ++i) {
    sum[i] += x[i];
    magnitude[i] += x[i] < 0 ? -static_cast<double>(x[i]) : static_cast<double>(x[i]);
  }
}

static double squares(const T* x, size_t n) {
  constexpr int kParts = 16 / kDoubles;
  D sum[kParts] = {};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    DTESN_UNROLL for (int p = 0; p < kParts; ++p) {
      D square = widened(x + i + p * kDoubles);
      square *= square;
      DTESN_ROUNDED(square);
      sum[p] += square;
    }
  }
  double each[16];
  DTESN_UNROLL for (int p = 0; p < kParts; ++p) storeDoubles(each + p * kDoubles, sum[p]);
  for (size_t s = 0; i < n; ++i, ++s) {
    double square = static_cast<double>(x[i]) * static_cast<double>(x[i]);
    DTESN_ROUNDED(square);
    each[s] += square;
  }
  DTESN_UNROLL for (size_t apart = 8; apart > 0; apart /= 2) {
    for (size_t s = 0; s < apart; ++s) each[s] += each[s + apart];
  }
  return each[0];
}
