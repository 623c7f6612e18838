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

// Σ a b in the order that kernels.h states for ExactKernels::dot.
DTESN_INLINE double productSum(const T* a, const T* b, size_t n) {
  constexpr size_t kSums = 16;
  constexpr int kParts = kSums / kDoubles;
  D sum[kParts] = {};
  size_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    DTESN_UNROLL for (int p = 0; p < kParts; ++p) {
      D product = widened(a + i + p * kDoubles) * widened(b + i + p * kDoubles);
      DTESN_ROUNDED(product);
      sum[p] += product;
    }
  }
  double each[kSums];
  DTESN_UNROLL for (int p = 0; p < kParts; ++p) storeDoubles(each + p * kDoubles, sum[p]);
  for (size_t s = 0; i < n; ++i, ++s) {
    double product = static_cast<double>(a[i]) * static_cast<double>(b[i]);
    DTESN_ROUNDED(product);
    each[s] += product;
  }
  DTESN_UNROLL for (size_t apart = kSums / 2; apart > 0; apart /= 2) {
    for (size_t s = 0; s < apart; ++s) each[s] += each[s + apart];
  }
  return each[0];
}

static double squares(const T* x, size_t n) { return productSum(x, x, n); }
