// The spectral radius max |λ| of a real square matrix, right for non-symmetric ones: complex dominant pairs, many
// eigenvalues of one modulus, reducible and defective matrices.
//
//   n <= kDenseUnits   all eigenvalues by QR (eigenvalues.h)
//   n  > kDenseUnits   restarted Arnoldi (arnoldi.h) until the true residual ||A v - λ v|| / (|λ| ||v||) <= tolerance;
//                      where it does not get there, all eigenvalues up to n = kFallbackUnits, else converged = false
//
// A drawn matrix of up to kDenseUnits is known by its elements and by its products, and its radius to the tolerance
// does:
//
//   n <= kSmallUnits   all eigenvalues
//   else               Arnoldi on the products where the matrix is irreducible and has no period, on each block where
//   it
//                      is not; all eigenvalues of a block where Arnoldi does not get there
//
// Each throws Interrupted where options.interruption says so.
// Every loop is in one fixed order without contraction: the same matrix gives the same bits on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "linalg/interruption.h"
#include "simd/span.h"

namespace dtesn {

struct RadiusOptions {
  double tolerance = 1e-8;
  uint64_t seed = 0;  // of Arnoldi's first vector
  // Products taken of the first vector before Arnoldi starts: of a random matrix they do nearly as much good as its own
  // and cost no basis.
  size_t powerSteps = 0;
  Interruption interruption;
};

struct SpectralRadius {
  double radius;
  double residual;  // of the dominant pair by Arnoldi; 0 where all eigenvalues were computed
  size_t products;
  bool converged;
};

using Product = std::function<void(const double* x, double* y)>;  // y = A x

constexpr size_t kSmallUnits = 48;
constexpr size_t kDenseUnits = 400;
constexpr size_t kFallbackUnits = 2000;

SpectralRadius spectralRadius(size_t n, const Product& product, const RadiusOptions& options);

// Of a row-major n x n matrix: each irreducible block on its own (components.h), a periodic one by the product once
// around (period.h).
SpectralRadius spectralRadius(Span<const double> a, size_t n, const RadiusOptions& options);

// Of a row-major n x n matrix and its products, to options.tolerance whatever n.
SpectralRadius spectralRadius(Span<const double> a, size_t n, const Product& product, const RadiusOptions& options);

// The same by QR alone, whatever n: about 13 n^3 operations.
SpectralRadius denseSpectralRadius(Span<const double> a, size_t n, const Interruption& interruption = {});

}  // namespace dtesn
