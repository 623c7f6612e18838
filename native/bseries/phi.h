// Derivatives of the activations; those of tanh as polynomials in s = tanh z.
//
//   φ_0 = s,   φ_k = (1 - s²) Q_k(s),   Q_1 = 1,   Q_(k+1) = -2 s Q_k + (1 - s²) Q_k'
//
// The factor 1 - s² = (1 - s)(1 + s) apart keeps the relative error small where tanh saturates. Q_k has degree k - 1
// and the parity of k - 1; its coefficients are whole numbers, exact in f64 for every k <= kMaxPhi.
//
//   sigmoid z = (1 + tanh(z / 2)) / 2, and softplus' = sigmoid: theirs follow from those of tanh
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "simd/activation.h"
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

// log(1 + e^z)
template <class T>
T softplusOf(T z) {
  return (z < 0 ? T(0) : z) + std::log1p(1 / (1 + std::expm1(std::fabs(z))));
}

// The derivatives 0 .. order - 1 of an activation at z, order <= kMaxPhi: the k-th at out + k stride. The first of relu
// at 0 is 0. work: as many elements as z.
template <class T>
void derivatives(Activation activation, int order, Span<const T> z, T* out, size_t stride, T* work) {
  const size_t n = z.size;
  const auto row = [&](int k) { return out + static_cast<size_t>(k) * stride; };
  switch (activation) {
    case Activation::tanh:
      for (size_t i = 0; i < n; ++i) out[i] = std::tanh(z[i]);
      for (int k = 1; k < order; ++k) phi(k, Span<const T>(out, n), row(k));
      return;
    case Activation::sigmoid:
    case Activation::softplus: {
      // lift: how many times the sigmoid itself has been integrated.
      const int lift = activation == Activation::softplus ? 1 : 0;
      T* const s = work;
      for (size_t i = 0; i < n; ++i) s[i] = std::tanh(z[i] / 2);
      for (size_t i = 0; i < n && lift == 1; ++i) out[i] = softplusOf(z[i]);
      for (size_t i = 0; i < n && lift < order; ++i) row(lift)[i] = (1 + s[i]) / 2;
      for (int k = 1; k + lift < order; ++k) {
        T* const to = row(k + lift);
        const T scale = static_cast<T>(std::ldexp(1.0, -k - 1));
        phi(k, Span<const T>(s, n), to);
        for (size_t i = 0; i < n; ++i) to[i] *= scale;
      }
      return;
    }
    case Activation::sine:
      for (int k = 0; k < order; ++k) {
        for (size_t i = 0; i < n; ++i) {
          const T value = k % 2 == 0 ? std::sin(z[i]) : std::cos(z[i]);
          row(k)[i] = k % 4 < 2 ? value : -value;
        }
      }
      return;
    case Activation::identity:
    case Activation::relu:
      for (int k = 0; k < order; ++k) {
        for (size_t i = 0; i < n; ++i) {
          const bool flows = activation == Activation::identity || z[i] > 0;
          row(k)[i] = !flows || k > 1 ? T(0) : (k == 0 ? z[i] : T(1));
        }
      }
      return;
  }
}

}  // namespace dtesn
