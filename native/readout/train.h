// The states of a series on their way from a network into the sums of a readout, block by block, so that none are kept.
//
//     row t = [x(t), u(t)] -> target(t)      for t >= washout
#pragma once

#include <algorithm>
#include <cmath>

#include "network/network.h"
#include "readout/least_squares.h"

namespace dtesn {

// Steps whose states stay in the second cache while the sums read them.
constexpr size_t kTrainSteps = 240;

// What a network is run over, and where its rows go.
template <class T>
struct Lesson {
  const T* series = nullptr;  // steps x inputs
  size_t steps = 0, washout = 0;
  T* state = nullptr;  // where the series starts from, moved in place
  const uint8_t* gates = nullptr;
  const double* targets = nullptr;  // steps x outputs
  const double* weights = nullptr;  // steps, or null for ones
  T* block = nullptr;               // kTrainSteps x featureSize, scratch
  size_t* counted = nullptr;        // takes the rows that count
};

// Returns the steps done: washed out, or taken into the sums. Fewer than lesson.steps where `control` stopped it, or
// where a state is not finite: then it is among the rows of `block`, which were not taken in.
template <class T>
size_t train(const Network<T>& network, const Lesson<T>& lesson, StepScratch<T>& scratch, LeastSquares& sums,
             const Control& control) {
  const size_t inputs = network.inputs(), features = network.featureSize(), outputs = sums.shape().outputs;
  const auto runFrom = [&](size_t from, size_t steps, T* out) {
    Run<T> run;
    run.series = lesson.series + from * inputs;
    run.steps = steps;
    run.state = lesson.state;
    run.gates = lesson.gates;
    run.out = out;
    const size_t done = network.run(run, scratch, control);
    // A run counts whole periods only.
    return done == steps && control.report(steps % control.period()) ? steps : 0;
  };
  if (lesson.washout > 0 && runFrom(0, lesson.washout, nullptr) == 0) return 0;
  for (size_t from = lesson.washout; from < lesson.steps; from += kTrainSteps) {
    const size_t some = std::min(kTrainSteps, lesson.steps - from);
    if (runFrom(from, some, lesson.block) == 0) return from;
    if (!std::all_of(lesson.block, lesson.block + some * features, [](T x) { return std::isfinite(x); })) return from;
    const T* const u = sums.shape().inputs == 0 ? nullptr : lesson.series + from * inputs;
    *lesson.counted += sums.add(FeatureRows<T>{lesson.block, u}, lesson.targets + from * outputs,
                                lesson.weights == nullptr ? nullptr : lesson.weights + from, some, control.ending());
  }
  return lesson.steps;
}

extern template size_t train<float>(const Network<float>&, const Lesson<float>&, StepScratch<float>&, LeastSquares&,
                                    const Control&);
extern template size_t train<double>(const Network<double>&, const Lesson<double>&, StepScratch<double>&, LeastSquares&,
                                     const Control&);

}  // namespace dtesn
