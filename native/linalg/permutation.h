// A random permutation: y[i] = r x[p(i)]. Every eigenvalue has modulus r; the cycles of p are as long as chance makes
// them. Traffic: the places and both vectors once.
// Source: Boedecker, Obst, Mayer, Asada (2009), "Initialization and self-organized optimization of recurrent neural
// network connectivity", HFSP J. 3(5).
#pragma once

#include <utility>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "random/philox.h"
#include "random/sample.h"
#include "simd/kernels.h"

namespace dtesn {

template <class T>
class Permutation final : public LinearOperator<T> {
 public:
  // Shuffled from the last place to the first (Fisher & Yates; Knuth, TAOCP vol. 2, algorithm 3.4.2 P): place i changes
  // with the one that word i of the stream names.
  Permutation(size_t n, T weight, const PhiloxStream& stream) : LinearOperator<T>(n, n), weight_(weight), places_(n) {
    for (size_t i = 0; i < n; ++i) places_[i] = static_cast<uint32_t>(i);
    for (size_t i = n; i-- > 1;) std::swap(places_[i], places_[below(i + 1, stream.word(i))]);
  }

  size_t paddedRows() const override { return this->rows(); }
  void accumulate(const T* x, T* y, Sweep) const override {
    kernels<T>().permutation(weight_, places_.data(), this->rows(), x, y);
  }

  void product(const double* x, double* y) const override {
    for (size_t i = 0; i < this->rows(); ++i) y[i] = static_cast<double>(weight_) * x[places_[i]];
  }

  void transposed(const double* x, double* y) const override {
    for (size_t i = 0; i < this->rows(); ++i) y[places_[i]] = static_cast<double>(weight_) * x[i];
  }

  void unpack(T* dense) const override {
    for (size_t i = 0; i < this->rows(); ++i) dense[i * this->cols() + places_[i]] = weight_;
  }

  size_t bytes() const override { return places_.size() * sizeof(uint32_t); }

 private:
  T weight_;
  AlignedArray<uint32_t> places_;
};

}  // namespace dtesn
