// Least squares by Householder's reflections of [X; sqrt(ridge) I], never of its squares: a ridge down to 1e-18 of the
// largest variance means what it says.
//
// The targets are columns of the triangle too, so that what a readout leaves is known to its last digits. Each fold has
// a triangle of its own; merged, they are that of all rows, and without one of them that of the others. Operations: 2
// features^2 a row, and 2/3 features^3 at the end.
#pragma once

#include <vector>

#include "linalg/qr.h"
#include "readout/least_squares.h"

namespace dtesn {

class OrthogonalFactor final : public LeastSquares {
 public:
  OrthogonalFactor(const ReadoutShape& shape, size_t folds);

  void enter(size_t fold) override;
  void validate(const std::vector<double>& ridges, const std::vector<size_t>& prefixes, double* errors,
                const Interruption& interruption) const override;
  bool spectrum(const Spectrum& spectrum, const Interruption& interruption) const override;

 protected:
  double* block(size_t j) override { return qr_.block(j); }
  void addBlock(size_t rows, const Interruption& interruption) override { qr_.absorb(rows, 0, interruption); }
  Trapezoid eliminate(double ridge, const Interruption& interruption) const override;

 private:
  static constexpr size_t kBlockRows = 240;

  const Trapezoid& factor(size_t fold) const { return fold == fold_ ? qr_.factor() : others_[fold]; }
  // The triangle of all folds but one; of all where there is none of this number.
  Trapezoid merged(size_t without, const Interruption& interruption) const;
  Trapezoid withRidge(Trapezoid factor, double ridge, const Interruption& interruption) const;

  StreamingQr qr_;                 // of fold_
  std::vector<Trapezoid> others_;  // that of fold_ is of no strips
  size_t fold_ = 0;
};

}  // namespace dtesn
