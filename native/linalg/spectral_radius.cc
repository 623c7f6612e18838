#include "linalg/spectral_radius.h"

#include <algorithm>
#include <vector>

#include "linalg/arnoldi.h"
#include "linalg/components.h"
#include "linalg/eigenvalues.h"

#include "linalg/fixed_order.h"

namespace dtesn {
namespace {

// All eigenvalues of an irreducible matrix, which is overwritten.
SpectralRadius qrRadius(std::vector<double>& a, size_t n) {
  balance(a.data(), n);
  reduceToHessenberg(a.data(), n);
  const double radius = largestModulus(hessenbergEigenvalues(a.data(), n, n));
  return {radius, 0, 0, radius >= 0};
}

std::vector<double> blockOf(Span<const double> a, size_t n, const std::vector<size_t>& rows) {
  std::vector<double> block;
  block.reserve(rows.size() * rows.size());
  for (size_t i : rows) {
    for (size_t k : rows) block.push_back(a[i * n + k]);
  }
  return block;
}

// Arnoldi and, where it fails, QR on an irreducible matrix.
SpectralRadius iterativeRadius(std::vector<double>& a, size_t n, const RadiusOptions& options) {
  const Product product = [&a, n](const double* x, double* y) {
    for (size_t i = 0; i < n; ++i) y[i] = dot(a.data() + i * n, x, n);
  };
  const SpectralRadius found = arnoldiRadius(n, product, options);
  return found.converged || n > kFallbackUnits ? found : qrRadius(a, n);
}

template <class RadiusOf>
SpectralRadius largestOfBlocks(Span<const double> a, size_t n, RadiusOf radiusOf) {
  SpectralRadius largest{0, 0, 0, true};
  for (const std::vector<size_t>& rows : irreducibleBlocks(a, n)) {
    std::vector<double> block = blockOf(a, n, rows);
    const SpectralRadius found = radiusOf(block, rows.size());
    largest.converged = largest.converged && found.converged;
    largest.products += found.products;
    if (found.radius > largest.radius) {
      largest.radius = found.radius;
      largest.residual = found.residual;
    }
  }
  return largest;
}

std::vector<double> columnsOf(size_t n, const Product& product) {
  std::vector<double> a(n * n), unit(n), column(n);
  for (size_t k = 0; k < n; ++k) {
    unit[k] = 1;
    product(unit.data(), column.data());
    unit[k] = 0;
    for (size_t i = 0; i < n; ++i) a[i * n + k] = column[i];
  }
  return a;
}

}  // namespace

SpectralRadius denseSpectralRadius(Span<const double> a, size_t n) { return largestOfBlocks(a, n, qrRadius); }

SpectralRadius spectralRadius(Span<const double> a, size_t n, const RadiusOptions& options) {
  return largestOfBlocks(a, n, [&options](std::vector<double>& block, size_t size) {
    return size <= kDenseUnits ? qrRadius(block, size) : iterativeRadius(block, size, options);
  });
}

SpectralRadius spectralRadius(size_t n, const Product& product, const RadiusOptions& options) {
  size_t products = 0;
  if (n > kDenseUnits) {
    const SpectralRadius found = arnoldiRadius(n, product, options);
    if (found.converged || n > kFallbackUnits) return found;
    products = found.products;
  }
  const std::vector<double> a = columnsOf(n, product);
  SpectralRadius found = denseSpectralRadius(Span<const double>(a), n);
  found.products = products + n;
  return found;
}

}  // namespace dtesn
