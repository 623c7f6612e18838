// Rows for many streams at once: each stream takes its own number of steps, in groups of up to kGroupSeries streams
// that are stepped together, and what a Reading makes of every step is written to its row.
//
// The bits are those of StreamStepper, step by step: they depend neither on groups nor on threads. Traffic of a step of
// a group: the weights once, each state read and written once. Nothing is allocated in a step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/control.h"
#include "network/reading.h"
#include "network/stream_lane.h"

namespace dtesn {

template <class T>
struct StreamRun {
  const T* series = nullptr;  // steps x inputs
  size_t steps = 0;
  T* state = nullptr;     // stateSize, moved
  double* out = nullptr;  // steps x outputs of the reading
};

template <class T>
class StreamRuns {
 public:
  // Deals the runs to groups for at most `threads` threads, and makes what these need. Returns the parts of the work,
  // at most `threads`.
  size_t begin(const Network<T>& network, std::vector<StreamRun<T>> runs, size_t threads);

  // One part, on any thread. Stops where `control` says so: then streams have taken some of their steps.
  void work(const Network<T>& network, const uint8_t* gates, const Reading<T>& reading, size_t part,
            const Control& control);

 private:
  // False when `control` stopped it.
  bool runGroup(const Network<T>& network, const uint8_t* gates, const Reading<T>& reading, size_t group,
                StreamLane<T>& lane, const Control& control);

  std::vector<StreamRun<T>> runs_;  // by falling steps; group g has g, g + groups_, ...
  size_t groups_ = 0, parts_ = 0;
  std::vector<StreamLane<T>> lanes_;  // one a part
};

}  // namespace dtesn
