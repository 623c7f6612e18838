// A network: fixed weights and a law of motion, shared by any number of states.
//
//   state      what is carried from step to step: stateSize elements, zeros at rest
//   features   what a readout sees of a state: featureSize elements, often the state itself
//   gates      one byte a part that may be closed, or null for all open; read at every step
//
// Everything is const: a step touches only the given state and the caller's scratch, so threads may step different
// states of one network at the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "linalg/aligned_array.h"
#include "network/control.h"
#include "network/expansion.h"
#include "network/flow.h"
#include "simd/kernels.h"
#include "threads/shared.h"

namespace dtesn {

// What one thread needs to step up to `most` states: drives, states of before, room for products to work in, and lists
// of places in the states.
template <class T>
struct StepScratch {
  struct Sizes {
    size_t drive = 0, old = 0, carried = 0, work = 0;
  };

  StepScratch(size_t most, const Sizes& sizes)
      : most(most),
        drives(most * sizes.drive),
        old(most * sizes.old),
        carried(most * sizes.carried),
        work(sizes.work),
        drivePlaces(most),
        oldPlaces(most),
        carriedPlaces(most),
        someDrives(most),
        places(most),
        inputPlaces(most),
        chosen(most) {
    for (size_t s = 0; s < most; ++s) {
      drivePlaces[s] = drives.data() + s * sizes.drive;
      oldPlaces[s] = old.data() + s * sizes.old;
      carriedPlaces[s] = carried.data() + s * sizes.carried;
    }
  }

  size_t most;
  AlignedArray<T> drives, old, carried, work;
  std::vector<T*> drivePlaces, oldPlaces, carriedPlaces, someDrives;
  std::vector<const T*> places, inputPlaces;
  std::vector<size_t> chosen;
  Sweep sweep = Sweep::forwards;            // of the next step
  std::unique_ptr<Expansion<T>> expansion;  // where features are elementary differentials
};

// Known to the registry of shared networks, which gives it a number when it is first shared.
class AnyNetwork : public Counted {
 public:
  ~AnyNetwork() override;
  virtual bool isDouble() const = 0;

 private:
  friend class SharedNetworks;
  mutable uint64_t number_ = 0;
};

// A series, the state it moves, and what is kept of it.
template <class T>
struct Run {
  const T* series = nullptr;  // steps x inputs
  size_t steps = 0;
  T* state = nullptr;              // stateSize, in place
  const uint8_t* gates = nullptr;  // null: all open
  T* out = nullptr;                // steps x featureSize, or null
  double* sum = nullptr;           // featureSize: the features of every step are added; or null
  double* magnitude = nullptr;     // their moduli, with sum
  size_t place = 0;                // among the series of a batch
};

template <class T>
class Network : public AnyNetwork {
 public:
  bool isDouble() const final { return sizeof(T) == 8; }
  virtual size_t inputs() const = 0;
  virtual size_t stateSize() const = 0;
  virtual size_t featureSize() const { return stateSize(); }
  virtual size_t gateCount() const { return 0; }
  // Bytes of weights that one step reads.
  virtual size_t bytes() const = 0;

  virtual StepScratch<T> scratch(size_t most) const = 0;
  // One series (run.h). Returns the steps done, fewer than run.steps only when `control` stopped the run.
  virtual size_t run(const Run<T>& run, StepScratch<T>& scratch, const Control& control) const = 0;
  // One step of `count` states, at most scratch.most: inputs[s] one row of a series, gates null or gates[s] each null.
  virtual void stepMany(size_t count, const T* const* inputs, T* const* states, const uint8_t* const* gates,
                        StepScratch<T>& scratch) const = 0;
  // Whether the features are the state; else features() writes those of a state to `out`.
  virtual bool showsState() const { return true; }
  virtual void features(const T* /*state*/, T* /*out*/) const {}
  virtual const Flow<T>* flow() const { return nullptr; }
};

}  // namespace dtesn
