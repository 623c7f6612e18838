// Long computations on one thread, ended from another: they stop in the middle, and what they only read stays whole.
// And a series that is trained on block by block gives the sums of its states.
#include <atomic>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "linalg/interruption.h"
#include "linalg/spectral_radius.h"
#include "network/draw.h"
#include "network/region_network.h"
#include "readout/normal_equations.h"
#include "readout/orthogonal_factor.h"
#include "readout/train.h"
#include "test/check.h"

using dtesn::FeatureRows;
using dtesn::Interruption;
using dtesn::Network;
using dtesn::PhiloxStream;
using dtesn::Purpose;
using dtesn::Shared;
using dtesn::Span;

// Whether `work` throws Interrupted when another thread sets the flag while it is at it.
template <class Work>
static bool isInterrupted(Work work) {
  std::atomic<int32_t> cancel{0};
  std::thread other([&cancel] { cancel.store(1, std::memory_order_relaxed); });
  bool interrupted = false;
  try {
    // Not for ever: some work is over before the other thread has begun.
    for (int round = 0; round < 10000; ++round) work(Interruption(&cancel, nullptr));
  } catch (const dtesn::Interrupted&) {
    interrupted = true;
  }
  other.join();
  return interrupted;
}

static std::vector<double> uniform(size_t count, uint64_t seed) {
  std::vector<double> values(count);
  PhiloxStream(seed, 0, Purpose::input).fillSymmetric(0, count, values.data());
  return values;
}

static void checkDrawing() {
  for (const dtesn::Topology topology :
       {dtesn::Topology::dense, dtesn::Topology::sparse, dtesn::Topology::blockSparse}) {
    for (const size_t units : {30, 500}) {
      dtesn::RecurrentSpec spec;
      spec.units = units;
      spec.topology = topology;
      spec.density = topology == dtesn::Topology::dense ? 1 : 0.2;
      CHECK(isInterrupted([&](const Interruption& stop) { dtesn::drawRecurrent<float>(spec, stop); }));
    }
  }
  const PhiloxStream stream(0, 0, Purpose::orthogonal);
  CHECK(isInterrupted([&](const Interruption& stop) { dtesn::drawOrthogonal<double>(100, stream, stop); }));
  CHECK(isInterrupted([&](const Interruption& stop) { dtesn::drawAntisymmetric<float>(100, 1, 0, stream, stop); }));
  const std::vector<double> a = uniform(300 * 300, 1);
  CHECK(isInterrupted([&](const Interruption& stop) {
    dtesn::RadiusOptions options;
    options.interruption = stop;
    dtesn::spectralRadius(Span<const double>(a.data(), a.size()), 300, options);
  }));
}

template <class Sums>
static Sums made(const dtesn::ReadoutShape& shape) {
  if constexpr (std::is_same_v<Sums, dtesn::OrthogonalFactor>) {
    return Sums(shape, 1);
  } else {
    return Sums(shape);
  }
}

// The readout of all features; false where they are dependent.
static bool solved(const dtesn::LeastSquares& sums, double ridge, double* weights, double* bias,
                   const Interruption& stop = {}) {
  return sums.solve(ridge, {{sums.shape().features()}, weights, bias}, stop) > 0;
}

template <class Sums>
static void checkSolving() {
  const dtesn::ReadoutShape shape{60, 0, 2, true};
  const std::vector<double> states = uniform(500 * 60, 2), targets = uniform(500 * 2, 3);
  Sums sums = made<Sums>(shape);
  sums.add(FeatureRows<double>{states.data(), nullptr}, targets.data(), nullptr, 500);
  std::vector<double> weights(120), bias(2), again(120);
  CHECK(solved(sums, 0.1, weights.data(), bias.data()));
  CHECK(isInterrupted([&](const Interruption& stop) { solved(sums, 0.1, again.data(), bias.data(), stop); }));
  CHECK(solved(sums, 0.1, again.data(), bias.data()));
  CHECK(weights == again);
}

static Shared<Network<double>> reservoir(size_t units, double radius) {
  dtesn::RecurrentSpec spec;
  spec.units = units;
  spec.spectralRadius = radius;
  std::vector<dtesn::Place<double>> places(1);
  dtesn::Region<double>& region = places[0].region;
  region.recurrent = dtesn::drawRecurrent<double>(spec);
  region.input = dtesn::drawDense<double>(units, 1, 1, PhiloxStream(0, 0, Purpose::input));
  region.bias = dtesn::AlignedArray<double>(dtesn::Region<double>::paddedUnits(units));
  region.rate = dtesn::AlignedArray<double>(dtesn::Region<double>::paddedUnits(units));
  for (size_t i = 0; i < units; ++i) region.rate[i] = 1;
  region.segments = {{units, dtesn::Activation::identity}};
  return Shared<Network<double>>(new dtesn::RegionNetwork<double>(std::move(places), 1, true));
}

template <class Sums>
static void checkTraining() {
  constexpr size_t kUnits = 20, kSteps = 1000, kWashout = 7;
  const Shared<Network<double>> network = reservoir(kUnits, 0.9);
  const std::vector<double> series = uniform(kSteps, 4), targets = uniform(kSteps, 5);
  const dtesn::ReadoutShape shape{kUnits, 1, 1, true};
  auto scratch = network->scratch(1);

  std::vector<double> state(kUnits), states(kSteps * kUnits);
  dtesn::Run<double> run;
  run.series = series.data();
  run.steps = kSteps;
  run.state = state.data();
  run.out = states.data();
  network->run(run, scratch, dtesn::Control());
  Sums whole = made<Sums>(shape);
  // By the same pieces: sums of other pieces differ by rounding.
  for (size_t from = kWashout; from < kSteps; from += dtesn::kTrainSteps) {
    const size_t some = std::min(dtesn::kTrainSteps, kSteps - from);
    whole.add(FeatureRows<double>{states.data() + from * kUnits, series.data() + from}, targets.data() + from, nullptr,
              some);
  }

  std::vector<double> moved(kUnits), block(dtesn::kTrainSteps * kUnits);
  dtesn::Lesson<double> lesson;
  lesson.series = series.data();
  lesson.steps = kSteps;
  lesson.washout = kWashout;
  lesson.state = moved.data();
  lesson.targets = targets.data();
  lesson.block = block.data();
  size_t counted = 0;
  lesson.counted = &counted;
  Sums sums = made<Sums>(shape);
  int32_t words[2] = {0, 0};
  CHECK(dtesn::train(*network, lesson, scratch, sums, dtesn::Control(words)) == kSteps);
  CHECK(words[1] == int32_t{kSteps});
  CHECK(counted == kSteps - kWashout);
  CHECK(moved == state);
  std::vector<double> wanted(kUnits + 1), got(kUnits + 1);
  double bias = 0;
  CHECK(solved(whole, 1e-6, wanted.data(), &bias) && solved(sums, 1e-6, got.data(), &bias));
  CHECK(wanted == got);

  words[0] = 1;
  CHECK(dtesn::train(*network, lesson, scratch, sums, dtesn::Control(words)) == 0);
}

// A state that is not finite is not taken in, and stands in the block.
static void checkDivergence() {
  const Shared<Network<double>> network = reservoir(5, 1e30);
  const std::vector<double> series(100, 1), targets(100);
  std::vector<double> state(5), block(dtesn::kTrainSteps * 5);
  dtesn::Lesson<double> lesson;
  lesson.series = series.data();
  lesson.steps = 100;
  lesson.state = state.data();
  lesson.targets = targets.data();
  lesson.block = block.data();
  size_t counted = 0;
  lesson.counted = &counted;
  auto scratch = network->scratch(1);
  dtesn::NormalEquations sums({5, 0, 1, true});
  CHECK(dtesn::train(*network, lesson, scratch, sums, dtesn::Control()) == 0);
  CHECK(!std::all_of(block.begin(), block.end(), [](double x) { return std::isfinite(x); }));
}

int main() {
  checkDrawing();
  checkSolving<dtesn::OrthogonalFactor>();
  checkSolving<dtesn::NormalEquations>();
  checkTraining<dtesn::OrthogonalFactor>();
  checkTraining<dtesn::NormalEquations>();
  checkDivergence();
  return 0;
}
