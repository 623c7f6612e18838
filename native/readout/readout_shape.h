// Sizes of a linear readout y = W' x + b, and the rows it reads: the states of a network and, behind them, its inputs.
#pragma once

#include <cstddef>

namespace dtesn {

struct ReadoutShape {
  size_t states, inputs, outputs;
  bool intercept;

  size_t features() const { return states + inputs; }
};

// Row t of the features is states[t] and then inputs[t]; both row-major, inputs null where the shape has none.
template <class T>
struct FeatureRows {
  const T* states;
  const T* inputs;

  FeatureRows from(const ReadoutShape& shape, size_t row) const {
    return {states + row * shape.states, shape.inputs == 0 ? nullptr : inputs + row * shape.inputs};
  }
};

}  // namespace dtesn
