// The sums a ridge readout is trained from, taken in block by block; memory is O(features^2), whatever the steps.
//
//     W, b = argmin sum_t weight(t) |W' x(t) + b - y(t)|^2 + ridge ||W||^2        (the intercept b is not penalised)
//
// Rows with a target that is NaN do not count; the others are scaled by sqrt(weight).
// Columns: 0 holds the intercept's ones, 1 .. features the features less their shifts, then padding to whole strips,
// then the outputs less theirs. With the ones in front, eliminating their column is what centres all others. The shifts
// are the means of the first block, so that sums of squares do not lose the digits of a large mean; without an
// intercept they are 0. Whatever the elimination, it ends in U [w0; W] = V, which one back substitution solves; that of
// the first columns alone is the readout of the first features.
#pragma once

#include <vector>

#include "linalg/interruption.h"
#include "linalg/trapezoid.h"
#include "readout/readout_shape.h"
#include "readout/spectrum.h"

namespace dtesn {

// Readouts of the first so many features, one after the other: features x outputs each, and what they leave.
struct Prefixes {
  std::vector<size_t> features;
  double* weights = nullptr;
  double* bias = nullptr;
  double* errors = nullptr;  // outputs each: sums of squares over the rows; or null
};

class LeastSquares {
 public:
  LeastSquares(const ReadoutShape& shape, size_t blockRows);
  virtual ~LeastSquares() = default;

  // Rows that are taken in at once: the sums of a series added in pieces of so many are those of the whole to the bit.
  size_t blockRows() const { return blockRows_; }
  const ReadoutShape& shape() const { return shape_; }

  // targets: rows x outputs, NaN where a row does not count; weights: rows, none negative, or null for ones. Returns
  // the rows that count. Interrupted leaves sums that are good for nothing.
  template <class T>
  size_t add(FeatureRows<T> features, const double* targets, const double* weights, size_t rows,
             const Interruption& interruption = {});

  // The sums are kept. Returns the condition number of [X; sqrt(ridge) I] to a factor of two; 0 when the features are
  // linearly dependent to the rounding of the method, and writes nothing then.
  double solve(double ridge, const Prefixes& prefixes, const Interruption& interruption = {}) const;

  // Where the next rows go, one of the folds of the constructor.
  virtual void enter(size_t /*fold*/) {}
  // Sums of squares that the readouts of all folds but one leave in that one, those of the first so many features:
  // errors is folds x ridges x prefixes x outputs. NaN where the features are dependent.
  virtual void validate(const std::vector<double>& /*ridges*/, const std::vector<size_t>& /*prefixes*/,
                        double* /*errors*/, const Interruption&) const {}
  // False for sums that have none: those of squares.
  virtual bool spectrum(const Spectrum& /*spectrum*/, const Interruption&) const { return false; }

 protected:
  size_t height() const { return stripsOf(1 + shape_.features()); }
  size_t width() const { return height() + stripsOf(shape_.outputs); }
  // Where strip j of the next block goes: blockRows x kStripWidth.
  virtual double* block(size_t j) = 0;
  virtual void addBlock(size_t rows, const Interruption& interruption) = 0;
  // [U V], or a trapezoid of no strips when the features are dependent.
  virtual Trapezoid eliminate(double ridge, const Interruption& interruption) const = 0;

  // [w0; W] of the first features for one output, from the last row up.
  void substitute(const Trapezoid& system, size_t features, size_t output, double* solution) const;
  // What was subtracted from a column that counts from 0 with the ones.
  double shiftOf(size_t column) const { return column == 0 ? 0 : featureShifts_[column - 1]; }
  double outputShift(size_t output) const { return outputShifts_[output]; }

 private:
  // A row of a block that counts, and sqrt of its weight.
  struct Kept {
    size_t row;
    double scale;
  };

  template <class T>
  void shiftBy(FeatureRows<T> features, const double* targets);
  template <class T>
  void pack(const T* rows, size_t columns, size_t from, const double* shifts);
  double conditionOf(const Trapezoid& system) const;

  ReadoutShape shape_;
  size_t blockRows_;
  bool shifted_ = false;
  std::vector<Kept> kept_;
  AlignedArray<double> featureShifts_, outputShifts_;
};

}  // namespace dtesn
