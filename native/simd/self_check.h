// Every kernel of an instruction set against the scalar one, on sizes that meet every tail.
#pragma once

#include <string>
#include <vector>

#include "simd/kernels.h"

namespace dtesn {

struct KernelCheck {
  Isa isa;
  const char* kernel;
  const char* dtype;
  double error;      // largest |difference| over the sum of the magnitudes that were added
  double tolerance;  // a few units in the last place for each of the sums' partial results
};

std::vector<KernelCheck> checkKernels(Isa isa);

}  // namespace dtesn
