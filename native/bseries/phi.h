// Derivatives of tanh as polynomials in s = tanh z.
//
//   φ_0 = s,   φ_k = (1 - s²) Q_k(s),   Q_1 = 1,   Q_(k+1) = -2 s Q_k + (1 - s²) Q_k'
//
// The factor 1 - s² = (1 - s)(1 + s) apart keeps the relative error small where tanh saturates. Q_k has degree k - 1
// and the parity of k - 1; its coefficients are whole numbers, exact in f64 for every k <= kMaxPhi.
#pragma once

#include <array>
#include <cstddef>

#include "simd/span.h"

namespace dtesn {

constexpr int kMaxPhi = 10;

using PhiTable = std::array<std::array<double, kMaxPhi>, kMaxPhi + 1>;  // [k][power of s] of Q_k; row 0 unused

constexpr PhiTable phiCoefficients() {
  PhiTable q{};
  q[1][0] = 1;
  for (int k = 1; k < kMaxPhi; ++k) {
    for (int power = 0; power < k; ++power) {
      const double c = q[k][power];
      q[k + 1][power + 1] -= (2 + power) * c;
      if (power > 0) q[k + 1][power - 1] += power * c;
    }
  }
  return q;
}

// φ_k(s) for all s, 1 <= k <= kMaxPhi.
template <class T>
void phi(int k, Span<const T> s, T* out) {
  constexpr PhiTable table = phiCoefficients();
  const auto& q = table[static_cast<size_t>(k)];
  for (size_t i = 0; i < s.size; ++i) {
    const T x = s[i], square = x * x;
    T sum = static_cast<T>(q[static_cast<size_t>(k - 1)]);
    for (int power = k - 3; power >= 0; power -= 2) sum = sum * square + static_cast<T>(q[static_cast<size_t>(power)]);
    if (k % 2 == 0) sum *= x;
    out[i] = (1 - x) * (1 + x) * sum;
  }
}

}  // namespace dtesn
