// Cholesky's factor of a symmetric positive definite matrix, in place: A = U' U, U upper triangular.
//
// On a trapezoid [A B] the columns right of the triangle become U'^-1 B: the forward substitution comes with it.
// Left-looking by tiles: U_IJ = U_II'^-1 (A_IJ - sum_{K < I} U_KI' U_KJ), the sum one pass over two strips.
// Operations: n^3 / 3. Source: Golub & Van Loan (2013), Matrix Computations, section 4.2.
#pragma once

#include "linalg/interruption.h"
#include "linalg/trapezoid.h"

namespace dtesn {

// The first column whose pivot is lost in rounding, which says that A is singular in f64; or the number of columns.
size_t cholesky(Trapezoid& matrix, const Interruption& interruption = {});

}  // namespace dtesn
