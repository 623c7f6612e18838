// R of a QR factorisation of rows that arrive block by block: memory stays that of R.
//
//     R <- R of qr([R; block])
//
// Householder reflections I - V T V' of kStripWidth columns at a time; V is the identity above and fills the block
// below, since R is triangular. Operations: 2 n^2 a row. Nothing is squared, so R keeps what a Gram matrix loses: its
// error is eps ||A||, not eps ||A||^2 / sigma. Source: Golub & Van Loan (2013), Matrix Computations, 5.1-5.2; tall and
// skinny QR: Demmel et al. (2012), SIAM J. Sci. Comput. 34(1).
#pragma once

#include <utility>

#include "linalg/interruption.h"
#include "linalg/trapezoid.h"

namespace dtesn {

class StreamingQr {
 public:
  // `rows` of a block, a multiple of kStripWidth.
  StreamingQr(Trapezoid factor, size_t rows);

  // Strip j of the block: rows x kStripWidth.
  double* block(size_t j) const { return block_.data() + j * rows_ * kStripWidth; }
  // Takes the first rows of the block in, whose strips left of `first` hold zeros; what the block held is gone.
  // Interrupted leaves a factor that is good for nothing.
  void absorb(size_t rows, size_t first = 0, const Interruption& interruption = {});

  const Trapezoid& factor() const { return factor_; }
  // Takes another factor of the same size, or of no strips where none follows; returns the one so far.
  Trapezoid exchange(Trapezoid factor) { return std::exchange(factor_, std::move(factor)); }

 private:
  void factorPanel(double* r, double* v, size_t rows);
  void updateStrip(double* r, double* b, const double* v, size_t rows);

  Trapezoid factor_;
  size_t rows_;
  AlignedArray<double> block_;
  AlignedArray<double> turned_;  // V' by tiles
  AlignedArray<double> t_, product_, reflected_;
};

}  // namespace dtesn
