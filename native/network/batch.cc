#include "network/batch.h"

#include <algorithm>
#include <utility>

namespace dtesn {

size_t groupCount(size_t series, size_t threads) {
  threads = std::min(threads, series);
  if (threads == 0) return 0;
  const size_t perThread = (series + threads - 1) / threads;
  return (perThread + kGroupSeries - 1) / kGroupSeries * threads;
}

template <class T>
Group<T>::Group(const Network<T>& network, const std::vector<Run<T>>& runs, size_t first, size_t stride)
    : network_(network), keeper_(network, true) {
  for (size_t i = first; i < runs.size(); i += stride) {
    members_.push_back(runs[i]);
    inputs_.push_back(runs[i].series);
    states_.push_back(runs[i].state);
    gates_.push_back(runs[i].gates);
    gated_ = gated_ || runs[i].gates != nullptr;
  }
}

template <class T>
void Group<T>::run(StepScratch<T>& scratch, const Control& control) {
  size_t active = members_.size(), steps = 0;
  for (size_t t = 0;; ++t) {
    while (active > 0 && members_[active - 1].steps <= t) --active;
    if (active == 0) return;
    network_.stepMany(active, inputs_.data(), states_.data(), gated_ ? gates_.data() : nullptr, scratch);
    for (size_t s = 0; s < active; ++s) {
      keeper_.keep(members_[s], t);
      inputs_[s] += network_.inputs();
    }
    steps += active;
    if (!control.due(t + 1)) continue;
    if (!control.report(steps)) return;
    steps = 0;
  }
}

template <class T>
std::vector<Group<T>> groupsOf(const Network<T>& network, std::vector<Run<T>> runs, size_t threads) {
  std::sort(runs.begin(), runs.end(), [](const Run<T>& a, const Run<T>& b) { return a.steps > b.steps; });
  std::vector<Group<T>> groups;
  const size_t count = groupCount(runs.size(), threads);
  for (size_t g = 0; g < count; ++g) groups.emplace_back(network, runs, g, count);
  return groups;
}

template <class T>
void BatchRunner<T>::run(const Network<T>& network, std::vector<Run<T>> runs, ThreadPool& pool) {
  // Made here, where a failed allocation can still be reported; the threads only step.
  std::vector<Group<T>> groups = groupsOf(network, std::move(runs), pool.size());
  while (scratches_.size() < pool.size()) scratches_.push_back(network.scratch(kGroupSeries));
  pool.run(groups.size(), [&](size_t part, size_t thread) { groups[part].run(scratches_[thread], Control()); });
}

template class Group<float>;
template class Group<double>;
template std::vector<Group<float>> groupsOf<float>(const Network<float>&, std::vector<Run<float>>, size_t);
template std::vector<Group<double>> groupsOf<double>(const Network<double>&, std::vector<Run<double>>, size_t);
template class BatchRunner<float>;
template class BatchRunner<double>;

}  // namespace dtesn
