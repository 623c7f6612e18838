// Many series through one network: ragged lengths, a state each, threads over series.
//
// Series are dealt to groups by falling length, so every group has its share of the long ones and steps only those that
// still run. The numbers do not depend on groups or threads.
#pragma once

#include <cstddef>
#include <vector>

#include "reservoir/network.h"
#include "reservoir/thread_pool.h"
#include "simd/span.h"

namespace dtesn {

// Series a thread steps at once: enough to be bound by arithmetic, few enough that their states stay in the second
// cache.
constexpr size_t kGroupSeries = 64;

template <class T>
struct Sequence {
  const T* series;  // steps x inputs
  size_t steps;
  T* state;  // units, in place
  T* out;    // steps x units, or null
};

// Keeps each thread's scratch from call to call: short series would spend their time on allocating it.
template <class T>
class BatchRunner {
 public:
  explicit BatchRunner(const Network<T>& network) : network_(network) {}

  // Reorders `sequences`.
  void run(Span<Sequence<T>> sequences, ThreadPool& pool);

 private:
  const Network<T>& network_;
  std::vector<StepScratch<T>> scratches_;  // one a thread
};

}  // namespace dtesn
