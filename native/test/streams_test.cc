// A table of streams that other threads have written nonsense to: no step reads or writes outside of it (the sanitizers
// watch), and counts come back inside the ring.
#include "network/streams.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "network/nvar.h"
#include "test/check.h"

int main() {
  const size_t capacity = 5, ring = 3, inputs = 2;
  const dtesn::Nvar<float> network(inputs, 2, 2, 1);
  const int32_t least = std::numeric_limits<int32_t>::min(), most = std::numeric_limits<int32_t>::max();
  const std::vector<int32_t> forged = {least, -1, 0, 1, 2, 3, 4, 1000, most};
  dtesn::ThreadPool pool(1);
  dtesn::StreamStepper<float> stepper;
  for (int32_t head : forged) {
    for (int32_t count : forged) {
      for (int32_t listed : forged) {
        std::vector<float> states(capacity * network.stateSize()), queue(capacity * ring * inputs, 0.5f);
        std::vector<int32_t> heads(capacity, head), counts(capacity, count), ready = {listed, 1, 1, listed, 4};
        const dtesn::StreamTable<float> table{states, queue, heads, counts, ready, ring, nullptr};
        const size_t left = stepper.step(network, table, capacity, pool);
        CHECK(left <= capacity);
        const bool isStepped = head >= 0 && head < static_cast<int32_t>(ring) && count > 0;
        CHECK((states[network.stateSize()] != 0) == isStepped);
        if (isStepped) CHECK(counts[1] >= 0 && counts[1] < static_cast<int32_t>(ring) && heads[1] < 3);
      }
    }
  }
  return 0;
}
