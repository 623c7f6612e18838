// The dominant eigenvalue of a real matrix known by its products: implicitly restarted Arnoldi.
//
//   A V = V H + β v e'    V orthonormal (n x m), H upper Hessenberg; eigenvalues θ of H approach those of A
//
// The basis grows to min(n, 256) vectors (fewer where they would take more than 256 MiB) before it is restarted with
// the unwanted half of the θ as shifts, at most 16 times. It is large because random matrices have many eigenvalues of
// nearly the largest modulus. θ is accepted on its true residual ||A v - θ v|| / (|θ| ||v||) only. Structurally
// nilpotent matrices need their elements (components.h): their products alone show rounding errors raised to 1 / n.
// Sources: Arnoldi (1951); Sorensen (1992), SIAM J. Matrix Anal. Appl. 13(1); reorthogonalisation: Daniel et al.
// (1976).
#pragma once

#include "linalg/spectral_radius.h"

namespace dtesn {

SpectralRadius arnoldiRadius(size_t n, const Product& product, const RadiusOptions& options);

}  // namespace dtesn
