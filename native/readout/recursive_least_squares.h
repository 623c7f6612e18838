// Recursive least squares: the ridge readout after every step, by one pass over P.
//
//     y = P x,  d = forgetting + x' y,  e = target - W' x
//     W <- W + y e' / d,  P <- (P - y y' / d) / forgetting,  P(0) = I / ridge
//
// P is symmetric: only tiles on and above its diagonal are kept. It is not rewritten each step: with
// P = s (R - sum_i c_i q_i q_i') a step reads R, appends a term and every kPending steps the terms are subtracted, so
// that the traffic of a step is half of P (4 features^2 bytes) and an eighth of that again.
//
// Weights: outputs rows of `columns` elements, the features and, with an intercept, one more that is always 1.
// Source: Haykin (2002), Adaptive Filter Theory, section 9.3; Farhang-Boroujeny (2013), section 12.
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

  // weights: features x outputs; bias: outputs.
  void weights(double* weights, double* bias) const;

  // Bytes that a step reads: P and what is still to be subtracted from it.
  size_t bytes() const { return inverse_.bytes() + pending_.size() * sizeof(double) / 2; }

 private:
  static constexpr size_t kPending = 16;

  bool step(const double* target, double* prediction);
  void multiply();
  void subtractPending();
  double* pending(size_t strip) const { return pending_.data() + strip * kPending * kStripWidth; }

  ReadoutShape shape_;
  double forgetting_;
  Trapezoid inverse_;  // R
  double scale_ = 1;   // s
  size_t waiting_ = 0;
  double shares_[kPending] = {};             // c
  AlignedArray<double> pending_, weighted_;  // q_i, and c_i q_i of a strip
  AlignedArray<double> x_, y_, partial_, weights_;
};

}  // namespace dtesn
