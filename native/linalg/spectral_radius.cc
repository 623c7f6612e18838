#include "linalg/spectral_radius.h"

#include <cmath>
#include <utility>
#include <vector>

#include "linalg/arnoldi.h"
#include "linalg/components.h"
#include "linalg/eigenvalues.h"
#include "linalg/period.h"
#include "simd/kernels.h"

namespace dtesn {
namespace {

// All eigenvalues of an irreducible matrix, which is overwritten.
SpectralRadius qrRadius(std::vector<double>& a, size_t n, const Interruption& interruption) {
  balance(a.data(), n);
  reduceToHessenberg(a.data(), n, interruption);
  const double radius = largestModulus(hessenbergEigenvalues(a.data(), n, n, interruption));
  return {radius, 0, 0, radius >= 0};
}

// Arnoldi and, where it fails, QR.
SpectralRadius iterativeRadius(std::vector<double>& a, size_t n, const RadiusOptions& options) {
  const ExactKernels& exact = exactKernels();
  const Product product = [&a, n, &exact](const double* x, double* y) {
    for (size_t i = 0; i < n; ++i) y[i] = exact.dot(a.data() + i * n, x, n);
  };
  const SpectralRadius found = arnoldiRadius(n, product, options);
  return found.converged || n > kFallbackUnits ? found : qrRadius(a, n, options.interruption);
}

// A diagonal block, scaled by a power of two so that squares of its elements neither overflow nor vanish.
ScaledMatrix blockOf(Span<const double> a, size_t n, const std::vector<size_t>& rows) {
  ScaledMatrix block{{}, rows.size(), 0};
  block.elements.reserve(rows.size() * rows.size());
  for (size_t i : rows) {
    for (size_t k : rows) block.elements.push_back(a[i * n + k]);
  }
  block.exponent = normalise(block.elements);
  return block;
}

// Whether steps from row 0 along (or, transposed, against) the edges i -> k of a[i, k] != 0 reach every row.
bool reachesAll(Span<const double> a, size_t n, bool transposed) {
  const size_t down = transposed ? 1 : n, across = transposed ? n : 1;
  std::vector<char> seen(n);
  std::vector<size_t> queue(1, 0);
  seen[0] = 1;
  for (size_t next = 0; next < queue.size() && queue.size() < n; ++next) {
    const size_t from = queue[next] * down;
    for (size_t k = 0; k < n; ++k) {
      if (seen[k] || a[from + k * across] == 0) continue;
      seen[k] = 1;
      queue.push_back(k);
    }
  }
  return queue.size() == n;
}

// One irreducible block without a period, as nearly every drawn matrix is.
bool isPrimitive(Span<const double> a, size_t n) {
  if (!reachesAll(a, n, false) || !reachesAll(a, n, true)) return false;
  for (size_t i = 0; i < n; ++i) {
    if (a[i * n + i] != 0) return true;
  }
  return periodicClasses(a, n).rows.size() == 1;
}

template <class RadiusOf>
SpectralRadius radiusOfBlock(ScaledMatrix block, const Interruption& interruption, RadiusOf radiusOf) {
  if (block.size == 1) return {std::ldexp(std::fabs(block.elements[0]), block.exponent), 0, 0, true};
  const Classes classes = periodicClasses(block.span(), block.size);
  const size_t period = classes.rows.size();
  const int outer = block.exponent;
  if (period > 1) block = productAround(block.span(), block.size, classes, interruption);
  SpectralRadius found = radiusOf(block.elements, block.size);
  if (period > 1) found.radius = root(found.radius, block.exponent, period);
  found.radius = std::ldexp(found.radius, outer);
  return found;
}

template <class RadiusOf>
SpectralRadius largestOfBlocks(Span<const double> a, size_t n, const Interruption& interruption, RadiusOf radiusOf) {
  SpectralRadius largest{0, 0, 0, true};
  for (const std::vector<size_t>& rows : irreducibleBlocks(a, n)) {
    interruption.check();
    const SpectralRadius found = radiusOfBlock(blockOf(a, n, rows), interruption, radiusOf);
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

SpectralRadius denseSpectralRadius(Span<const double> a, size_t n, const Interruption& interruption) {
  return largestOfBlocks(a, n, interruption, [&interruption](std::vector<double>& block, size_t size) {
    return qrRadius(block, size, interruption);
  });
}

SpectralRadius spectralRadius(Span<const double> a, size_t n, const RadiusOptions& options) {
  return largestOfBlocks(a, n, options.interruption, [&options](std::vector<double>& block, size_t size) {
    return size <= kDenseUnits ? qrRadius(block, size, options.interruption) : iterativeRadius(block, size, options);
  });
}

SpectralRadius spectralRadius(Span<const double> a, size_t n, const Product& product, const RadiusOptions& options) {
  if (n > kSmallUnits && isPrimitive(a, n)) {
    const SpectralRadius found = arnoldiRadius(n, product, options);
    if (found.converged) return found;
  }
  return largestOfBlocks(a, n, options.interruption, [&options](std::vector<double>& block, size_t size) {
    return size <= kSmallUnits ? qrRadius(block, size, options.interruption) : iterativeRadius(block, size, options);
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
  SpectralRadius found = denseSpectralRadius(Span<const double>(a), n, options.interruption);
  found.products = products + n;
  return found;
}

}  // namespace dtesn
