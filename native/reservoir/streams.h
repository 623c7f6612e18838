// Streams whose inputs arrive when they like: one step for every stream that has an input waiting (continuous
// batching).
//
// The table lies in memory that the caller shares: states (capacity x units), a ring of inputs for each stream
// (capacity x ring x inputs) with its head and count, and the list of streams that are ready. Nothing is allocated in a
// step; streams that still have inputs stay on the list in their order, so each gets one step a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reservoir/network.h"
#include "reservoir/thread_pool.h"
#include "simd/span.h"

namespace dtesn {

template <class T>
struct StreamTable {
  Span<T> states;        // capacity x units
  Span<T> queue;         // capacity x ring x inputs
  Span<int32_t> heads;   // first waiting input of each stream
  Span<int32_t> counts;  // waiting inputs of each stream
  Span<int32_t> ready;   // streams with inputs, in the order of their turn
  size_t ring;           // inputs a stream has room for

  // Whether an entry of the list points at a stream with an input to take.
  bool valid(int32_t stream) const {
    return stream >= 0 && static_cast<size_t>(stream) < counts.size && counts[stream] > 0 && heads[stream] >= 0 &&
           static_cast<size_t>(heads[stream]) < ring;
  }
};

template <class T>
class StreamStepper {
 public:
  explicit StreamStepper(const Network<T>& network) : network_(network) {}

  // One step for the first `ready` streams of the list; returns how many are ready now. An entry that points outside
  // the table is dropped.
  size_t step(const StreamTable<T>& table, size_t ready, ThreadPool& pool);

 private:
  struct Lane {
    StepScratch<T> scratch;
    std::vector<const T*> inputs;
    std::vector<T*> states;
  };

  void stepSome(const StreamTable<T>& table, size_t first, size_t count, Lane& lane) const;

  const Network<T>& network_;
  std::vector<Lane> lanes_;  // one a thread
};

}  // namespace dtesn
