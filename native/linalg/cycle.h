// The simple cycle: y[i] = r x[i - 1] with indices modulo n. Every eigenvalue has modulus r.
// Source: Rodan & Tino (2011), "Minimum complexity echo state network", IEEE Trans. Neural Networks 22(1).
#pragma once

#include "linalg/linear_operator.h"
#include "simd/kernels.h"

namespace dtesn {

template <class T>
class Cycle final : public LinearOperator<T> {
 public:
  Cycle(size_t n, T weight) : LinearOperator<T>(n, n), weight_(weight) {}

  size_t paddedRows() const override { return this->rows(); }
  void accumulate(const T* x, T* y, Sweep) const override { kernels<T>().cycle(weight_, this->rows(), x, y); }

  void product(const double* x, double* y) const override {
    const size_t n = this->rows();
    for (size_t i = 0; i < n; ++i) y[i] = static_cast<double>(weight_) * x[i == 0 ? n - 1 : i - 1];
  }

  void transposed(const double* x, double* y) const override {
    const size_t n = this->rows();
    for (size_t i = 0; i < n; ++i) y[i == 0 ? n - 1 : i - 1] = static_cast<double>(weight_) * x[i];
  }

  void unpack(T* dense) const override {
    const size_t n = this->rows();
    for (size_t i = 0; i < n; ++i) dense[i * n + (i == 0 ? n - 1 : i - 1)] = weight_;
  }

  size_t bytes() const override { return sizeof(T); }

 private:
  T weight_;
};

}  // namespace dtesn
