// Sums of f64 vectors whose bits are the same on every instruction set (kernels.h states their order).

constexpr size_t kSums = 16;

static double dot(const double* a, const double* b, size_t n) {
  constexpr int kParts = kSums / kLanes;
  V sum[kParts] = {};
  size_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    DTESN_UNROLL for (int p = 0; p < kParts; ++p) {
      V product = load(a + i + p * kLanes) * load(b + i + p * kLanes);
      DTESN_ROUNDED(product);
      sum[p] += product;
    }
  }
  double each[kSums];
  DTESN_UNROLL for (int p = 0; p < kParts; ++p) store(each + p * kLanes, sum[p]);
  for (size_t s = 0; i < n; ++i, ++s) {
    double product = a[i] * b[i];
    DTESN_ROUNDED(product);
    each[s] += product;
  }
  DTESN_UNROLL for (size_t apart = kSums / 2; apart > 0; apart /= 2) {
    for (size_t s = 0; s < apart; ++s) each[s] += each[s + apart];
  }
  return each[0];
}

static void addScaled(double s, const double* x, double* y, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    V product = load(x + i) * s;
    DTESN_ROUNDED(product);
    store(y + i, load(y + i) + product);
  }
  for (; i < n; ++i) {
    double product = x[i] * s;
    DTESN_ROUNDED(product);
    y[i] += product;
  }
}
