// P after many steps with forgetting: finite, symmetric and positive definite, whether or not the input excites every
// direction. DTESN_LONG=1 in the environment takes ten times the steps: 10^6, and 10^5 with 1,000 features.
#include "readout/recursive_least_squares.h"

#include <cmath>
#include <cstdlib>
#include <vector>

#include "random/philox.h"
#include "test/check.h"

using dtesn::FeatureRows;
using dtesn::RecursiveLeastSquares;

enum class Input { white, sine };

static void fill(Input input, size_t t, std::vector<double>& x) {
  if (input == Input::white) {
    dtesn::PhiloxStream(1, 0, dtesn::Purpose::input).fillSymmetric(t * x.size(), x.size(), x.data());
    return;
  }
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(0.1 * static_cast<double>(t) + 0.37 * static_cast<double>(i));
}

// Cholesky's method: every pivot is above zero.
static bool isPositive(std::vector<double> p, size_t n) {
  for (size_t j = 0; j < n; ++j) {
    double* const row = p.data() + j * n;
    for (size_t i = 0; i <= j; ++i) {
      const double* const other = p.data() + i * n;
      double sum = row[i];
      for (size_t k = 0; k < i; ++k) sum -= row[k] * other[k];
      if (i == j && !(sum > 0)) return false;
      row[i] = i == j ? std::sqrt(sum) : sum / other[i];
    }
  }
  return true;
}

static void check(size_t features, double forgetting, Input input, size_t steps) {
  constexpr double kRidge = 1e-6;
  RecursiveLeastSquares rls({features, 0, 1, true}, kRidge, forgetting);
  std::vector<double> x(features);
  for (size_t t = 0; t < steps; ++t) {
    fill(input, t, x);
    const double target = x[0] - 2 * x[features / 2];
    double prediction = 0;
    CHECK(rls.update(FeatureRows<double>{x.data(), nullptr}, &target, 1, &prediction) == 1);
    CHECK(std::isfinite(prediction));
  }
  const size_t n = features + 1;
  std::vector<double> p(n * n);
  double trace = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < n; ++k) p[i * n + k] = rls.inverse(i, k);
    trace += p[i * n + i];
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) CHECK(p[i * n + k] == p[k * n + i]);
  }
  CHECK(trace <= 20.001 * static_cast<double>(n) / kRidge);
  CHECK(isPositive(p, n));
  std::vector<double> weights(features);
  double bias = 0;
  rls.weights(weights.data(), &bias);
  double answer = bias;
  for (size_t i = 0; i < features; ++i) answer += weights[i] * x[i];
  CHECK(std::fabs(answer - (x[0] - 2 * x[features / 2])) < 1e-6);
}

int main() {
  const size_t times = std::getenv("DTESN_LONG") ? 10 : 1;
  for (double forgetting : {0.99, 0.999}) {
    for (Input input : {Input::white, Input::sine}) {
      for (size_t features : {3, 20, 100}) check(features, forgetting, input, times * 100000);
      check(1000, forgetting, input, times * 10000);
    }
  }
  return 0;
}
