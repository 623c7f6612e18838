// Sums of f64 in one fixed order: eight lanes side by side, then the lanes pairwise. A compiler may vectorise them to
// any width and gives the same bits, as long as it does not contract a b + c: a file that includes this header last
// turns contraction off for its own loops too.
#pragma once

#include <cmath>
#include <cstddef>

#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif

namespace dtesn {

inline double dot(const double* a, const double* b, size_t n) {
  double lane[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (size_t l = 0; l < 8; ++l) lane[l] += a[i + l] * b[i + l];
  }
  for (size_t l = 0; i < n; ++i, ++l) lane[l] += a[i] * b[i];
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// y += s x
inline void addScaled(double s, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += s * x[i];
}

inline double norm(const double* x, size_t n) { return std::sqrt(dot(x, x, n)); }

// |a + b i| without overflow; hypot would bind a newer C library.
inline double modulus(double a, double b) {
  a = std::fabs(a);
  b = std::fabs(b);
  const double large = a > b ? a : b, small = a > b ? b : a;
  if (large == 0) return 0;
  const double ratio = small / large;
  return large * std::sqrt(1 + ratio * ratio);
}

}  // namespace dtesn
