// The pool, batches and streams under several threads: the same numbers as under one, and nothing that races (the
// thread sanitizer watches).
#include <atomic>
#include <functional>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "reservoir/batch.h"
#include "reservoir/draw.h"
#include "reservoir/leaky_reservoir.h"
#include "reservoir/streams.h"
#include "test/check.h"

using dtesn::Span;
using dtesn::ThreadPool;

static dtesn::LeakyReservoir<float> reservoir(size_t units) {
  dtesn::RegionSpec spec;
  spec.units = units;
  spec.inputs = 2;
  const std::vector<float> leak(units, 0.5f);
  return dtesn::LeakyReservoir<float>(dtesn::drawRegion<float>(spec, Span<const float>(leak.data(), units)), 2);
}

static void checkPool() {
  ThreadPool pool(4);
  for (int round = 0; round < 500; ++round) {
    const size_t parts = static_cast<size_t>(round % 9);
    std::vector<int> done(parts);
    pool.run(parts, [&done](size_t part, size_t) { ++done[part]; });
    for (int times : done) CHECK(times == 1);
  }
  pool.resize(1);
  pool.resize(3);
  std::atomic<int> sum{0};
  pool.run(100, [&sum](size_t part, size_t thread) {
    CHECK(thread < 3);
    sum += static_cast<int>(part);
  });
  CHECK(sum == 4950);
}

static int allowed = 0;

static std::unique_ptr<std::thread> beginWhileAllowed(std::function<void()> body) {
  if (allowed-- <= 0) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  return ThreadPool::beginThread(std::move(body));
}

// A pool goes on with the threads that the system began, when it is made and when it is resized.
static void checkRefusedThreads() {
  const auto works = [](ThreadPool& pool) {
    std::atomic<int> sum{0};
    pool.run(100, [&](size_t part, size_t thread) {
      CHECK(thread < pool.size());
      sum += static_cast<int>(part);
    });
    return sum == 4950;
  };
  allowed = 2;
  ThreadPool pool(1024, beginWhileAllowed);
  CHECK(pool.size() == 3 && works(pool));
  allowed = 0;
  pool.resize(8);
  CHECK(pool.size() == 1 && works(pool));
  allowed = 100;
  pool.resize(4);
  CHECK(pool.size() == 4 && works(pool));
}

static std::vector<float> batchStates(const dtesn::LeakyReservoir<float>& network, size_t threads) {
  ThreadPool pool(threads);
  const size_t count = 23;
  std::vector<float> series(count * 20), states(count * network.units());
  for (size_t i = 0; i < series.size(); ++i) series[i] = static_cast<float>(i % 7) / 7;
  std::vector<dtesn::Sequence<float>> sequences;
  for (size_t s = 0; s < count; ++s) {
    sequences.push_back({series.data() + s * 20, s % 11, states.data() + s * network.units(), nullptr});
  }
  dtesn::BatchRunner<float>(network).run(sequences, pool);
  return states;
}

static std::vector<float> streamStates(const dtesn::LeakyReservoir<float>& network, size_t threads) {
  ThreadPool pool(threads);
  const size_t capacity = 300, ring = 4;
  std::vector<float> states(capacity * network.units()), queue(capacity * ring * 2, 0.25f);
  std::vector<int32_t> heads(capacity), counts(capacity), ready(capacity);
  dtesn::StreamTable<float> table{states, queue, heads, counts, ready, ring};
  dtesn::StreamStepper<float> stepper(network);
  for (int round = 0; round < 20; ++round) {
    size_t waiting = 0;
    for (size_t i = 0; i < capacity; ++i) {
      counts[i] = static_cast<int32_t>((i + static_cast<size_t>(round)) % (ring + 1));
      if (counts[i] > 0) ready[waiting++] = static_cast<int32_t>(i);
    }
    while (waiting > 0) waiting = stepper.step(table, waiting, pool);
  }
  return states;
}

int main() {
  checkPool();
  checkRefusedThreads();
  const dtesn::LeakyReservoir<float> network = reservoir(70);
  const std::vector<float> batch = batchStates(network, 1), streams = streamStates(network, 1);
  for (size_t threads : {2, 3, 5}) {
    CHECK(batchStates(network, threads) == batch);
    CHECK(streamStates(network, threads) == streams);
  }
  return 0;
}
