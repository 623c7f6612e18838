// Networks of sizes around every vector width run whole series without touching memory that is not theirs (the
// sanitizers watch), and a stopped run returns the steps done.
#include <cmath>
#include <vector>

#include "network/draw.h"
#include "network/nvar.h"
#include "network/region_network.h"
#include "network/stability.h"
#include "test/check.h"

using dtesn::Activation;
using dtesn::Network;
using dtesn::PhiloxStream;
using dtesn::Place;
using dtesn::Precision;
using dtesn::Purpose;
using dtesn::Region;
using dtesn::RegionNetwork;
using dtesn::Topology;

template <class T>
static Region<T> region(size_t units, size_t inputs, Topology topology, size_t blockRows = 8,
                        Precision precision = Precision::own) {
  dtesn::RecurrentSpec spec;
  spec.units = units;
  spec.topology = topology;
  spec.density = topology == Topology::dense ? 1 : 0.3;
  spec.blockRows = blockRows;
  spec.precision = precision;
  Region<T> region;
  region.recurrent = dtesn::drawRecurrent<T>(spec);
  if (inputs > 0) region.input = dtesn::drawDense<T>(units, inputs, 1, PhiloxStream(0, 0, Purpose::input));
  region.bias = dtesn::AlignedArray<T>(Region<T>::paddedUnits(units));
  region.rate = dtesn::AlignedArray<T>(Region<T>::paddedUnits(units));
  for (size_t i = 0; i < units; ++i) region.rate[i] = T(0.5);
  region.segments = {{units, Activation::tanh}};
  return region;
}

template <class T>
static RegionNetwork<T> alone(Region<T> drawn, size_t inputs) {
  std::vector<Place<T>> places(1);
  places[0].region = std::move(drawn);
  return RegionNetwork<T>(std::move(places), inputs, true);
}

template <class T>
static size_t runAll(const Network<T>& network, size_t steps, std::vector<T>& state, std::vector<T>& out,
                     const uint8_t* gates = nullptr) {
  const std::vector<T> series(network.inputs() * steps, T(0.25));
  dtesn::StepScratch<T> scratch = network.scratch(1);
  dtesn::Run<T> run;
  run.series = series.data();
  run.steps = steps;
  run.state = state.data();
  run.out = out.data();
  run.gates = gates;
  return network.run(run, scratch, dtesn::Control());
}

template <class T>
static void checkReservoir(Region<T> drawn, size_t units) {
  const RegionNetwork<T> network = alone(std::move(drawn), 3);
  std::vector<T> state(units), out(40 * units);
  CHECK(runAll(network, 40, state, out) == 40);
  for (T x : state) CHECK(std::fabs(x) <= 1);
  CHECK(std::vector<T>(out.end() - static_cast<std::ptrdiff_t>(units), out.end()) == state);
}

template <class T>
static void checkReservoirs() {
  for (Topology topology :
       {Topology::dense, Topology::sparse, Topology::blockSparse, Topology::cycle, Topology::permutation}) {
    for (size_t units : {1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 130}) {
      for (size_t blockRows : {8, 16}) checkReservoir(region<T>(units, 3, topology, blockRows), units);
    }
  }
  for (size_t units : {1, 2, 8, 64, 4096, 16384}) checkReservoir(region<T>(units, 3, Topology::hadamard), units);
}

// A carry, the other laws and segments of activations that end anywhere.
template <class T>
static void checkLaws() {
  for (size_t units : {3, 16, 37}) {
    Region<T> es2n = region<T>(units, 3, Topology::dense);
    es2n.carry = dtesn::drawOrthogonal<T>(units, PhiloxStream(1, 0, Purpose::orthogonal));
    checkReservoir(std::move(es2n), units);
    Region<T> mixed = region<T>(units, 3, Topology::sparse);
    mixed.segments = {{1, Activation::sine}, {2, Activation::sigmoid}, {units, Activation::tanh}};
    checkReservoir(std::move(mixed), units);
    Region<T> euler = region<T>(units, 3, Topology::dense);
    euler.recurrent = dtesn::drawAntisymmetric<T>(units, 0.1, 0.5, PhiloxStream(1, 0, Purpose::recurrent));
    euler.law = dtesn::Law::euler;
    std::vector<T> state(units), out(40 * units);
    CHECK(runAll<T>(alone(std::move(euler), 3), 40, state, out) == 40);
  }
  const dtesn::Nvar<T> nvar(2, 3, 3, 2);
  std::vector<T> state(nvar.stateSize()), out(9 * nvar.featureSize());
  CHECK(nvar.featureSize() == 6 + 56);
  CHECK(runAll<T>(nvar, 9, state, out) == 9);
}

static void checkNarrow() {
  for (Precision precision : {Precision::bf16, Precision::int8}) {
    for (size_t units : {1, 3, 16, 17, 65, 131}) {
      checkReservoir(region<float>(units, 3, Topology::dense, 8, precision), units);
    }
  }
}

static void checkControl() {
  const RegionNetwork<float> network = alone(region<float>(20, 1, Topology::dense), 1);
  const std::vector<float> series(1000, 0.5f);
  std::vector<float> state(20);
  dtesn::StepScratch<float> scratch = network.scratch(1);
  dtesn::Run<float> run;
  run.series = series.data();
  run.steps = 1000;
  run.state = state.data();
  int32_t words[2] = {1, 0};
  const size_t done = network.run(run, scratch, dtesn::Control(words));
  CHECK(done == 32);
  CHECK(words[1] == 32);
}

template <class T>
static void checkTree() {
  for (bool parentFirst : {true, false}) {
    std::vector<Place<T>> places;
    const size_t units[] = {5, 17, 3};
    for (size_t m = 0; m < 3; ++m) {
      Place<T> place;
      place.region = region<T>(units[m], m == 0 ? 2 : 0, Topology::dense);
      if (m > 0) {
        const size_t parent = m - 1;
        const PhiloxStream stream(1, static_cast<uint32_t>(m), Purpose::coupling);
        place.parent = static_cast<int32_t>(parent);
        place.coupling = dtesn::drawDense<T>(units[m], units[parent], 0.5, stream);
        place.feedback = dtesn::drawDense<T>(units[parent], units[m], 0.5, stream);
      }
      places.push_back(std::move(place));
    }
    const RegionNetwork<T> tree(std::move(places), 2, parentFirst);
    std::vector<T> state(tree.stateSize()), out(25 * tree.stateSize()), y(tree.stateSize());
    const uint8_t gates[] = {1, 1, 0};
    CHECK(runAll<T>(tree, 25, state, out, gates) == 25);
    CHECK(state[0] != 0 && state[5] != 0 && state[22] == 0);
    const dtesn::AlignedArray<T> work(tree.flow()->workSize());
    tree.flow()->couple(state.data(), gates, y.data(), work.data());
    CHECK(y[22] == 0);
    CHECK(dtesn::normBound(tree) > 0);
  }
}

int main() {
  checkReservoirs<float>();
  checkReservoirs<double>();
  checkLaws<float>();
  checkLaws<double>();
  checkNarrow();
  checkControl();
  checkTree<float>();
  checkTree<double>();
  return 0;
}
