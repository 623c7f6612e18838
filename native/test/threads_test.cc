// The pool, the queue, batches and streams under several threads: the same numbers as under one, and nothing that races
// (the thread sanitizer watches).
#include <atomic>
#include <functional>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "network/batch.h"
#include "network/draw.h"
#include "network/region_network.h"
#include "network/shared_networks.h"
#include "network/streams.h"
#include "test/check.h"
#include "threads/job_queue.h"

using dtesn::Network;
using dtesn::PhiloxStream;
using dtesn::Place;
using dtesn::Purpose;
using dtesn::Region;
using dtesn::RegionNetwork;
using dtesn::Shared;
using dtesn::ThreadPool;

static Shared<Network<float>> reservoir(size_t units) {
  dtesn::RecurrentSpec spec;
  spec.units = units;
  std::vector<Place<float>> places(1);
  Region<float>& region = places[0].region;
  region.recurrent = dtesn::drawRecurrent<float>(spec);
  region.input = dtesn::drawDense<float>(units, 2, 1, PhiloxStream(0, 0, Purpose::input));
  region.bias = dtesn::AlignedArray<float>(Region<float>::paddedUnits(units));
  region.rate = dtesn::AlignedArray<float>(Region<float>::paddedUnits(units));
  for (size_t i = 0; i < units; ++i) region.rate[i] = 0.5f;
  region.segments = {{units, dtesn::Activation::tanh}};
  return Shared<Network<float>>(new RegionNetwork<float>(std::move(places), 2, true));
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

// A pool works with the threads that the system started, when it is made and when it is resized.
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

// Jobs of a queue that is stopped while they wait and run; none is lost before that.
static void checkQueue() {
  std::atomic<int> done{0};
  {
    dtesn::JobQueue queue;
    for (int i = 0; i < 500; ++i) queue.submit([&done] { ++done; }, 1 + static_cast<size_t>(i) % 4);
    while (done < 500) std::this_thread::yield();
    for (int i = 0; i < 500; ++i) queue.submit([&done] { ++done; }, 4);
  }
  CHECK(done >= 500 && done <= 1000);
}

// Owners on several threads, and claims by number beside the last release.
static void checkSharing() {
  for (int round = 0; round < 200; ++round) {
    Shared<Network<float>> network = reservoir(2);
    const uint64_t number = dtesn::SharedNetworks::share(*network);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([number] {
        const Shared<dtesn::AnyNetwork> claimed = dtesn::SharedNetworks::claim(number);
        if (claimed) CHECK(!claimed->isDouble());
      });
    }
    network = Shared<Network<float>>();
    for (std::thread& thread : threads) thread.join();
    CHECK(!dtesn::SharedNetworks::claim(number));
  }
}

static std::vector<float> batchStates(const Network<float>& network, size_t threads) {
  ThreadPool pool(threads);
  const size_t count = 23;
  std::vector<float> series(count * 20), states(count * network.stateSize());
  for (size_t i = 0; i < series.size(); ++i) series[i] = static_cast<float>(i % 7) / 7;
  std::vector<dtesn::Run<float>> runs(count);
  for (size_t s = 0; s < count; ++s) {
    runs[s].series = series.data() + s * 20;
    runs[s].steps = s % 11;
    runs[s].state = states.data() + s * network.stateSize();
  }
  dtesn::BatchRunner<float>().run(network, std::move(runs), pool);
  return states;
}

static std::vector<float> streamStates(const Network<float>& network, size_t threads) {
  ThreadPool pool(threads);
  const size_t capacity = 300, ring = 4;
  std::vector<float> states(capacity * network.stateSize()), queue(capacity * ring * 2, 0.25f);
  std::vector<int32_t> heads(capacity), counts(capacity), ready(capacity);
  dtesn::StreamTable<float> table{states, queue, heads, counts, ready, ring, nullptr};
  dtesn::StreamStepper<float> stepper;
  for (int round = 0; round < 20; ++round) {
    size_t waiting = 0;
    for (size_t i = 0; i < capacity; ++i) {
      counts[i] = static_cast<int32_t>((i + static_cast<size_t>(round)) % (ring + 1));
      if (counts[i] > 0) ready[waiting++] = static_cast<int32_t>(i);
    }
    while (waiting > 0) waiting = stepper.step(network, table, waiting, pool);
  }
  return states;
}

int main() {
  checkPool();
  checkRefusedThreads();
  checkQueue();
  checkSharing();
  const Shared<Network<float>> network = reservoir(70);
  const std::vector<float> batch = batchStates(*network, 1), streams = streamStates(*network, 1);
  for (size_t threads : {2, 3, 5}) {
    CHECK(batchStates(*network, threads) == batch);
    CHECK(streamStates(*network, threads) == streams);
  }
  return 0;
}
