// The Deep Tree ESN: one region a membrane, membranes in breadth-first order (a parent before its children), their
// states side by side in one array.
//
//   drive_m = W_m x_m + W_in u + b_m + κ w_m C_m x_parent + κ_fb Σ_children w_c F_c x_c
//   x_m'    = (1 - leak) x_m + leak tanh(drive_m)
//
// parentFirst reads the parent's new state (the classical deep ESN), synchronous its old one (each level adds a step of
// delay). A closed gate stops all traffic of its membrane: it is neither computed nor read, and its state is held.
// The block matrix is stored sparsely: one operator an existing block.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "reservoir/control.h"
#include "reservoir/network.h"
#include "reservoir/region.h"

namespace dtesn {

template <class T>
struct Membrane {
  Region<T> region;
  int32_t parent = -1;                          // -1: the skin
  std::unique_ptr<LinearOperator<T>> coupling;  // from the parent, scaled by κ w; null without
  std::unique_ptr<LinearOperator<T>> feedback;  // to the parent, scaled by κ_fb w; null without
};

template <class T>
class DeepTree final : public Network<T> {
 public:
  DeepTree(std::vector<Membrane<T>> membranes, size_t inputs, bool parentFirst);

  // One byte a membrane, 0 closed, read at every step; it must outlive the tree's runs.
  void bindGates(const uint8_t* gates) { gates_ = gates; }

  size_t units() const override { return offsets_.back(); }
  size_t inputs() const override { return inputs_; }
  size_t membranes() const { return membranes_.size(); }
  const Membrane<T>& membrane(size_t m) const { return membranes_[m]; }
  size_t offset(size_t m) const { return offsets_[m]; }
  size_t bytes() const;

  // series: steps x inputs; state: units, in place; out: steps x units or null.
  size_t run(const T* series, size_t steps, T* state, T* out, const Control& control = Control());

  StepScratch<T> scratch(size_t most) const override;
  void step(size_t count, const T* const* inputs, T* const* states, StepScratch<T>& scratch) const override;

  // The flow x' = -x + tanh(W x + w) of the whole tree at once: y = W x for the assembled W, and w = W_in u + b.
  // Rows of closed membranes are zero.
  void linear(const T* x, T* y);
  void drive(const T* u, T* w);

  // ||M||_2 of the matrix of block norms, M_mm = (1 - leak) + leak ||W_m||, M_mp = leak ||coupling||, ...: below 1 the
  // synchronous update is a contraction, so echo states exist.
  double normBound() const;

 private:
  // Adds W x of membrane m to drive; `parentState` is where the parent's part is read.
  void addRecurrence(size_t m, const T* x, const T* parentState, T* drive) const;
  // The same for many series.
  void addRecurrences(size_t m, size_t count, T* const* states, T* const* parentStates, StepScratch<T>& scratch) const;

  std::vector<Membrane<T>> membranes_;
  std::vector<std::vector<size_t>> children_;  // only those that feed back
  std::vector<size_t> offsets_;                // membranes + 1
  size_t inputs_;
  bool parentFirst_;
  const uint8_t* gates_ = nullptr;
  AlignedArray<T> drive_;
  AlignedArray<T> old_;  // last step's states, where the update is synchronous
};

}  // namespace dtesn
