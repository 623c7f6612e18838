// Nonlinear vector autoregression (next generation reservoir computing): a delay line and its monomials, no weights.
//
//   linear    u(t), u(t - strides), ..., u(t - (delay - 1) strides), newest first
//   features  linear, then every monomial of exactly `order` factors of linear, in the order of combinations with
//             replacement; no constant. Before the line has filled it holds zeros.
//
// State: the last (delay - 1) strides + 1 inputs, newest first.
// Source: Gauthier, Bollt, Griffith, Barbosa (2021), Nature Communications 12, 5564.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "network/network.h"
#include "network/run.h"

namespace dtesn {

template <class T>
class Nvar final : public Network<T> {
 public:
  Nvar(size_t inputs, size_t delay, size_t order, size_t strides)
      : inputs_(inputs), delay_(delay), order_(order), strides_(strides), factors_(order * monomials()) {
    std::vector<uint32_t> index(order);
    for (size_t at = 0; at < factors_.size(); at += order) {
      std::copy(index.begin(), index.end(), factors_.begin() + static_cast<std::ptrdiff_t>(at));
      size_t last = order;
      while (last > 0 && index[last - 1] + 1 == linear()) --last;
      if (last == 0) break;
      std::fill(index.begin() + static_cast<std::ptrdiff_t>(last - 1), index.end(), index[last - 1] + 1);
    }
  }

  size_t inputs() const override { return inputs_; }
  size_t stateSize() const override { return ((delay_ - 1) * strides_ + 1) * inputs_; }
  size_t featureSize() const override { return linear() + monomials(); }
  size_t bytes() const override { return factors_.size() * sizeof(uint32_t); }

  StepScratch<T> scratch(size_t most) const override { return StepScratch<T>(most, {}); }

  size_t run(const Run<T>& run, StepScratch<T>&, const Control& control) const override {
    return eachStep(*this, run, control, [&](size_t t) { push(run.series + t * inputs_, run.state); });
  }

  void stepMany(size_t count, const T* const* inputs, T* const* states, const uint8_t* const*,
                StepScratch<T>&) const override {
    for (size_t s = 0; s < count; ++s) push(inputs[s], states[s]);
  }

  bool showsState() const override { return false; }

  void features(const T* state, T* out) const override {
    for (size_t k = 0; k < delay_; ++k) {
      std::memcpy(out + k * inputs_, state + k * strides_ * inputs_, inputs_ * sizeof(T));
    }
    T* to = out + linear();
    for (size_t at = 0; at < factors_.size(); at += order_) {
      T product = out[factors_[at]];
      for (size_t f = 1; f < order_; ++f) product *= out[factors_[at + f]];
      *to++ = product;
    }
  }

  // C(linear + order - 1, order), or SIZE_MAX beyond what a table may hold.
  static size_t monomialsOf(size_t linear, size_t order) {
    double count = 1;
    for (size_t i = 1; i <= order; ++i) count = count * static_cast<double>(linear + i - 1) / static_cast<double>(i);
    return count < 1e9 ? static_cast<size_t>(count + 0.5) : SIZE_MAX;
  }

 private:
  void push(const T* input, T* state) const {
    std::memmove(state + inputs_, state, (stateSize() - inputs_) * sizeof(T));
    std::memcpy(state, input, inputs_ * sizeof(T));
  }

  size_t linear() const { return delay_ * inputs_; }
  size_t monomials() const { return monomialsOf(linear(), order_); }

  size_t inputs_, delay_, order_, strides_;
  std::vector<uint32_t> factors_;  // of each monomial, `order` places in linear
};

extern template class Nvar<float>;
extern template class Nvar<double>;

}  // namespace dtesn
