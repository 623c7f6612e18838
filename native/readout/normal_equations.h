// Least squares by the Gram matrix: f64 sums, Cholesky's factor. Fast; loses directions whose variance is below 1e-13
// of the largest, so a ridge is needed. Operations: features^2 a row, features^3 / 3 at the end.
#pragma once

#include "readout/least_squares.h"

namespace dtesn {

class NormalEquations final : public LeastSquares {
 public:
  explicit NormalEquations(const ReadoutShape& shape);

 protected:
  double* block(size_t j) override { return block_.data() + j * kBlockRows * kStripWidth; }
  void addBlock(size_t rows, const Interruption& interruption) override;
  Trapezoid eliminate(double ridge, const Interruption& interruption) const override;

 private:
  // A strip of the block is 24 KiB: it stays in the first cache while all others meet it.
  static constexpr size_t kBlockRows = 128;

  Trapezoid gram_;
  AlignedArray<double> block_;
};

}  // namespace dtesn
