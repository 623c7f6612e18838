#include "reservoir/streams.h"

#include <algorithm>

#include "reservoir/batch.h"

namespace dtesn {
namespace {

// Below this many multiply-adds waking another thread costs more than it saves.
constexpr size_t kWorthSharing = 500000;

}  // namespace

template <class T>
void StreamStepper<T>::stepSome(const StreamTable<T>& table, size_t first, size_t count, Lane& lane) const {
  const size_t units = network_.units(), inputs = network_.inputs();
  for (size_t i = 0; i < count; ++i) {
    const size_t stream = static_cast<size_t>(table.ready[first + i]);
    lane.inputs[i] = table.queue.data + (stream * table.ring + static_cast<size_t>(table.heads[stream])) * inputs;
    lane.states[i] = table.states.data + stream * units;
  }
  network_.step(count, lane.inputs.data(), lane.states.data(), lane.scratch);
  for (size_t i = 0; i < count; ++i) {
    const int32_t stream = table.ready[first + i];
    const int32_t head = table.heads[stream] + 1;
    table.heads[stream] = static_cast<size_t>(head) == table.ring ? 0 : head;
    --table.counts[stream];
  }
}

template <class T>
size_t StreamStepper<T>::step(const StreamTable<T>& table, size_t ready, ThreadPool& pool) {
  while (lanes_.size() < pool.size()) {
    lanes_.push_back(
        {network_.scratch(kGroupSeries), std::vector<const T*>(kGroupSeries), std::vector<T*>(kGroupSeries)});
  }
  const auto dropped = [&](int32_t stream) { return !table.valid(stream); };
  ready = std::remove_if(table.ready.begin(), table.ready.begin() + ready, dropped) - table.ready.begin();
  const size_t work = ready * network_.units() * network_.units();
  const size_t threads = work < kWorthSharing ? 1 : pool.size();
  const size_t share = std::max<size_t>(1, (ready + threads - 1) / threads);
  const size_t size = std::min(share, kGroupSeries);
  pool.run((ready + size - 1) / size, [&](size_t part, size_t thread) {
    stepSome(table, part * size, std::min(size, ready - part * size), lanes_[thread]);
  });
  const auto empty = [&table](int32_t stream) { return table.counts[stream] <= 0; };
  return std::remove_if(table.ready.begin(), table.ready.begin() + ready, empty) - table.ready.begin();
}

template class StreamStepper<float>;
template class StreamStepper<double>;

}  // namespace dtesn
