// The leaky echo state reservoir: one region, run over a whole series.
//
//   x(t+1) = (1 - leak) x(t) + leak tanh(W x(t) + W_in u(t+1) + b)
//
// Traffic of a step: the weights once, the state once read and once written. Nothing is allocated while it runs.
// Source: Jaeger, Lukoševičius, Popovici, Siewert (2007), Neural Networks 20(3), eq. 2 with gamma = 1.
#pragma once

#include <cstring>
#include <utility>

#include "reservoir/control.h"
#include "reservoir/network.h"
#include "reservoir/region.h"

namespace dtesn {

template <class T>
class LeakyReservoir final : public Network<T> {
 public:
  LeakyReservoir(Region<T> region, size_t inputs)
      : region_(std::move(region)), inputs_(inputs), drive_(region_.driveSize()) {}

  size_t units() const override { return region_.units(); }
  size_t inputs() const override { return inputs_; }
  const Region<T>& region() const { return region_; }
  size_t bytes() const { return region_.bytes(); }

  // series: steps x inputs; state: units, in place; out: steps x units or null. Returns the steps done, fewer than
  // `steps` only when `control` stopped the run.
  size_t run(const T* series, size_t steps, T* state, T* out, const Control& control = Control()) {
    size_t done = 0;
    while (done < steps) {
      region_.beginDrive(series + done * inputs_, drive_.data());
      region_.recurrent->accumulate(state, drive_.data(), sweep_);
      sweep_ = turned(sweep_);
      region_.update(drive_.data(), state);
      if (out != nullptr) std::memcpy(out + done * units(), state, units() * sizeof(T));
      if (!control.goOn(++done)) break;
    }
    control.finish(done);
    return done;
  }

  StepScratch<T> scratch(size_t most) const override {
    return StepScratch<T>(most, drive_.size(), 0, region_.workOfMany(most));
  }

  void step(size_t count, const T* const* inputs, T* const* states, StepScratch<T>& scratch) const override {
    T* const* drives = scratch.drivePlaces.data();
    region_.beginDrives(count, inputs, drives, scratch.work.data());
    region_.recurrent->accumulateMany(count, states, drives, scratch.work.data(), scratch.sweep);
    scratch.sweep = turned(scratch.sweep);
    for (size_t s = 0; s < count; ++s) region_.update(drives[s], states[s]);
  }

  // The flow x' = -x + tanh(W x + w) that this reservoir steps: y = W x, and w = W_in u + b.
  void linear(const T* x, T* y) {
    std::memset(drive_.data(), 0, drive_.size() * sizeof(T));
    region_.recurrent->accumulate(x, drive_.data());
    std::memcpy(y, drive_.data(), units() * sizeof(T));
  }
  void drive(const T* u, T* w) {
    region_.beginDrive(u, drive_.data());
    std::memcpy(w, drive_.data(), units() * sizeof(T));
  }

 private:
  Region<T> region_;
  size_t inputs_;
  AlignedArray<T> drive_;
  Sweep sweep_ = Sweep::forwards;
};

}  // namespace dtesn
