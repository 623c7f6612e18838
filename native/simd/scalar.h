// The kernels in plain loops: what the vector ones are checked against, and the fallback of unknown CPUs.
#pragma once

#include "simd/kernels.h"

namespace dtesn {

template <class T>
const Kernels<T>& scalarKernels();

const ExactKernels& scalarExactKernels();
const NarrowKernels& scalarNarrowKernels();

const TrainingKernels& scalarTrainingKernels();

}  // namespace dtesn
