// One loop for one series through any network.
//
// Traffic of a step: the weights once, the state once read and once written. Nothing is allocated while it runs.
#pragma once

#include <cstring>

#include "network/control.h"
#include "network/network.h"
#include "simd/kernels.h"

namespace dtesn {

// Keeps what runs through a network want of their states.
template <class T>
class Keeper {
 public:
  // Room where some run has sums, no `out`, and features that are not the state.
  Keeper(const Network<T>& network, bool needsRoom)
      : network_(network),
        size_(network.featureSize()),
        showsState_(network.showsState()),
        room_(needsRoom && !showsState_ ? AlignedArray<T>(size_) : AlignedArray<T>()) {}

  // After step t.
  void keep(const Run<T>& run, size_t t) const {
    if (run.out == nullptr && run.sum == nullptr) return;
    T* const row = run.out == nullptr ? room_.data() : run.out + t * size_;
    const T* features = row;
    if (!showsState_) {
      network_.features(run.state, row);
    } else if (run.out == nullptr) {
      features = run.state;
    } else {
      std::memcpy(row, run.state, size_ * sizeof(T));
    }
    if (run.sum != nullptr) kernels<T>().addMoments(features, size_, run.sum, run.magnitude);
  }

 private:
  const Network<T>& network_;
  size_t size_;
  bool showsState_;
  AlignedArray<T> room_;
};

// The steps of `run` by step(t), which takes step t. Returns the steps done, fewer than run.steps only when `control`
// stopped the run.
template <class T, class Step>
size_t eachStep(const Network<T>& network, const Run<T>& run, const Control& control, Step step) {
  const Keeper<T> keeper(network, run.out == nullptr && run.sum != nullptr);
  // Locals: the weights drive everything else out of the first cache, and each line that a step reads is fetched again.
  const size_t steps = run.steps;
  const bool keeps = run.out != nullptr || run.sum != nullptr;
  for (size_t t = 0; t < steps; ++t) {
    step(t);
    if (keeps) keeper.keep(run, t);
    if (control.due(t + 1) && !control.report(control.period())) return t + 1;
  }
  return steps;
}

}  // namespace dtesn
