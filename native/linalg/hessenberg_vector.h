// An eigenvector of an upper Hessenberg matrix by one half step of inverse iteration.
//
//   (H - θ I) = L U with partial pivoting,   U y = (1, .., 1)'
//
// Source: Wilkinson (1965), The Algebraic Eigenvalue Problem, chapter 9, sections 54-55.
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/eigenvalues.h"

namespace dtesn {

struct ComplexVector {
  std::vector<double> re, im;
};

// Of unit length; h is row-major with `stride` elements a row. NaN where H is too far from diagonalisable.
ComplexVector hessenbergVector(const double* h, size_t n, size_t stride, Eigenvalue theta);

}  // namespace dtesn
