// A network that many series run through at once: one step of several series, each state where it lies.
//
// A step is const and touches only the given states and the caller's scratch, so that threads may step different series
// of one network at the same time.
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/aligned_array.h"
#include "simd/kernels.h"

namespace dtesn {

// What one thread needs to step up to `most` series: drives, old states, room for products to work in, and lists of
// places in the states.
template <class T>
struct StepScratch {
  StepScratch(size_t most, size_t driveSize, size_t oldSize, size_t workSize)
      : most(most),
        drives(most * driveSize),
        old(most * oldSize),
        work(workSize),
        drivePlaces(most),
        oldPlaces(most),
        places(most) {
    for (size_t s = 0; s < most; ++s) {
      drivePlaces[s] = drives.data() + s * driveSize;
      oldPlaces[s] = old.data() + s * oldSize;
    }
  }

  size_t most;
  AlignedArray<T> drives, old, work;
  std::vector<T*> drivePlaces, oldPlaces;
  std::vector<const T*> places;
  Sweep sweep = Sweep::forwards;  // of the next step
};

template <class T>
class Network {
 public:
  virtual ~Network() = default;
  virtual size_t units() const = 0;
  virtual size_t inputs() const = 0;
  virtual StepScratch<T> scratch(size_t most) const = 0;
  // inputs[s]: one row of a series; states[s]: units, in place; count at most scratch.most.
  virtual void step(size_t count, const T* const* inputs, T* const* states, StepScratch<T>& scratch) const = 0;
};

}  // namespace dtesn
