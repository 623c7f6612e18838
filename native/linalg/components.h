// The irreducible blocks of a square matrix: the strongly connected components of the graph with an edge i -> k for
// every a[i, k] != 0. In some order of these blocks the matrix is block triangular, so its eigenvalues are theirs.
//
// Source: Tarjan (1972), "Depth-first search and linear graph algorithms", SIAM J. Comput. 1(2).
#pragma once

#include <cstddef>
#include <vector>

#include "simd/span.h"

namespace dtesn {

// Each block as the ascending list of its rows. O(n^2) for a row-major n x n matrix.
std::vector<std::vector<size_t>> irreducibleBlocks(Span<const double> a, size_t n);

}  // namespace dtesn
