// Sums of f64 vectors whose bits are the same on every instruction set (kernels.h states their order).

static double dot(const double* a, const double* b, size_t n) { return productSum(a, b, n); }

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
