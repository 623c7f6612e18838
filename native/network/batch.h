// Many series through one network: ragged lengths, a state each, threads over series.
//
// Series are dealt to groups by falling length, so every group has its share of the long ones and steps only those that
// still run. The numbers do not depend on groups or threads.
#pragma once

#include <cstddef>
#include <vector>

#include "network/control.h"
#include "network/network.h"
#include "network/run.h"
#include "simd/span.h"
#include "threads/thread_pool.h"

namespace dtesn {

// Series a thread steps at once: enough to be bound by arithmetic, few enough that their states stay in the second
// cache.
constexpr size_t kGroupSeries = 64;

// Groups of at most that many, as many as keep `threads` threads busy.
size_t groupCount(size_t series, size_t threads);

// Some of the series of a batch, stepped together.
template <class T>
class Group {
 public:
  // Runs first, first + stride, ... of a list sorted by falling steps.
  Group(const Network<T>& network, const std::vector<Run<T>>& runs, size_t first, size_t stride);

  size_t size() const { return members_.size(); }
  const std::vector<Run<T>>& members() const { return members_; }
  // Stops where `control` says so.
  void run(StepScratch<T>& scratch, const Control& control);

 private:
  const Network<T>& network_;
  std::vector<Run<T>> members_;
  std::vector<const T*> inputs_;
  std::vector<T*> states_;
  std::vector<const uint8_t*> gates_;
  Keeper<T> keeper_;
  bool gated_ = false;
};

// The groups of a batch, as many as keep `threads` threads busy.
template <class T>
std::vector<Group<T>> groupsOf(const Network<T>& network, std::vector<Run<T>> runs, size_t threads);

// Keeps each thread's scratch from call to call: short series would spend their time on allocating it.
template <class T>
class BatchRunner {
 public:
  void run(const Network<T>& network, std::vector<Run<T>> runs, ThreadPool& pool);

 private:
  std::vector<StepScratch<T>> scratches_;  // one a thread
};

}  // namespace dtesn
