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

#include "network/network.h"
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

 private:
  struct Turn {
    size_t stream;
    int32_t head, count;
  };
  struct Lane {
    StepScratch<T> scratch;
    std::vector<const T*> inputs;
    std::vector<T*> states;
    std::vector<const uint8_t*> gates;
  };

  void take(const StreamTable<T>& table, size_t ready);
  void stepSome(const Network<T>& network, const StreamTable<T>& table, size_t first, size_t count, Lane& lane) const;

  std::vector<Turn> turns_;
  size_t count_ = 0;             // turns of this step
  std::vector<uint32_t> taken_;  // of each stream, the last step it had a turn in
  uint32_t now_ = 0;
  std::vector<Lane> lanes_;  // one a thread
};

}  // namespace dtesn
