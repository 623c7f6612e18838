// What one thread needs to step up to kGroupSeries streams at once.
#pragma once

#include <cstdint>
#include <vector>

#include "network/batch.h"
#include "network/network.h"

namespace dtesn {

template <class T>
struct StreamLane {
  explicit StreamLane(const Network<T>& network)
      : scratch(network.scratch(kGroupSeries)),
        inputs(kGroupSeries),
        states(kGroupSeries),
        gates(kGroupSeries),
        features(network.showsState() ? 0 : network.featureSize()) {}

  StepScratch<T> scratch;
  std::vector<const T*> inputs;
  std::vector<T*> states;
  std::vector<const uint8_t*> gates;
  AlignedArray<T> features;  // of one state, where they are not the state itself
};

// Below this many multiply-adds waking another thread costs more than it saves.
constexpr size_t kWorthSharing = 500000;

template <class T>
size_t threadsWorth(const Network<T>& network, size_t steps, size_t threads) {
  return steps * network.stateSize() * network.stateSize() < kWorthSharing ? 1 : threads;
}

// Made before threads begin, so that a failed allocation can still be reported and a step allocates nothing.
template <class T>
void makeLanes(const Network<T>& network, size_t threads, std::vector<StreamLane<T>>& lanes) {
  lanes.reserve(threads);
  while (lanes.size() < threads) lanes.emplace_back(network);
}

}  // namespace dtesn
