// Regions side by side in one state, and the couplings between them: every network of units is one.
//
//   drive_m = W_m x_m + W_in u + b_m + C_m x_parent + Σ_children F_c x_c        x_m' by the law of region m (region.h)
//
// A parent stands before its children. parentFirst reads the parent's new state (the classical deep ESN), synchronous
// its old one (each level adds a step of delay). A closed gate stops all traffic of its region: it is neither computed
// nor read, and its state is held. The block matrix is stored sparsely: one operator an existing block.
#pragma once

#include <cstdint>
#include <vector>

#include "network/network.h"
#include "network/region.h"

namespace dtesn {

template <class T>
struct Place {
  Region<T> region;
  int32_t parent = -1;   // -1: a root
  Operator<T> coupling;  // from the parent; null without
  Operator<T> feedback;  // to the parent; null without
};

template <class T>
class RegionNetwork final : public Network<T>, private Flow<T> {
 public:
  RegionNetwork(std::vector<Place<T>> places, size_t inputs, bool parentFirst);

  size_t inputs() const override { return inputs_; }
  size_t stateSize() const override { return offsets_.back(); }
  size_t gateCount() const override { return places_.size(); }
  size_t bytes() const override;
  size_t regions() const { return places_.size(); }
  const Place<T>& place(size_t m) const { return places_[m]; }
  size_t offset(size_t m) const { return offsets_[m]; }

  StepScratch<T> scratch(size_t most) const override;
  size_t run(const Run<T>& run, StepScratch<T>& scratch, const Control& control) const override;
  void stepMany(size_t count, const T* const* inputs, T* const* states, const uint8_t* const* gates,
                StepScratch<T>& scratch) const override;
  const Flow<T>* flow() const override { return this; }

 private:
  size_t workSize() const override { return driveSize_; }
  void couple(const T* x, const uint8_t* gates, T* y, T* work) const override;
  void drive(const T* u, const uint8_t* gates, T* w, T* work) const override;
  void decay(const T* x, const uint8_t* gates, T* y, T* work) const override;
  void mask(const uint8_t* gates, T* open) const override;
  std::vector<Segment> segments() const override;

  void step(const T* input, T* state, const uint8_t* gates, StepScratch<T>& scratch) const;
  // Adds W x of region m to drive; `parentState` is where the parent's part is read.
  void addRecurrence(size_t m, const T* x, const T* parentState, const uint8_t* gates, T* drive) const;
  // Adds the block between region m and another one to the drives of those chosen states whose other gate is open.
  void addBlock(const LinearOperator<T>& block, size_t other, size_t count, T* const* states,
                const uint8_t* const* gates, StepScratch<T>& scratch) const;
  // Writes the numbers of the states whose gate of region m is open to scratch.chosen.
  size_t choose(size_t m, size_t count, const uint8_t* const* gates, StepScratch<T>& scratch) const;

  std::vector<Place<T>> places_;
  std::vector<std::vector<size_t>> children_;  // only those that feed back
  std::vector<size_t> offsets_;                // regions + 1
  size_t inputs_;
  size_t driveSize_ = 0;
  bool isOne_;
  bool keepsOld_;
  bool carries_ = false;
};

}  // namespace dtesn
