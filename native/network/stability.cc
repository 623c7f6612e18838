#include "network/stability.h"

#include <algorithm>
#include <vector>

#include "linalg/operator_norm.h"
#include "linalg/packed_dense.h"
#include "linalg/spectral_radius.h"

namespace dtesn {

template <class T>
double normBound(const RegionNetwork<T>& network) {
  const size_t n = network.regions();
  std::vector<double> blocks(n * n);
  const auto largestLeak = [](const Region<T>& r) {
    return *std::max_element(r.rate.data(), r.rate.data() + r.units());
  };
  const auto smallestLeak = [](const Region<T>& r) {
    return *std::min_element(r.rate.data(), r.rate.data() + r.units());
  };
  for (size_t m = 0; m < n; ++m) {
    const Place<T>& place = network.place(m);
    const auto parent = static_cast<size_t>(place.parent);
    const double leak = largestLeak(place.region);
    blocks[m * n + m] = (1 - smallestLeak(place.region)) + leak * operatorNorm(*place.region.recurrent);
    if (place.coupling) blocks[m * n + parent] = leak * operatorNorm(*place.coupling);
    if (place.feedback) {
      blocks[parent * n + m] = largestLeak(network.place(parent).region) * operatorNorm(*place.feedback);
    }
  }
  const PackedDense<double> packed(n, n, [&](size_t i, double* row) { std::copy_n(blocks.data() + i * n, n, row); });
  return operatorNorm(packed);
}

template <class T>
double effectiveRadius(const Region<T>& region) {
  RadiusOptions options;
  options.tolerance = 1e-6;
  const auto leaky = [&region](const double* x, double* y) {
    region.recurrent->product(x, y);
    for (size_t i = 0; i < region.units(); ++i) y[i] = (1 - region.rate[i]) * x[i] + region.rate[i] * y[i];
  };
  return spectralRadius(region.units(), leaky, options).radius;
}

template double normBound<float>(const RegionNetwork<float>&);
template double normBound<double>(const RegionNetwork<double>&);
template double effectiveRadius<float>(const Region<float>&);
template double effectiveRadius<double>(const Region<double>&);

}  // namespace dtesn
