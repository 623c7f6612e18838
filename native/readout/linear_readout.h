// The trained map y = W' x + b on rows of states. Sums are f64 in eight lanes, whatever the states.
// Traffic: the states once; the weights stay in cache.
#pragma once

#include "linalg/aligned_array.h"
#include "readout/readout_shape.h"

namespace dtesn {

class LinearReadout {
 public:
  // weights: features x outputs; bias: outputs.
  LinearReadout(const ReadoutShape& shape, const double* weights, const double* bias);

  const ReadoutShape& shape() const { return shape_; }

  // out: rows x outputs.
  template <class T>
  void apply(FeatureRows<T> features, size_t rows, double* out) const;

 private:
  ReadoutShape shape_;
  AlignedArray<double> weights_, bias_;  // outputs x features
};

}  // namespace dtesn
