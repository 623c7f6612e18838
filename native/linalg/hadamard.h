// Three Walsh-Hadamard transforms with random signs between them, an orthogonal matrix:
//
//   W = r n^(-3/2) H D1 H D2 H D3     H[i, k] = (-1)^popcount(i & k), n a power of two, D diagonal of random 1 and -1
//
// Every eigenvalue has modulus r and W behaves like a dense random matrix, at n log n operations and 3 n bits of
// weights. Sources: Dong, Ohana, Rafayelyan, Krzakala (2020), "Reservoir Computing meets Recurrent Kernels and
// Structured Transforms", NeurIPS 33; Yu et al. (2016), "Orthogonal Random Features", NeurIPS 29.
#pragma once

#include <cmath>
#include <vector>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "random/philox.h"
#include "simd/kernels.h"

namespace dtesn {

template <class T>
class Hadamard final : public LinearOperator<T> {
 public:
  // The signs of D1, D2, D3 are the bits of the words of the stream, lowest first, each from its own word on.
  Hadamard(size_t n, T radius, const PhiloxStream& stream)
      : LinearOperator<T>(n, n), radius_(radius), signs_(3 * words(n)) {
    for (size_t w = 0; w < signs_.size(); ++w) signs_[w] = stream.word(w);
  }

  size_t paddedRows() const override { return this->rows(); }
  size_t workElements() const override { return hadamardWork<T>(this->rows()); }

  void accumulate(const T* x, T* y, Sweep) const override {
    const size_t n = this->rows();
    kernels<T>().hadamard(signs_.data(), n, static_cast<T>(weight()), x, y + roundUp(n, 16), y);
  }

  void product(const double* x, double* y) const override {
    const size_t n = this->rows();
    for (size_t i = 0; i < n; ++i) y[i] = x[i] * weight();
    for (size_t d = 3; d-- > 0;) {
      flip(d, y);
      transform(n, y);
    }
  }

  void transposed(const double* x, double* y) const override {
    const size_t n = this->rows();
    for (size_t i = 0; i < n; ++i) y[i] = x[i] * weight();
    for (size_t d = 0; d < 3; ++d) {
      transform(n, y);
      flip(d, y);
    }
  }

  void unpack(T* dense) const override {
    const size_t n = this->rows();
    std::vector<double> unit(n), column(n);
    for (size_t k = 0; k < n; ++k) {
      unit[k] = 1;
      product(unit.data(), column.data());
      unit[k] = 0;
      for (size_t i = 0; i < n; ++i) dense[i * n + k] = static_cast<T>(column[i]);
    }
  }

  size_t bytes() const override { return signs_.size() * sizeof(uint32_t); }

 private:
  static size_t words(size_t n) { return (n + 31) / 32; }

  double weight() const {
    const auto n = static_cast<double>(this->rows());
    return static_cast<double>(radius_) / (n * std::sqrt(n));
  }

  void flip(size_t d, double* y) const {
    const uint32_t* signs = signs_.data() + d * words(this->rows());
    for (size_t i = 0; i < this->rows(); ++i) y[i] = signs[i / 32] >> i % 32 & 1 ? -y[i] : y[i];
  }

  static void transform(size_t n, double* y) {
    for (size_t bit = 1; bit < n; bit *= 2) {
      for (size_t base = 0; base < n; base += 2 * bit) {
        for (size_t i = base; i < base + bit; ++i) {
          const double a = y[i], b = y[i + bit];
          y[i] = a + b;
          y[i + bit] = a - b;
        }
      }
    }
  }

  T radius_;
  AlignedArray<uint32_t> signs_;
};

}  // namespace dtesn
