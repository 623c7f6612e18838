// Closed loops: one forecast is run() fed by hand, many are each other's in any group, and one that leaves the finite
// numbers ends without touching the others. The sanitizers watch the memory.
#include "readout/forecast.h"

#include <cmath>
#include <utility>
#include <vector>

#include "network/draw.h"
#include "network/nvar.h"
#include "network/region_network.h"
#include "test/check.h"

using dtesn::Control;
using dtesn::Forecast;
using dtesn::LinearReadout;
using dtesn::Network;
using dtesn::PhiloxStream;
using dtesn::Purpose;

template <class T>
static dtesn::RegionNetwork<T> reservoir(size_t units, size_t inputs) {
  dtesn::RecurrentSpec spec;
  spec.units = units;
  std::vector<dtesn::Place<T>> places(1);
  dtesn::Region<T>& region = places[0].region;
  region.recurrent = dtesn::drawRecurrent<T>(spec);
  region.input = dtesn::drawDense<T>(units, inputs, 1, PhiloxStream(0, 0, Purpose::input));
  region.bias = dtesn::AlignedArray<T>(dtesn::Region<T>::paddedUnits(units));
  region.rate = dtesn::AlignedArray<T>(dtesn::Region<T>::paddedUnits(units));
  for (size_t i = 0; i < units; ++i) region.rate[i] = T(0.5);
  region.segments = {{units, dtesn::Activation::tanh}};
  return dtesn::RegionNetwork<T>(std::move(places), inputs, true);
}

static LinearReadout readoutOf(size_t states, size_t inputs, size_t outputs, double scale) {
  std::vector<double> weights((states + inputs) * outputs), bias(outputs, 0.1);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = scale * std::sin(static_cast<double>(i + 1));
  return LinearReadout({states, inputs, outputs, true}, weights.data(), bias.data());
}

template <class T>
static void checkOne(const Network<T>& network) {
  const size_t steps = 17, inputs = network.inputs(), size = network.featureSize();
  const LinearReadout readout = readoutOf(size, inputs, inputs, 0.2);
  std::vector<T> state(network.stateSize()), byHand(network.stateSize()), input(inputs), features(size);
  std::vector<double> last(inputs, 0.3), out(steps * inputs), next(inputs, 0.3);
  dtesn::StepScratch<T> scratch = network.scratch(1);
  const Forecast<T> forecast = {state.data(), nullptr, last.data(), out.data(), nullptr};
  CHECK(dtesn::forecastOne(network, readout, forecast, steps, scratch, Control()) == steps);
  dtesn::Run<T> run;
  run.series = input.data();
  run.steps = 1;
  run.state = byHand.data();
  run.out = features.data();
  for (size_t t = 0; t < steps; ++t) {
    for (size_t d = 0; d < inputs; ++d) {
      CHECK(out[t * inputs + d] == next[d]);
      input[d] = static_cast<T>(next[d]);
    }
    network.run(run, scratch, Control());
    readout.apply(dtesn::FeatureRows<T>{features.data(), input.data()}, 1, next.data());
  }
  CHECK(state == byHand && last == next);
}

struct Ended {
  std::vector<double> out, done, last;
};

// Start number `first` and those behind it; those of `wild` begin beyond the finite numbers.
template <class T>
static Ended many(const Network<T>& network, const LinearReadout& readout, size_t first, size_t count, size_t threads,
                  size_t steps, const std::vector<size_t>& wild = {}) {
  const size_t inputs = network.inputs();
  std::vector<T> states(count * network.stateSize());
  Ended ended = {std::vector<double>(count * steps * inputs), std::vector<double>(count, -1),
                 std::vector<double>(count * inputs)};
  std::vector<Forecast<T>> forecasts;
  for (size_t s = 0; s < count; ++s) {
    for (size_t d = 0; d < inputs; ++d) ended.last[s * inputs + d] = std::cos(static_cast<double>(first + s + d));
    forecasts.push_back({states.data() + s * network.stateSize(), nullptr, ended.last.data() + s * inputs,
                         ended.out.data() + s * steps * inputs, ended.done.data() + s});
  }
  for (size_t s : wild) ended.last[s * inputs] = HUGE_VAL;
  std::vector<dtesn::ForecastGroup<T>> groups = dtesn::forecastGroups(network, readout, forecasts, threads);
  for (dtesn::ForecastGroup<T>& group : groups) {
    dtesn::StepScratch<T> scratch = network.scratch(group.size());
    group.run(steps, scratch, Control());
  }
  return ended;
}

template <class T>
static void checkMany(const Network<T>& network) {
  const size_t steps = 9, inputs = network.inputs(), row = steps * inputs;
  const LinearReadout readout = readoutOf(network.featureSize(), 0, inputs, 0.2);
  const Ended all = many(network, readout, 0, 70, 1, steps);
  for (double done : all.done) CHECK(done == static_cast<double>(steps));
  CHECK(many(network, readout, 0, 70, 3, steps).out == all.out);
  for (size_t s : {0, 1, 33, 69}) {
    const std::vector<double> alone = many(network, readout, s, 1, 1, steps).out;
    CHECK(std::vector<double>(all.out.begin() + static_cast<std::ptrdiff_t>(s * row),
                              all.out.begin() + static_cast<std::ptrdiff_t>((s + 1) * row)) == alone);
  }
  const std::vector<size_t> wild = {0, 5, 69};
  const Ended some = many(network, readout, 0, 70, 1, steps, wild);
  for (size_t s = 0; s < 70; ++s) {
    const bool isWild = s == 0 || s == 5 || s == 69;
    CHECK(some.done[s] == (isWild ? 0.0 : static_cast<double>(steps)));
    for (size_t i = 0; i < row && !isWild; ++i) CHECK(some.out[s * row + i] == all.out[s * row + i]);
  }
  CHECK(many(network, readout, 0, 0, 2, steps).out.empty());
}

// Outputs beyond the largest float are finite in f64 and not as they are fed back.
static void checkDivergence() {
  const dtesn::Nvar<float> line(1, 1, 1, 1);
  const double weights[] = {1e10, 0}, zero = 0;
  const LinearReadout readout({2, 0, 1, true}, weights, &zero);
  std::vector<float> state(line.stateSize());
  std::vector<double> last(1, 1), out(20);
  dtesn::StepScratch<float> scratch = line.scratch(1);
  const Forecast<float> forecast = {state.data(), nullptr, last.data(), out.data(), nullptr};
  CHECK(dtesn::forecastOne<float>(line, readout, forecast, 20, scratch, Control()) == 4);  // 1, 1e10, 1e20, 1e30
  CHECK(std::isfinite(last[0]) && last[0] > 1e39);
}

static void checkControl() {
  const dtesn::RegionNetwork<float> network = reservoir<float>(5, 1);
  const LinearReadout readout = readoutOf(5, 0, 1, 0.2);
  std::vector<float> state(5);
  std::vector<double> last(1), out(100);
  dtesn::StepScratch<float> scratch = network.scratch(1);
  const Forecast<float> forecast = {state.data(), nullptr, last.data(), out.data(), nullptr};
  int32_t words[2] = {1, 0};
  CHECK(dtesn::forecastOne<float>(network, readout, forecast, 100, scratch, Control(words)) == 32);
  CHECK(words[1] == 32);
}

int main() {
  checkOne<float>(reservoir<float>(37, 2));
  checkOne<double>(reservoir<double>(64, 1));
  checkOne<double>(dtesn::Nvar<double>(2, 3, 2, 1));
  checkMany<float>(reservoir<float>(37, 2));
  checkMany<double>(reservoir<double>(16, 1));
  checkMany<double>(dtesn::Nvar<double>(2, 2, 2, 2));
  checkDivergence();
  checkControl();
  return 0;
}
