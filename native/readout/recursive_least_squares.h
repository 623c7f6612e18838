// Recursive least squares: the ridge readout after every step, by one pass over P.
//
//     y = P x,  d = forgetting + x' y,  e = target - W' x
//     W <- W + y e' / d,  P <- (P - y y' / d) / forgetting,  P(0) = I / ridge
//
// P is symmetric: only tiles on and above its diagonal are kept. It is not rewritten each step: with
// P = s (R - sum_i ±q_i q_i') a step reads R, appends a term and every kPending steps the terms are subtracted, so
// that the traffic of a step is half of P (4 features^2 bytes) and an eighth of that again. A term is stored as
// q = sqrt(|share|) y and its sign, so that the product of elements i and j is that of j and i to the last bit: an
// antisymmetric error of P would grow as forgetting^-t.
//
// Directions that the input does not excite are forgotten too, and P grows there without end. So while the trace of P
// would exceed kMostGrowth times that of P(0), a step forgets in the direction of x alone, and lets the weights drift:
//
//     P <- P - (1 - (1 - forgetting) / x' y) y y' / d + (1 - forgetting)^2 / x' x I
//
// left out where it takes the trace above 2 kMostGrowth times that of P(0). The step of W is that of the law above.
// Without the drift, a small feature beside a large one would not be followed any more: the large one has all of x' y.
//
// Weights: outputs rows of `columns` elements, the features and, with an intercept, one more that is always 1.
// Source: Haykin (2002), Adaptive Filter Theory, section 9.3; Farhang-Boroujeny (2013), section 12;
// forgetting in one direction: Kulhavy (1987), Int. J. Control 45(2).
#pragma once

#include "linalg/trapezoid.h"
#include "readout/readout_shape.h"

namespace dtesn {

class RecursiveLeastSquares {
 public:
  RecursiveLeastSquares(const ReadoutShape& shape, double ridge, double forgetting);

  // One step after the other; predictions: rows x outputs, W' x before its own step. Returns how many were done: fewer
  // than rows when P stops being positive in f64.
  template <class T>
  size_t update(FeatureRows<T> features, const double* targets, size_t rows, double* predictions);

  // An element of P, the intercept last.
  double inverse(size_t row, size_t column) const;

  // weights: features x outputs; bias: outputs.
  void weights(double* weights, double* bias) const;

  // Everything that the next step depends on, as it is (terms to be subtracted are not): savedSize() numbers.
  //
  //   scale, trace, terms, their kPending signs, q_i by strips, R by tiles, weights outputs x padded columns
  size_t savedSize() const {
    return 3 + kPending + pending_.size() + inverse_.bytes() / sizeof(double) + weights_.size();
  }
  void save(double* numbers) const;
  // False where these cannot be the numbers of a save() of this shape: this object is then of no use any more.
  bool restore(const double* numbers);

  // Bytes that a step reads: P and what is still to be subtracted from it.
  size_t bytes() const { return inverse_.bytes() + pending_.size() * sizeof(double) / 2; }

 private:
  static constexpr size_t kPending = 16;
  static constexpr double kMostGrowth = 10;

  bool step(const double* target, double* prediction);
  size_t columns() const { return shape_.features() + shape_.intercept; }
  void forget(double spread);
  void append(double share);
  void multiply();
  void subtractPending();
  double* pending(size_t strip) const { return pending_.data() + strip * kPending * kStripWidth; }

  ReadoutShape shape_;
  double forgetting_;
  Trapezoid inverse_;  // R
  double scale_ = 1;   // s
  size_t waiting_ = 0;
  double trace_, mostTrace_;               // of P, and up to where every direction is forgotten
  double signs_[kPending] = {};            // of the shares
  AlignedArray<double> pending_, signed_;  // q_i, and ±q_i of a strip
  AlignedArray<double> x_, y_, partial_, weights_;
};

}  // namespace dtesn
