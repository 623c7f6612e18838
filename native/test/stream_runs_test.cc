// Runs of many rows for many streams: the bits of one step after another, for any number of threads and groups; a run
// that is stopped leaves the rows after it alone.
#include "network/stream_runs.h"

#include <cstring>
#include <vector>

#include "network/nvar.h"
#include "test/check.h"

static constexpr size_t kStreams = 200, kInputs = 2;

struct Job {
  std::vector<size_t> rows;
  std::vector<float> series;
  size_t total = 0;

  Job() {
    for (size_t s = 0; s < kStreams; ++s) {
      rows.push_back(s * 7 % 13);
      total += rows.back();
    }
    for (size_t i = 0; i < total * kInputs; ++i) series.push_back(static_cast<float>(i % 17) / 16);
  }
};

static std::vector<dtesn::StreamRun<float>> runsOf(const Job& job, size_t size, size_t outputs, float* states,
                                                   double* out) {
  std::vector<dtesn::StreamRun<float>> runs;
  size_t row = 0;
  for (size_t s = 0; s < kStreams; ++s) {
    runs.push_back({job.series.data() + row * kInputs, job.rows[s], states + s * size, out + row * outputs});
    row += job.rows[s];
  }
  return runs;
}

static void checkBits(const dtesn::Nvar<float>& network, const Job& job, size_t threads) {
  const size_t size = network.stateSize(), outputs = network.featureSize();
  std::vector<float> states(kStreams * size), wanted(kStreams * size), features(outputs);
  std::vector<double> out(job.total * outputs);
  dtesn::StreamRuns<float> runner;
  const size_t parts = runner.begin(network, runsOf(job, size, outputs, states.data(), out.data()), threads);
  CHECK(parts >= 1 && parts <= threads);
  const dtesn::FirstFeatures<float> reading(outputs);
  for (size_t part = 0; part < parts; ++part) runner.work(network, nullptr, reading, part, dtesn::Control());

  dtesn::StepScratch<float> scratch = network.scratch(1);
  size_t row = 0;
  for (size_t s = 0; s < kStreams; ++s) {
    float* const state = wanted.data() + s * size;
    for (size_t t = 0; t < job.rows[s]; ++t, ++row) {
      const float* const input = job.series.data() + row * kInputs;
      network.stepMany(1, &input, &state, nullptr, scratch);
      network.features(state, features.data());
      for (size_t i = 0; i < outputs; ++i) CHECK(out[row * outputs + i] == static_cast<double>(features[i]));
    }
  }
  CHECK(std::memcmp(states.data(), wanted.data(), states.size() * sizeof(float)) == 0);
}

static void checkStop(const dtesn::Nvar<float>& network) {
  const std::vector<float> series(1000 * kInputs, 0.5f);
  std::vector<float> state(network.stateSize());
  std::vector<double> out(1000, -1);
  int32_t words[2] = {1, 0};  // stopped from the start: seen after 32 steps
  dtesn::StreamRuns<float> runner;
  CHECK(runner.begin(network, {{series.data(), 1000, state.data(), out.data()}}, 1) == 1);
  runner.work(network, nullptr, dtesn::FirstFeatures<float>(1), 0, dtesn::Control(words));
  CHECK(words[1] == 32);
  CHECK(out[31] != -1 && out[32] == -1);
}

int main() {
  const dtesn::Nvar<float> network(kInputs, 2, 2, 1);
  const Job job;
  for (size_t threads : {1, 2, 3, 64}) checkBits(network, job, threads);
  dtesn::StreamRuns<float> runner;
  CHECK(runner.begin(network, {}, 4) == 0);
  checkStop(network);
  return 0;
}
