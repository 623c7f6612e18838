// The elementary differentials of the flow of a network at its states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bseries/differentials.h"
#include "linalg/aligned_array.h"
#include "network/flow.h"
#include "simd/span.h"

namespace dtesn {

// One thread's: its work memory is allocated when it is made, and nothing when it evaluates.
template <class T>
class Expansion {
 public:
  // The flow must outlive it. Throws std::invalid_argument for an order outside 1 .. kMaxDifferentialOrder.
  Expansion(const Flow<T>& flow, size_t units, int order)
      : flow_(flow),
        stage_(units, order),
        segments_(flow.segments()),
        drive_(units),
        open_(units),
        work_(flow.workSize()) {}

  size_t trees() const { return stage_.trees(); }

  // input: a row of the series; state: units. out: trees x units, F(t) row by row in the order of the tree table.
  void evaluate(const T* input, const uint8_t* gates, const T* state, T* out) {
    gates_ = gates;
    flow_.drive(input, gates, drive_.data(), work_.data());
    flow_.mask(gates, open_.data());
    // Each captures one pointer, so that no function object allocates.
    const auto map = [this](const T* x, T* y) { flow_.couple(x, gates_, y, work_.data()); };
    const auto decay = [this](const T* x, T* y) { flow_.decay(x, gates_, y, work_.data()); };
    const size_t units = drive_.size();
    stage_.evaluate({map, decay, {segments_.data(), segments_.size()}, {drive_.data(), units}, {open_.data(), units}},
                    {state, units}, {out, trees() * units});
  }

 private:
  const Flow<T>& flow_;
  Differentials<T> stage_;
  std::vector<Segment> segments_;
  AlignedArray<T> drive_, open_, work_;
  const uint8_t* gates_ = nullptr;
};

}  // namespace dtesn
