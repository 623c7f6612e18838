// What one core can do, measured: multiply-adds a second with everything in registers, and bytes a second that it can
// load from a working set of a given size. Both by the instruction set in use, both the best of several short runs: a
// limit is what the machine reaches when nothing disturbs it.
#pragma once

#include <cstddef>

#include "simd/kernels.h"

namespace dtesn {

// A multiply and an add count as two operations.
template <class T>
double measureGflops();

// Reads `bytes` (rounded up to 512) over and over, on memory as the kernels have it (simd/memory.h).
double measureReadGigabytesPerSecond(size_t bytes);

}  // namespace dtesn
