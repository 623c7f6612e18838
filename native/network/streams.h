// Streams whose inputs arrive at any time: one step for every stream that has an input waiting (continuous
// batching).
//
// The table lies in memory that the caller shares: states (capacity x stateSize), a ring of inputs for each stream
// (capacity x ring x inputs) with its head and count, and the list of streams that are ready. Nothing is allocated in a
// step; streams that still have inputs stay on the list in their order, so each gets one step a call. Other threads may
// write to the table at any time: what is read of it is read once, and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/control.h"
#include "network/stream_lane.h"
#include "simd/span.h"
#include "threads/thread_pool.h"

namespace dtesn {

template <class T>
struct StreamTable {
  Span<T> states;        // capacity x stateSize
  Span<T> queue;         // capacity x ring x inputs
  Span<int32_t> heads;   // first waiting input of each stream
  Span<int32_t> counts;  // waiting inputs of each stream
  Span<int32_t> ready;   // streams with inputs, in the order of their turn
  size_t ring;           // inputs a stream has room for
  const uint8_t* gates;  // of every stream; null for all open
};

template <class T>
class StreamStepper {
 public:
  // One step for the first `ready` streams of the list; returns how many are ready now. An entry that points outside
  // the table, or at a stream that is on the list already, is dropped.
  size_t step(const Network<T>& network, const StreamTable<T>& table, size_t ready, ThreadPool& pool);

  // The same in three: begin() on one thread, which returns the parts of the work, at most `threads`; work() once for
  // each part on any thread, until `control` stops it; finish(), which returns how many are ready. A stream that was
  // not stepped keeps its input and its place on the list.
  size_t begin(const Network<T>& network, const StreamTable<T>& table, size_t ready, size_t threads);
  void work(const Network<T>& network, const StreamTable<T>& table, size_t part, const Control& control);
  size_t finish(const StreamTable<T>& table) const;

 private:
  struct Turn {
    size_t stream;
    int32_t head, count;  // of the waiting inputs
  };

  // Lists the turns, and returns how many groups they make for so many threads.
  size_t take(const Network<T>& network, const StreamTable<T>& table, size_t ready, size_t threads);
  void stepGroup(const Network<T>& network, const StreamTable<T>& table, size_t group, StreamLane<T>& lane);

  std::vector<Turn> turns_;
  size_t count_ = 0;              // turns of this step
  size_t size_ = 1, groups_ = 0;  // turns of a group, and groups
  size_t parts_ = 0;              // of begin()
  std::vector<uint32_t> taken_;   // of each stream, the last step it had a turn in
  uint32_t now_ = 0;
  std::vector<StreamLane<T>> lanes_;  // one a thread
};

}  // namespace dtesn
