// The same network on OpenBLAS, f32: sgemv for one series, sgemm for several; tanh by the compiler's vector library.
// Prints the best microseconds of one step of one series as JSON.
//
//     esn_openblas SECONDS UNITSxSERIES ...
#include <cblas.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr int kSteps = 16;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<float> uniform(size_t size, float scale) {
  std::vector<float> values(size);
  for (float& value : values) value = scale * (2.0f * std::rand() / RAND_MAX - 1);
  return values;
}

double best(int units, int series, double seconds) {
  const std::vector<float> recurrent = uniform(size_t(units) * units, 0.9f * std::sqrt(3.0f / units));
  const std::vector<float> input = uniform(units, 1), bias(units, 0.0f);
  std::vector<float> x(size_t(units) * series), drive(x.size());  // one column a series
  double shortest = 1e30;
  for (const double end = now() + seconds; now() < end;) {
    const double start = now();
    for (int t = 0; t < kSteps; ++t) {
      const float u = std::sin(t / 7.0f);
      for (int s = 0; s < series; ++s) {
        for (int i = 0; i < units; ++i) drive[size_t(s) * units + i] = bias[i] + input[i] * u;
      }
      if (series == 1) {
        cblas_sgemv(CblasColMajor, CblasNoTrans, units, units, 1, recurrent.data(), units, x.data(), 1, 1, drive.data(), 1);
      } else {
        cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, units, series, units, 1, recurrent.data(), units, x.data(),
                    units, 1, drive.data(), units);
      }
      for (size_t i = 0; i < x.size(); ++i) x[i] = std::tanh(drive[i]);
    }
    const double time = now() - start;
    if (time < shortest) shortest = time;
  }
  return shortest / kSteps / series * 1e6;
}

}  // namespace

int main(int count, char** arguments) {
  const double seconds = std::atof(arguments[1]);
  for (int i = 2; i < count; ++i) {
    int units = 0, series = 0;
    if (std::sscanf(arguments[i], "%dx%d", &units, &series) != 2) return 2;
    std::printf("%s%.9g", i == 2 ? "[" : ", ", best(units, series, seconds));
  }
  std::printf("]\n");
}
