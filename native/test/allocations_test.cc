// A step allocates nothing: memory that is asked for is counted while steps are made, alone, side by side, in streams
// and in closed loops.
#include <cstdlib>
#include <new>
#include <vector>

#include "network/draw.h"
#include "network/featured.h"
#include "network/region_network.h"
#include "network/stream_runs.h"
#include "network/streams.h"
#include "readout/forecast.h"
#include "readout/readout_reading.h"
#include "test/check.h"

using dtesn::Activation;
using dtesn::PhiloxStream;
using dtesn::Place;
using dtesn::Purpose;
using dtesn::Region;
using dtesn::RegionNetwork;
using dtesn::Span;
using dtesn::Topology;

static size_t allocations = 0;

static void* counted(void* memory) {
  ++allocations;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* operator new(size_t size) { return counted(std::malloc(size)); }
void* operator new(size_t size, std::align_val_t alignment) {
  const auto boundary = static_cast<size_t>(alignment);
  return counted(std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

static constexpr size_t kUnits = 20, kInputs = 2, kStreams = 5, kRing = 8;

static Region<float> region(size_t inputs) {
  dtesn::RecurrentSpec spec;
  spec.units = kUnits;
  spec.topology = Topology::dense;
  spec.density = 1;
  Region<float> region;
  region.recurrent = dtesn::drawRecurrent<float>(spec);
  if (inputs > 0) region.input = dtesn::drawDense<float>(kUnits, inputs, 1, PhiloxStream(0, 0, Purpose::input));
  region.bias = dtesn::AlignedArray<float>(Region<float>::paddedUnits(kUnits));
  region.rate = dtesn::AlignedArray<float>(Region<float>::paddedUnits(kUnits));
  for (size_t i = 0; i < kUnits; ++i) region.rate[i] = 0.5f;
  region.segments = {{kUnits, Activation::tanh}};
  return region;
}

// A tree of two regions, so that couplings are stepped too.
static RegionNetwork<float> tree(bool parentFirst) {
  std::vector<Place<float>> places(2);
  places[0].region = region(kInputs);
  places[1].region = region(0);
  places[1].parent = 0;
  places[1].coupling = dtesn::drawDense<float>(kUnits, kUnits, 0.5, PhiloxStream(1, 1, Purpose::coupling));
  places[1].feedback = dtesn::drawDense<float>(kUnits, kUnits, 0.5, PhiloxStream(1, 1, Purpose::feedback));
  return RegionNetwork<float>(std::move(places), kInputs, parentFirst);
}

static void checkRun(const RegionNetwork<float>& network) {
  const std::vector<float> series(kInputs * 100, 0.5f);
  std::vector<float> state(network.stateSize());
  dtesn::StepScratch<float> scratch = network.scratch(1);
  dtesn::Run<float> run;
  run.series = series.data();
  run.steps = 100;
  run.state = state.data();
  CHECK(network.run(run, scratch, dtesn::Control()) == 100);  // the first of all chooses the kernels
  const size_t before = allocations;
  CHECK(network.run(run, scratch, dtesn::Control()) == 100);
  CHECK(allocations == before);
}

static void checkStreams(const RegionNetwork<float>& network) {
  std::vector<float> states(kStreams * network.stateSize()), queue(kStreams * kRing * kInputs, 0.5f);
  std::vector<int32_t> heads(kStreams), counts(kStreams, kRing), ready(kStreams);
  for (size_t i = 0; i < kStreams; ++i) ready[i] = static_cast<int32_t>(i);
  dtesn::StreamTable<float> table = {{states.data(), states.size()},
                                     {queue.data(), queue.size()},
                                     {heads.data(), heads.size()},
                                     {counts.data(), counts.size()},
                                     {ready.data(), ready.size()},
                                     kRing,
                                     nullptr};
  dtesn::ThreadPool pool(1);
  dtesn::StreamStepper<float> stepper;
  CHECK(stepper.step(network, table, kStreams, pool) == kStreams);  // makes the scratch
  const size_t before = allocations;
  size_t left = kStreams;
  for (size_t step = 1; step < kRing; ++step) left = stepper.step(network, table, left, pool);
  CHECK(left == 0);
  CHECK(allocations == before);
}

// A run of streams allocates as much for one row as for a hundred.
static size_t allocationsOfRuns(const dtesn::Network<float>& network, size_t rows) {
  const std::vector<double> weights(network.featureSize() * 2, 0.01), bias(2, 0.1);
  const dtesn::LinearReadout readout({network.featureSize(), 0, 2, true}, weights.data(), bias.data());
  const std::vector<float> series(kStreams * rows * kInputs, 0.5f);
  std::vector<float> states(kStreams * network.stateSize());
  std::vector<double> out(kStreams * rows * 2);
  std::vector<dtesn::StreamRun<float>> runs(kStreams);
  for (size_t s = 0; s < kStreams; ++s) {
    runs[s] = {series.data() + s * rows * kInputs, rows, states.data() + s * network.stateSize(),
               out.data() + s * rows * 2};
  }
  dtesn::StreamRuns<float> runner;
  const size_t before = allocations;
  CHECK(runner.begin(network, std::move(runs), 1) == 1);
  runner.work(network, nullptr, dtesn::ReadoutReading<float>(readout), 0, dtesn::Control());
  CHECK(out.back() != 0);
  return allocations - before;
}

static size_t allocationsOfForecasts(const dtesn::Network<float>& network, size_t steps) {
  const std::vector<double> weights(network.featureSize() * kInputs, 0.01), bias(kInputs, 0.1);
  const dtesn::LinearReadout readout({network.featureSize(), 0, kInputs, true}, weights.data(), bias.data());
  std::vector<float> states(2 * network.stateSize());
  std::vector<double> last(2 * kInputs), out(2 * steps * kInputs), done(2);
  std::vector<dtesn::Forecast<float>> forecasts;
  for (size_t s = 0; s < 2; ++s) {
    forecasts.push_back({states.data() + s * network.stateSize(), nullptr, last.data() + s * kInputs,
                         out.data() + s * steps * kInputs, done.data() + s});
  }
  dtesn::StepScratch<float> scratch = network.scratch(2);
  const size_t before = allocations;
  CHECK(dtesn::forecastOne<float>(network, readout, forecasts[0], steps, scratch, dtesn::Control()) == steps);
  dtesn::forecastGroups<float>(network, readout, forecasts, 1)[0].run(steps, scratch, dtesn::Control());
  CHECK(done[1] == static_cast<double>(steps));
  return allocations - before;
}

// Every element of the states and the inputs, and a product.
static void addFeatures(dtesn::Featured<float>& network) {
  for (uint32_t i = 0; i < network.elements(); ++i) network.add(&i, 1);
  const uint32_t product[] = {0, 1, 2 * kUnits};
  network.add(product, 3);
}

int main() {
  const size_t before = allocations;
  for (bool parentFirst : {true, false}) {
    const RegionNetwork<float> network = tree(parentFirst);
    CHECK(allocations > before);  // what is allocated is seen
    checkRun(network);
    checkStreams(network);
    CHECK(allocationsOfRuns(network, 1) == allocationsOfRuns(network, 100));
    CHECK(allocationsOfForecasts(network, 1) == allocationsOfForecasts(network, 100));
    const dtesn::Shared<dtesn::Network<float>> within(new RegionNetwork<float>(tree(parentFirst)));
    dtesn::Featured<float> features(within, {2, 2}, 3);
    addFeatures(features);
    CHECK(features.featureSize() == (3 + 4) * network.featureSize() + 2 * kInputs + 1);
    CHECK(allocationsOfRuns(features, 1) == allocationsOfRuns(features, 100));
    CHECK(allocationsOfForecasts(features, 1) == allocationsOfForecasts(features, 100));
  }
  return 0;
}
