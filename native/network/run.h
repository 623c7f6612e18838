// One loop for one series through any network.
//
// Traffic of a step: the weights once, the state once read and once written. Nothing is allocated while it runs.
#pragma once

#include <cmath>
#include <cstring>

#include "network/control.h"
#include "network/network.h"

namespace dtesn {

// A series, the state it moves, and what is kept of it.
template <class T>
struct Run {
  const T* series = nullptr;  // steps x inputs
  size_t steps = 0;
  T* state = nullptr;              // stateSize, in place
  const uint8_t* gates = nullptr;  // null: all open
  T* out = nullptr;                // steps x featureSize, or null
  double* sum = nullptr;           // featureSize: the features of every step are added; or null
  double* magnitude = nullptr;     // their moduli, with sum

  // Keeps what is wanted of the state after step t; `room` has featureSize elements where features are not the state.
  void keep(const Network<T>& network, size_t t, T* room) const {
    if (out == nullptr && sum == nullptr) return;
    const size_t size = network.featureSize();
    T* const row = out == nullptr ? room : out + t * size;
    const T* const features = network.features(state, row);
    if (out != nullptr && features != row) std::memcpy(row, features, size * sizeof(T));
    if (sum == nullptr) return;
    for (size_t i = 0; i < size; ++i) {
      sum[i] += features[i];
      magnitude[i] += std::fabs(features[i]);
    }
  }
};

// Room for features that are not the state and that no `out` takes.
template <class T>
AlignedArray<T> featureRoom(const Network<T>& network, const Run<T>& run) {
  return AlignedArray<T>(run.out == nullptr && run.sum != nullptr ? network.featureSize() : 0);
}

// Returns the steps done, fewer than run.steps only when `control` stopped the run.
template <class T>
size_t runSeries(const Network<T>& network, const Run<T>& run, StepScratch<T>& scratch, const Control& control) {
  const AlignedArray<T> room = featureRoom(network, run);
  const size_t inputs = network.inputs();
  for (size_t t = 0; t < run.steps; ++t) {
    network.step(run.series + t * inputs, run.state, run.gates, scratch);
    run.keep(network, t, room.data());
    if (control.due(t + 1) && !control.report(control.period())) return t + 1;
  }
  return run.steps;
}

}  // namespace dtesn
