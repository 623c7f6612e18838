// The sums a ridge readout is trained from, taken in block by block; memory is O(features^2), whatever the steps.
//
//     W, b = argmin ||X W + 1 b' - Y||^2 + ridge ||W||^2        (the intercept b is not penalised)
//
// Columns: 0 holds the intercept's ones, 1 .. features the features less their shifts, then padding to whole strips,
// then the outputs less theirs. With the ones in front, eliminating their column is what centres all others. The shifts
// are the means of the first block, so that sums of squares do not lose the digits of a large mean; without an
// intercept they are 0. Whatever the elimination, it ends in U [w0; W] = V, which one back substitution solves.
#pragma once

#include "linalg/interruption.h"
#include "linalg/trapezoid.h"
#include "readout/readout_shape.h"

namespace dtesn {

class LeastSquares {
 public:
  LeastSquares(const ReadoutShape& shape, size_t blockRows);
  virtual ~LeastSquares() = default;

  // Rows that are taken in at once: the sums of a series added in pieces of so many are those of the whole to the bit.
  size_t blockRows() const { return blockRows_; }
  const ReadoutShape& shape() const { return shape_; }

  // targets: rows x outputs. All finite. Interrupted leaves sums that are good for nothing.
  template <class T>
  void add(FeatureRows<T> features, const double* targets, size_t rows, const Interruption& interruption = {});

  // weights: features x outputs; bias: outputs. The sums are kept. Returns false when the features are linearly
  // dependent to the rounding of the method, and writes nothing then.
  bool solve(double ridge, double* weights, double* bias, const Interruption& interruption = {}) const;

 protected:
  size_t height() const { return stripsOf(1 + shape_.features()); }
  size_t width() const { return height() + stripsOf(shape_.outputs); }
  // Where strip j of the next block goes: blockRows x kStripWidth.
  virtual double* block(size_t j) = 0;
  virtual void addBlock(size_t rows, const Interruption& interruption) = 0;
  // [U V], or a trapezoid of no strips when the features are dependent.
  virtual Trapezoid eliminate(double ridge, const Interruption& interruption) const = 0;

 private:
  template <class T>
  void shiftBy(FeatureRows<T> features, const double* targets, size_t rows);
  template <class T>
  void pack(const T* rows, size_t count, size_t columns, size_t from, const double* shifts);

  ReadoutShape shape_;
  size_t blockRows_;
  bool shifted_ = false;
  AlignedArray<double> featureShifts_, outputShifts_;
};

}  // namespace dtesn
