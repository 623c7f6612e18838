// The singular values of centred rows of features, and of their targets in that basis: every ridge costs a sum then.
//
//     X = J S U',  c = J' Y        W(ridge) = sum_i s_i u_i c_i' / (s_i^2 + ridge)
//
// By rotations of rows that make them orthogonal (one-sided Jacobi), which keep even small singular values to their
// last digits. Source: Hestenes (1958), J. SIAM 6(1); Demmel & Veselic (1992), SIAM J. Matrix Anal. 13(4).
#pragma once

#include <cstddef>

#include "linalg/interruption.h"

namespace dtesn {

struct Spectrum {
  double* vectors;       // count x features: s_i u_i
  double* squares;       // count: s_i^2
  double* coefficients;  // count x outputs: c_i
  double* rest;          // outputs: sum of squares of the targets beyond these
  double* means;         // features
  double* outputMeans;   // outputs
  double* basis;         // count x count: J', row i for vector i; or null
};

// Rotates rows of `length` numbers, `stride` apart, until their first `columns` are orthogonal.
void orthogonaliseRows(double* rows, size_t count, size_t stride, size_t columns, size_t length,
                       const Interruption& interruption);

}  // namespace dtesn
