#include "network/stream_runs.h"

#include <algorithm>
#include <utility>

namespace dtesn {

template <class T>
size_t StreamRuns<T>::begin(const Network<T>& network, std::vector<StreamRun<T>> runs, size_t threads) {
  size_t steps = 0;
  for (const StreamRun<T>& run : runs) steps += run.steps;
  threads = threadsWorth(network, steps, threads);
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.steps > b.steps; });
  while (!runs.empty() && runs.back().steps == 0) runs.pop_back();
  groups_ = groupCount(runs.size(), threads);
  parts_ = std::min(groups_, threads);
  makeLanes(network, parts_, lanes_);
  runs_ = std::move(runs);
  return parts_;
}

template <class T>
void StreamRuns<T>::work(const Network<T>& network, const uint8_t* gates, const Reading<T>& reading, size_t part,
                         const Control& control) {
  for (size_t group = part; group < groups_; group += parts_) {
    if (!runGroup(network, gates, reading, group, lanes_[part], control)) return;
  }
}

template <class T>
bool StreamRuns<T>::runGroup(const Network<T>& network, const uint8_t* gates, const Reading<T>& reading, size_t group,
                             StreamLane<T>& lane, const Control& control) {
  const size_t inputs = network.inputs(), outputs = reading.outputs();
  const bool showsState = network.showsState();
  const auto member = [&](size_t s) -> const StreamRun<T>& { return runs_[group + s * groups_]; };
  size_t active = 0;
  for (; group + active * groups_ < runs_.size(); ++active) {
    lane.inputs[active] = member(active).series;
    lane.states[active] = member(active).state;
    lane.gates[active] = gates;
  }
  size_t steps = 0;
  for (size_t t = 0;; ++t) {
    while (active > 0 && member(active - 1).steps <= t) --active;
    if (active == 0) return control.report(steps);
    network.stepMany(active, lane.inputs.data(), lane.states.data(), gates == nullptr ? nullptr : lane.gates.data(),
                     lane.scratch);
    for (size_t s = 0; s < active; ++s) {
      if (outputs > 0) {
        const T* features = lane.states[s];
        if (!showsState) {
          network.features(lane.states[s], lane.features.data());
          features = lane.features.data();
        }
        reading.read(features, lane.inputs[s], member(s).out + t * outputs);
      }
      lane.inputs[s] += inputs;
    }
    steps += active;
    if (!control.due(t + 1)) continue;
    if (!control.report(steps)) return false;
    steps = 0;
  }
}

template class StreamRuns<float>;
template class StreamRuns<double>;

}  // namespace dtesn
