// The outputs of a linear readout as what a run keeps of every step.
#pragma once

#include "network/reading.h"
#include "readout/linear_readout.h"

namespace dtesn {

template <class T>
class ReadoutReading final : public Reading<T> {
 public:
  // The readout must outlive this.
  explicit ReadoutReading(const LinearReadout& readout) : readout_(readout) {}
  size_t outputs() const override { return readout_.shape().outputs; }
  void read(const T* features, const T* input, double* out) const override {
    readout_.apply(FeatureRows<T>{features, input}, 1, out);
  }

 private:
  const LinearReadout& readout_;
};

}  // namespace dtesn
