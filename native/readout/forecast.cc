#include "readout/forecast.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "network/batch.h"

namespace dtesn {

template <class T>
bool Feedback<T>::feed(const Forecast<T>& forecast, size_t t, T* input) const {
  double* const row = forecast.out + t * outputs_;
  bool isFinite = true;
  for (size_t m = 0; m < outputs_; ++m) {
    row[m] = forecast.last[m];
    input[m] = static_cast<T>(row[m]);
    isFinite = isFinite && std::isfinite(input[m]);
  }
  if (given_ > 0) std::copy_n(forecast.given + t * given_, given_, input + outputs_);
  return isFinite;
}

template <class T>
void Feedback<T>::read(const Forecast<T>& forecast, const T* input) const {
  const T* features = forecast.state;
  if (!network_.showsState()) {
    network_.features(forecast.state, features_.data());
    features = features_.data();
  }
  readout_.apply(FeatureRows<T>{features, input}, 1, forecast.last);
}

template <class T>
size_t forecastOne(const Network<T>& network, const LinearReadout& readout, const Forecast<T>& forecast, size_t steps,
                   StepScratch<T>& scratch, const Control& control) {
  const Feedback<T> feedback(network, readout);
  const AlignedArray<T> input(network.inputs());
  Run<T> step;
  step.series = input.data();
  step.steps = 1;
  step.state = forecast.state;
  step.gates = forecast.gates;
  for (size_t t = 0; t < steps; ++t) {
    if (!feedback.feed(forecast, t, input.data())) return t;
    network.run(step, scratch, Control());
    feedback.read(forecast, input.data());
    if (control.due(t + 1) && !control.report(control.period())) return t + 1;
  }
  return steps;
}

template <class T>
ForecastGroup<T>::ForecastGroup(const Network<T>& network, const LinearReadout& readout,
                                const std::vector<Forecast<T>>& forecasts, size_t first, size_t stride)
    : network_(network), feedback_(network, readout) {
  for (size_t i = first; i < forecasts.size(); i += stride) {
    members_.push_back(forecasts[i]);
    states_.push_back(forecasts[i].state);
    gates_.push_back(forecasts[i].gates);
    gated_ = gated_ || forecasts[i].gates != nullptr;
  }
  inputs_ = AlignedArray<T>(members_.size() * network.inputs());
  for (size_t s = 0; s < members_.size(); ++s) inputPlaces_.push_back(inputs_.data() + s * network.inputs());
}

template <class T>
size_t ForecastGroup<T>::feed(size_t active, size_t t) {
  for (size_t s = 0; s < active;) {
    if (feedback_.feed(members_[s], t, inputs_.data() + s * network_.inputs())) {
      ++s;
      continue;
    }
    *members_[s].done = static_cast<double>(t);
    --active;
    std::swap(members_[s], members_[active]);
    std::swap(states_[s], states_[active]);
    std::swap(gates_[s], gates_[active]);
  }
  return active;
}

template <class T>
void ForecastGroup<T>::run(size_t steps, StepScratch<T>& scratch, const Control& control) {
  size_t active = members_.size(), unreported = 0, t = 0;
  for (bool goesOn = true; goesOn && t < steps; ++t) {
    active = feed(active, t);
    if (active == 0) return;
    network_.stepMany(active, inputPlaces_.data(), states_.data(), gated_ ? gates_.data() : nullptr, scratch);
    for (size_t s = 0; s < active; ++s) feedback_.read(members_[s], inputPlaces_[s]);
    unreported += active;
    if (!control.due(t + 1)) continue;
    goesOn = control.report(unreported);
    unreported = 0;
  }
  for (size_t s = 0; s < active; ++s) *members_[s].done = static_cast<double>(t);
}

template <class T>
std::vector<ForecastGroup<T>> forecastGroups(const Network<T>& network, const LinearReadout& readout,
                                             const std::vector<Forecast<T>>& forecasts, size_t threads) {
  std::vector<ForecastGroup<T>> groups;
  const size_t count = groupCount(forecasts.size(), threads);
  for (size_t g = 0; g < count; ++g) groups.emplace_back(network, readout, forecasts, g, count);
  return groups;
}

template class Feedback<float>;
template class Feedback<double>;
template class ForecastGroup<float>;
template class ForecastGroup<double>;
template size_t forecastOne<float>(const Network<float>&, const LinearReadout&, const Forecast<float>&, size_t,
                                   StepScratch<float>&, const Control&);
template size_t forecastOne<double>(const Network<double>&, const LinearReadout&, const Forecast<double>&, size_t,
                                    StepScratch<double>&, const Control&);
template std::vector<ForecastGroup<float>> forecastGroups<float>(const Network<float>&, const LinearReadout&,
                                                                 const std::vector<Forecast<float>>&, size_t);
template std::vector<ForecastGroup<double>> forecastGroups<double>(const Network<double>&, const LinearReadout&,
                                                                   const std::vector<Forecast<double>>&, size_t);

}  // namespace dtesn
