#include "reservoir/batch.h"

#include <algorithm>
#include <cstring>

namespace dtesn {
namespace {

// Sequences first, first + stride, ... of the sorted list, together.
template <class T>
class Group {
 public:
  Group(const Network<T>& network, Span<Sequence<T>> sequences, size_t first, size_t stride)
      : network_(network), scratch_(network.scratch((sequences.size - first + stride - 1) / stride)) {
    for (size_t i = first; i < sequences.size; i += stride) {
      members_.push_back(&sequences[i]);
      inputs_.push_back(sequences[i].series);
      states_.push_back(sequences[i].state);
    }
  }

  void run() {
    size_t active = members_.size();
    for (size_t t = 0;; ++t) {
      while (active > 0 && members_[active - 1]->steps <= t) --active;
      if (active == 0) return;
      network_.step(active, inputs_.data(), states_.data(), scratch_);
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
  StepScratch<T> scratch_;
  std::vector<const Sequence<T>*> members_;
  std::vector<const T*> inputs_;
  std::vector<T*> states_;
};

}  // namespace

template <class T>
void runMany(const Network<T>& network, Span<Sequence<T>> sequences, ThreadPool& pool) {
  std::sort(sequences.begin(), sequences.end(),
            [](const Sequence<T>& a, const Sequence<T>& b) { return a.steps > b.steps; });
  const size_t threads = std::min(pool.size(), sequences.size);
  if (threads == 0) return;
  const size_t perThread = (sequences.size + threads - 1) / threads;
  const size_t groups = (perThread + kGroupSeries - 1) / kGroupSeries * threads;
  // Made here, where a failed allocation can still be told; the threads only step.
  std::vector<Group<T>> work;
  for (size_t g = 0; g < groups; ++g) work.emplace_back(network, sequences, g, groups);
  pool.run(groups, [&work](size_t part, size_t) { work[part].run(); });
}

template void runMany<float>(const Network<float>&, Span<Sequence<float>>, ThreadPool&);
template void runMany<double>(const Network<double>&, Span<Sequence<double>>, ThreadPool&);

}  // namespace dtesn
