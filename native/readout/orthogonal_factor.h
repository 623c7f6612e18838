// Least squares by Householder's reflections of [X; sqrt(ridge) I], never of its squares: a ridge down to 1e-18 of the
// largest variance means what it says.
// Operations: 2 features^2 a row, and 2/3 features^3 at the end.
#pragma once

#include "linalg/qr.h"
#include "readout/least_squares.h"

namespace dtesn {

class OrthogonalFactor final : public LeastSquares {
 public:
  explicit OrthogonalFactor(const ReadoutShape& shape);

 protected:
  double* block(size_t j) override { return qr_.block(j); }
  void addBlock(size_t rows, const Interruption& interruption) override { qr_.absorb(rows, 0, interruption); }
  Trapezoid eliminate(double ridge, const Interruption& interruption) const override;

 private:
  static constexpr size_t kBlockRows = 240;

  StreamingQr qr_;
};

}  // namespace dtesn
