#include "reservoir/batch.h"

#include <algorithm>
#include <cstring>

namespace dtesn {
namespace {

// Sequences first, first + stride, ... of the sorted list, together.
template <class T>
class Group {
 public:
  Group(const Network<T>& network, Span<Sequence<T>> sequences, size_t first, size_t stride) : network_(network) {
    for (size_t i = first; i < sequences.size; i += stride) {
      members_.push_back(&sequences[i]);
      inputs_.push_back(sequences[i].series);
      states_.push_back(sequences[i].state);
    }
  }

  void run(StepScratch<T>& scratch) {
    size_t active = members_.size();
    for (size_t t = 0;; ++t) {
      while (active > 0 && members_[active - 1]->steps <= t) --active;
      if (active == 0) return;
      network_.step(active, inputs_.data(), states_.data(), scratch);
      keep(t, active);
    }
  }

 private:
  void keep(size_t t, size_t active) {
    const size_t units = network_.units();
    for (size_t s = 0; s < active; ++s) {
      if (T* out = members_[s]->out) std::memcpy(out + t * units, states_[s], units * sizeof(T));
      inputs_[s] += network_.inputs();
    }
  }

  const Network<T>& network_;
  std::vector<const Sequence<T>*> members_;
  std::vector<const T*> inputs_;
  std::vector<T*> states_;
};

}  // namespace

template <class T>
void BatchRunner<T>::run(Span<Sequence<T>> sequences, ThreadPool& pool) {
  std::sort(sequences.begin(), sequences.end(),
            [](const Sequence<T>& a, const Sequence<T>& b) { return a.steps > b.steps; });
  const size_t threads = std::min(pool.size(), sequences.size);
  if (threads == 0) return;
  const size_t perThread = (sequences.size + threads - 1) / threads;
  const size_t groups = (perThread + kGroupSeries - 1) / kGroupSeries * threads;
  // Made here, where a failed allocation can still be told; the threads only step.
  std::vector<Group<T>> work;
  for (size_t g = 0; g < groups; ++g) work.emplace_back(network_, sequences, g, groups);
  while (scratches_.size() < pool.size()) scratches_.push_back(network_.scratch(kGroupSeries));
  pool.run(groups, [&](size_t part, size_t thread) { work[part].run(scratches_[thread]); });
}

template class BatchRunner<float>;
template class BatchRunner<double>;

}  // namespace dtesn
