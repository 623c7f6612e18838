#include "simd/limits.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "simd/memory.h"

namespace dtesn {
namespace {

constexpr int kTrials = 5;
constexpr double kTrialSeconds = 0.002;
// Where one call takes longer than a trial, fewer trials do.
constexpr double kMostSeconds = 0.05;
// Long enough for a core to reach the frequency it holds under wide vectors.
constexpr double kWarmUpSeconds = 0.005;

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The shortest time of one call of `pass` in seconds: trials of as many calls as fill kTrialSeconds, at least one.
template <class Pass>
double bestSeconds(Pass pass) {
  const auto start = std::chrono::steady_clock::now();
  size_t warm = 0;
  do pass(), ++warm;
  while (secondsSince(start) < kWarmUpSeconds);
  const size_t calls = std::max<size_t>(1, static_cast<size_t>(kTrialSeconds * warm / secondsSince(start)));
  double best = secondsSince(start) / warm;
  for (int trial = 0; trial < kTrials && secondsSince(start) < kMostSeconds; ++trial) {
    const auto from = std::chrono::steady_clock::now();
    for (size_t i = 0; i < calls; ++i) pass();
    best = std::min(best, secondsSince(from) / calls);
  }
  return best;
}

struct KernelMemory {
  explicit KernelMemory(size_t size) : bytes(size), data(allocateKernelMemory(size)) { std::memset(data, 0, size); }
  ~KernelMemory() { freeKernelMemory(data, bytes); }
  KernelMemory(const KernelMemory&) = delete;
  KernelMemory& operator=(const KernelMemory&) = delete;
  size_t bytes;
  void* data;
};

}  // namespace

template <class T>
double measureGflops() {
  constexpr size_t kRounds = 2000, kSums = kSumBytes / sizeof(T);
  const KernelMemory memory(kSumBytes);
  T* const sums = static_cast<T*>(memory.data);
  std::fill_n(sums, kSums, T(1));
  return 2.0 * kSums * kRounds / bestSeconds([&] { kernels<T>().multiplyAdds(kRounds, T(0.5), T(1), sums); }) * 1e-9;
}

template double measureGflops<float>();
template double measureGflops<double>();

double measureReadGigabytesPerSecond(size_t bytes) {
  const size_t whole = roundUp(std::max<size_t>(bytes, 1), 512);
  const KernelMemory memory(whole);
  const float* const data = static_cast<const float*>(memory.data);
  return whole / bestSeconds([&] { kernels<float>().loadAll(data, whole / sizeof(float)); }) * 1e-9;
}

}  // namespace dtesn
