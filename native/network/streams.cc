#include "network/streams.h"

#include <algorithm>
#include <functional>

#include "network/batch.h"

namespace dtesn {
namespace {

// Below this many multiply-adds waking another thread costs more than it saves.
constexpr size_t kWorthSharing = 500000;

}  // namespace

template <class T>
void StreamStepper<T>::take(const StreamTable<T>& table, size_t ready) {
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
}

template <class T>
void StreamStepper<T>::stepSome(const Network<T>& network, const StreamTable<T>& table, size_t first, size_t count,
                                Lane& lane) const {
  const size_t size = network.stateSize(), inputs = network.inputs();
  for (size_t i = 0; i < count; ++i) {
    const Turn& turn = turns_[first + i];
    lane.inputs[i] = table.queue.data + (turn.stream * table.ring + static_cast<size_t>(turn.head)) * inputs;
    lane.states[i] = table.states.data + turn.stream * size;
    lane.gates[i] = table.gates;
  }
  network.stepMany(count, lane.inputs.data(), lane.states.data(), table.gates == nullptr ? nullptr : lane.gates.data(),
                   lane.scratch);
  for (size_t i = 0; i < count; ++i) {
    const Turn& turn = turns_[first + i];
    const int32_t next = turn.head + 1;
    table.heads[turn.stream] = static_cast<size_t>(next) == table.ring ? 0 : next;
    table.counts[turn.stream] = turn.count - 1;
  }
}

template <class T>
size_t StreamStepper<T>::step(const Network<T>& network, const StreamTable<T>& table, size_t ready, ThreadPool& pool) {
  while (lanes_.size() < pool.size()) {
    lanes_.push_back({network.scratch(kGroupSeries), std::vector<const T*>(kGroupSeries), std::vector<T*>(kGroupSeries),
                      std::vector<const uint8_t*>(kGroupSeries)});
  }
  take(table, ready);
  const size_t turns = count_;
  const size_t multiplyAdds = turns * network.stateSize() * network.stateSize();
  const size_t threads = multiplyAdds < kWorthSharing ? 1 : pool.size();
  const size_t share = std::max<size_t>(1, (turns + threads - 1) / threads);
  const size_t size = std::min(share, kGroupSeries);
  // By reference: a std::function that holds so many captures would be allocated at every step.
  const auto work = [&](size_t part, size_t thread) {
    stepSome(network, table, part * size, std::min(size, turns - part * size), lanes_[thread]);
  };
  pool.run((turns + size - 1) / size, std::cref(work));
  size_t left = 0;
  for (size_t i = 0; i < turns; ++i) {
    if (turns_[i].count > 1) table.ready[left++] = static_cast<int32_t>(turns_[i].stream);
  }
  return left;
}

template class StreamStepper<float>;
template class StreamStepper<double>;

}  // namespace dtesn
