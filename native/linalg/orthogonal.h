// A random orthogonal matrix, uniform over all of them (Haar): the product of n - 1 Householder reflections of normal
// vectors of falling length, with random signs.
//
// Cost: about 4/3 n^3 operations. The same bits on every machine.
// Source: Stewart (1980), "The efficient generation of random orthogonal matrices", SIAM J. Numer. Anal. 17(3).
#pragma once

#include <cstddef>

#include "linalg/aligned_array.h"
#include "linalg/interruption.h"
#include "random/philox.h"

namespace dtesn {

// n x n, row-major. Vector j uses the words from position j 2^32 on.
AlignedArray<double> orthogonal(size_t n, const PhiloxStream& stream, const Interruption& interruption = {});

}  // namespace dtesn
