#include "linalg/orthogonal.h"

#include <cmath>
#include <vector>

#include "random/normal.h"
#include "simd/kernels.h"

namespace dtesn {

AlignedArray<double> orthogonal(size_t n, const PhiloxStream& stream, const Interruption& interruption) {
  const ExactKernels& exact = exactKernels();
  AlignedArray<double> q(n * n);
  std::vector<double> v(n), w(n);
  for (size_t i = 0; i < n; ++i) q[i * n + i] = 1;
  // From the shortest vector on: rows and columns before `first` are still those of the identity.
  for (size_t first = n; first-- > 0;) {
    interruption.check();
    const size_t length = n - first;
    NormalSequence normal(stream, static_cast<uint64_t>(first) << 32);
    for (size_t i = 0; i < length; ++i) v[i] = normal.next();
    const double norm = std::sqrt(exact.dot(v.data(), v.data(), length));
    const double sign = v[0] < 0 ? -1 : 1;
    if (norm == 0) continue;
    // v = x + sign ||x|| e_1; H = I - 2 v v' / (v'v) sends x to -sign ||x|| e_1.
    v[0] += sign * norm;
    const double scale = 2 / exact.dot(v.data(), v.data(), length);
    for (size_t k = 0; k < length; ++k) w[k] = 0;
    for (size_t i = 0; i < length; ++i) exact.addScaled(v[i], q.data() + (first + i) * n + first, w.data(), length);
    for (size_t i = 0; i < length; ++i) {
      exact.addScaled(-(scale * v[i]), w.data(), q.data() + (first + i) * n + first, length);
    }
    // H e_1 = -sign x / ||x||: without the sign the column is uniform on the sphere.
    for (size_t i = 0; i < length; ++i) q[(first + i) * n + first] *= -sign;
  }
  return q;
}

}  // namespace dtesn
