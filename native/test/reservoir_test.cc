// Reservoirs and trees of awkward sizes run whole series without touching memory that is not theirs (the sanitizers
// watch), and a stopped run says how far it came.
#include <cmath>
#include <vector>

#include "linalg/spectral_radius.h"
#include "membrane/deep_tree.h"
#include "reservoir/draw.h"
#include "reservoir/leaky_reservoir.h"
#include "test/check.h"

using dtesn::Region;
using dtesn::RegionSpec;
using dtesn::Span;
using dtesn::Topology;

template <class T>
static Region<T> region(size_t units, size_t inputs, Topology topology, size_t blockRows = 8) {
  RegionSpec spec;
  spec.units = units;
  spec.inputs = inputs;
  spec.topology = topology;
  spec.density = topology == Topology::dense ? 1 : 0.3;
  spec.biasScaling = 0.1;
  spec.blockRows = blockRows;
  const std::vector<T> leak(units, T(0.5));
  return dtesn::drawRegion<T>(spec, Span<const T>(leak.data(), units));
}

template <class T>
static void checkReservoir(Region<T> drawn, size_t units) {
  dtesn::LeakyReservoir<T> reservoir(std::move(drawn), 3);
  const std::vector<T> series(3 * 40, T(0.25));
  std::vector<T> state(units), out(40 * units);
  CHECK(reservoir.run(series.data(), 40, state.data(), out.data()) == 40);
  for (T x : state) CHECK(std::fabs(x) <= 1);
  CHECK(std::vector<T>(out.end() - units, out.end()) == state);
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

static void checkNarrow() {
  for (dtesn::Precision precision : {dtesn::Precision::bf16, dtesn::Precision::int8}) {
    for (size_t units : {1, 3, 16, 17, 65, 131}) {
      RegionSpec spec;
      spec.units = units;
      spec.inputs = 3;
      spec.precision = precision;
      const std::vector<float> leak(units, 0.5f);
      checkReservoir(dtesn::drawRegion<float>(spec, Span<const float>(leak.data(), units)), units);
    }
  }
}

static void checkControl() {
  dtesn::LeakyReservoir<float> reservoir(region<float>(20, 1, Topology::dense), 1);
  const std::vector<float> series(1000, 0.5f);
  std::vector<float> state(20);
  int32_t words[2] = {1, 0};
  const size_t done = reservoir.run(series.data(), 1000, state.data(), nullptr, dtesn::Control(words));
  CHECK(done == 32);
  CHECK(words[1] == 32);
}

template <class T>
static void checkTree() {
  for (bool parentFirst : {true, false}) {
    std::vector<dtesn::Membrane<T>> membranes;
    const size_t units[] = {5, 17, 3};
    for (size_t m = 0; m < 3; ++m) {
      dtesn::Membrane<T> membrane;
      membrane.region = region<T>(units[m], m == 0 ? 2 : 0, Topology::dense);
      if (m > 0) {
        const size_t parent = m - 1;
        const dtesn::PhiloxStream stream(1, static_cast<uint32_t>(m), dtesn::Purpose::coupling);
        membrane.parent = static_cast<int32_t>(parent);
        membrane.coupling = dtesn::drawDense<T>(units[m], units[parent], 0.5, stream);
        membrane.feedback = dtesn::drawDense<T>(units[parent], units[m], 0.5, stream);
      }
      membranes.push_back(std::move(membrane));
    }
    dtesn::DeepTree<T> tree(std::move(membranes), 2, parentFirst);
    const std::vector<T> series(2 * 25, T(0.25));
    std::vector<T> state(tree.units()), y(tree.units());
    const uint8_t gates[] = {1, 1, 0};
    tree.bindGates(gates);
    CHECK(tree.run(series.data(), 25, state.data(), nullptr) == 25);
    CHECK(state[0] != 0 && state[5] != 0 && state[22] == 0);
    tree.linear(state.data(), y.data());
    CHECK(y[22] == 0);
    CHECK(tree.normBound() > 0);
  }
}

int main() {
  checkReservoirs<float>();
  checkReservoirs<double>();
  checkNarrow();
  checkControl();
  checkTree<float>();
  checkTree<double>();
  return 0;
}
