// All eigenvalues of a real matrix: balance, reduce to Hessenberg form, implicit double-shift QR.
//
// Matrices are row-major with `stride` elements a row, and are overwritten.
// Sources: Francis (1961), Comput. J. 4; Golub & Van Loan (2013), Matrix Computations, section 7.5; balancing in the
// 2-norm: James, Langou, Lowery (2014), arXiv:1401.5766.
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/interruption.h"

namespace dtesn {

struct Eigenvalue {
  double re, im;
};

// Shifts of a QR step: the eigenvalues of [x, w; 1, y].
struct DoubleShift {
  double x, y, w;
};

// D^-1 A D with D a diagonal of powers of two, chosen so that rows and columns have like norms.
void balance(double* a, size_t n);

// Q' A Q, upper Hessenberg, by Householder reflections; what is below the subdiagonal becomes zero.
void reduceToHessenberg(double* a, size_t n, const Interruption& interruption = {});

// One implicit step with two shifts on rows and columns lo .. hi of a Hessenberg matrix. Applied to rows from `top` and
// to columns before `right` (lo and hi + 1 suffice for eigenvalues). When `basis` is given, its rows (`basisRows` of
// them, `stride` elements each) are multiplied by the same rotations.
void doubleShiftStep(double* h, size_t stride, size_t lo, size_t hi, size_t top, size_t right, DoubleShift shift,
                     double* basis = nullptr, size_t basisRows = 0);

// The eigenvalues of an upper Hessenberg matrix. Empty when QR did not converge (in 30 steps an
// eigenvalue).
std::vector<Eigenvalue> hessenbergEigenvalues(double* h, size_t n, size_t stride,
                                              const Interruption& interruption = {});

// max |λ|, or a negative number when QR did not converge.
double largestModulus(const std::vector<Eigenvalue>& eigenvalues);

}  // namespace dtesn
