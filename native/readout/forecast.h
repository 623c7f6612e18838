// A network and its readout in closed loop: every output is fed back as the next input.
//
//   out(t) = y(t)        u(t+1) = [y(t), given(t)] in T        x(t+1) by the network        y(t+1) = W' [x(t+1),
//   u(t+1)] + b
//
// A forecast ends before the step whose input is not finite in T. Nothing is allocated in a step.
// Traffic of a step: that of the network, and the weights of the readout once a state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linalg/aligned_array.h"
#include "network/control.h"
#include "network/network.h"
#include "readout/linear_readout.h"

namespace dtesn {

template <class T>
struct Forecast {
  T* state = nullptr;              // stateSize, moved
  const uint8_t* gates = nullptr;  // null: all open
  double* last = nullptr;          // outputs: y(0), and the output after the last step when it is done
  double* out = nullptr;           // steps x outputs
  double* done = nullptr;          // takes the steps done
  const T* given = nullptr;        // steps x the inputs beyond the outputs
};

// What closes the loop. The readout reads the features of this network and has at most as many outputs as it has
// inputs; those beyond are given.
template <class T>
class Feedback {
 public:
  Feedback(const Network<T>& network, const LinearReadout& readout)
      : network_(network),
        readout_(readout),
        outputs_(readout.shape().outputs),
        given_(network.inputs() - outputs_),
        features_(network.showsState() ? 0 : network.featureSize()) {}

  // Writes row t and makes it the next input; false where that is not finite.
  bool feed(const Forecast<T>& forecast, size_t t, T* input) const;
  // The output after a step.
  void read(const Forecast<T>& forecast, const T* input) const;

 private:
  const Network<T>& network_;
  const LinearReadout& readout_;
  size_t outputs_, given_;
  AlignedArray<T> features_;
};

// One forecast, in the bits of run() step by step. Returns the steps done: fewer than `steps` when it left the finite
// numbers or `control` stopped it.
template <class T>
size_t forecastOne(const Network<T>& network, const LinearReadout& readout, const Forecast<T>& forecast, size_t steps,
                   StepScratch<T>& scratch, const Control& control);

// Some forecasts of as many steps, stepped together. Their bits do not depend on which ones they are.
template <class T>
class ForecastGroup {
 public:
  // Forecasts first, first + stride, ...
  ForecastGroup(const Network<T>& network, const LinearReadout& readout, const std::vector<Forecast<T>>& forecasts,
                size_t first, size_t stride);

  size_t size() const { return members_.size(); }
  // Each forecast's `done` says how far it came.
  void run(size_t steps, StepScratch<T>& scratch, const Control& control);

 private:
  // Feeds every member, and puts those that left the finite numbers behind the others: how many go on.
  size_t feed(size_t active, size_t t);

  const Network<T>& network_;
  Feedback<T> feedback_;
  std::vector<Forecast<T>> members_;
  AlignedArray<T> inputs_;  // size x inputs
  std::vector<const T*> inputPlaces_;
  std::vector<T*> states_;
  std::vector<const uint8_t*> gates_;
  bool gated_ = false;
};

// The groups of many forecasts, as many as keep `threads` threads busy.
template <class T>
std::vector<ForecastGroup<T>> forecastGroups(const Network<T>& network, const LinearReadout& readout,
                                             const std::vector<Forecast<T>>& forecasts, size_t threads);

}  // namespace dtesn
