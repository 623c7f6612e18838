#include "network/streams.h"

#include <algorithm>
#include <functional>

namespace dtesn {

template <class T>
size_t StreamStepper<T>::take(const Network<T>& network, const StreamTable<T>& table, size_t ready, size_t threads) {
  const size_t capacity = table.counts.size;
  turns_.resize(capacity);
  taken_.resize(capacity);
  if (++now_ == 0) {  // once in 2^32 steps
    std::fill(taken_.begin(), taken_.end(), 0);
    now_ = 1;
  }
  count_ = 0;
  for (size_t i = 0; i < ready; ++i) {
    const auto stream = static_cast<size_t>(static_cast<uint32_t>(table.ready[i]));
    if (stream >= capacity || taken_[stream] == now_) continue;
    const Turn turn = {stream, table.heads[stream], std::min(table.counts[stream], static_cast<int32_t>(table.ring))};
    if (turn.count <= 0 || turn.head < 0 || static_cast<size_t>(turn.head) >= table.ring) continue;
    taken_[stream] = now_;
    turns_[count_++] = turn;
  }
  threads = threadsWorth(network, count_, threads);
  size_ = std::min(std::max<size_t>(1, (count_ + threads - 1) / threads), kGroupSeries);
  groups_ = (count_ + size_ - 1) / size_;
  return groups_;
}

template <class T>
void StreamStepper<T>::stepGroup(const Network<T>& network, const StreamTable<T>& table, size_t group,
                                 StreamLane<T>& lane) {
  const size_t size = network.stateSize(), inputs = network.inputs(), first = group * size_;
  const size_t count = std::min(size_, count_ - first);
  for (size_t i = 0; i < count; ++i) {
    const Turn& turn = turns_[first + i];
    lane.inputs[i] = table.queue.data + (turn.stream * table.ring + static_cast<size_t>(turn.head)) * inputs;
    lane.states[i] = table.states.data + turn.stream * size;
    lane.gates[i] = table.gates;
  }
  network.stepMany(count, lane.inputs.data(), lane.states.data(), table.gates == nullptr ? nullptr : lane.gates.data(),
                   lane.scratch);
  for (size_t i = 0; i < count; ++i) {
    Turn& turn = turns_[first + i];
    const int32_t next = turn.head + 1;
    table.heads[turn.stream] = static_cast<size_t>(next) == table.ring ? 0 : next;
    table.counts[turn.stream] = --turn.count;
  }
}

template <class T>
size_t StreamStepper<T>::step(const Network<T>& network, const StreamTable<T>& table, size_t ready, ThreadPool& pool) {
  makeLanes(network, pool.size(), lanes_);
  const size_t groups = take(network, table, ready, pool.size());
  // By reference: a std::function that holds so many captures would be allocated at every step.
  const auto work = [&](size_t group, size_t thread) { stepGroup(network, table, group, lanes_[thread]); };
  pool.run(groups, std::cref(work));
  return finish(table);
}

template <class T>
size_t StreamStepper<T>::begin(const Network<T>& network, const StreamTable<T>& table, size_t ready, size_t threads) {
  parts_ = std::min(take(network, table, ready, threads), threads);
  makeLanes(network, parts_, lanes_);
  return parts_;
}

template <class T>
void StreamStepper<T>::work(const Network<T>& network, const StreamTable<T>& table, size_t part,
                            const Control& control) {
  for (size_t group = part; group < groups_; group += parts_) {
    stepGroup(network, table, group, lanes_[part]);
    if (!control.report(std::min(size_, count_ - group * size_))) return;
  }
}

template <class T>
size_t StreamStepper<T>::finish(const StreamTable<T>& table) const {
  size_t left = 0;
  for (size_t i = 0; i < count_; ++i) {
    if (turns_[i].count > 0) table.ready[left++] = static_cast<int32_t>(turns_[i].stream);
  }
  return left;
}

template class StreamStepper<float>;
template class StreamStepper<double>;

}  // namespace dtesn
