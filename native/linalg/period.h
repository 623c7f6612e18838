// Periodic matrices: an irreducible matrix whose graph has only cycles of lengths that are multiples of h > 1 moves
// class c of its rows to class c + 1 (mod h). Its eigenvalues are the h-th roots of those of the product once around, a
// matrix as small as the smallest class:
//
//     ρ(A) = ρ(A_1 A_2 .. A_h)^(1/h)
//
// So a ring of any size, whose n eigenvalues of one modulus no iteration tells apart, is a product of n numbers.
// Source: Horn & Johnson (2013), Matrix Analysis, section 8.4 (there for non-negative matrices; the pattern decides).
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/interruption.h"
#include "simd/span.h"

namespace dtesn {

// The class of each row of an irreducible row-major n x n matrix (n > 1): a[i, k] != 0 only where class k is the one
// after class i. One class when it is not periodic.
struct Classes {
  std::vector<std::vector<size_t>> rows;
};
Classes periodicClasses(Span<const double> a, size_t n);

// A square matrix times 2^exponent.
struct ScaledMatrix {
  std::vector<double> elements;  // size x size, row-major
  size_t size;
  int exponent;

  Span<const double> span() const { return Span<const double>(elements.data(), elements.size()); }
};

// Brings the largest element near 1 by a power of two and returns its exponent.
int normalise(std::vector<double>& elements);

// The product once around that starts and ends at the smallest class.
ScaledMatrix productAround(Span<const double> a, size_t n, const Classes& classes,
                           const Interruption& interruption = {});

// (mantissa 2^exponent)^(1/h) for mantissa >= 0, in plain arithmetic.
double root(double mantissa, int exponent, size_t h);

}  // namespace dtesn
