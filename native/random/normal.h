// Standard normal numbers by Marsaglia's polar method, the same bits on every machine: the logarithm is our own.
// Source: Marsaglia & Bray (1964), SIAM Review 6(3).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "random/philox.h"
#include "simd/rounded.h"

namespace dtesn {

class NormalSequence {
 public:
  // Reads the words of `stream` from `position` on, about 1.3 a number.
  NormalSequence(const PhiloxStream& stream, uint64_t position) : stream_(stream), position_(position) {}

  double next() {
    if (hasSecond_) {
      hasSecond_ = false;
      return second_;
    }
    double a, b, square;
    do {
      a = stream_.symmetric(position_++);
      b = stream_.symmetric(position_++);
      square = rounded(a * a) + rounded(b * b);
    } while (square >= 1 || square == 0);
    const double factor = std::sqrt(rounded(-2 * logarithm(square)) / square);
    second_ = b * factor;
    hasSecond_ = true;
    return a * factor;
  }

 private:
  // Never fused with an addition.
  static double rounded(double product) {
    DTESN_ROUNDED(product);
    return product;
  }

  // log x = e log 2 + 2 atanh s with x = 2^e m, m in [1/2, 1), s = (m - 1) / (m + 1) in [-1/3, 0).
  static double logarithm(double x) {
    int exponent;
    const double m = std::frexp(x, &exponent);
    const double s = (m - 1) / (m + 1), square = rounded(s * s);
    double sum = 0;
    for (int i = 17; i >= 0; --i) sum = rounded(sum * square) + 1.0 / (2 * i + 1);
    return rounded(exponent * 0.69314718055994530942) + rounded(2 * rounded(s * sum));
  }

  const PhiloxStream& stream_;
  uint64_t position_;
  double second_ = 0;
  bool hasSecond_ = false;
};

}  // namespace dtesn
