// The spectral norm ||A||_2 by power iteration on A'A; stops when it grows by less than `tolerance` a round. The value
// approaches the norm from below, so a bound must add the tolerance.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "linalg/linear_operator.h"
#include "random/philox.h"

namespace dtesn {

template <class T>
double operatorNorm(const LinearOperator<T>& a, double tolerance = 1e-6) {
  std::vector<double> x(a.cols()), y(a.rows());
  const PhiloxStream start(0, 0, Purpose::krylov);
  for (size_t i = 0; i < x.size(); ++i) x[i] = start.symmetric(i);
  double norm = 0;
  for (int round = 0; round < 1000; ++round) {
    double length = 0;
    for (double v : x) length += v * v;
    length = std::sqrt(length);
    if (length == 0) return 0;
    for (double& v : x) v /= length;
    a.product(x.data(), y.data());
    double next = 0;
    for (double v : y) next += v * v;
    next = std::sqrt(next);
    if (next <= norm * (1 + tolerance)) return next;
    norm = next;
    a.transposed(y.data(), x.data());
  }
  return norm;
}

}  // namespace dtesn
