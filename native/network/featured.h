// A network seen through other features: what stands between its states and a readout.
//
//   state      [x, its features where they are not x itself, u(t), u(t-1), ..., features(t-1), features(t-2), ...,
//              F(τ)(x) for each rooted tree τ to an order, of the flow that u(t) drives]
//   features   products of elements of that state, most of them of one element
//
// Since old rows and differentials are part of the state, a run, a batch, a stream and a closed loop read the same
// features.
// The weights are those of the network within; nothing of it is copied.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "network/network.h"
#include "network/run.h"
#include "trees/rooted_trees.h"

namespace dtesn {

template <class T>
class Featured final : public Network<T> {
 public:
  // Rows that are kept: of inputs, the present one among them, and of old features.
  struct Lines {
    size_t inputs = 0, features = 0;
  };

  // order: of the elementary differentials, 0 for none; they need a network with a flow, which shows its state.
  Featured(Shared<Network<T>> within, Lines lines, int order)
      : within_(std::move(within)),
        lines_(lines),
        order_(order),
        trees_(order == 0 ? 0 : treeTable(order).size()),
        featuresAt_(within_->showsState() ? 0 : within_->stateSize()),
        rows_((1 + lines.features) * within_->featureSize() + lines.inputs * within_->inputs()),
        elements_(rows_ + (trees_ == 0 ? 0 : trees_ * within_->stateSize())) {}

  size_t stateSize() const override { return featuresAt_ + elements_; }

  // What a feature is made of: the features of the network within, the inputs, the old features, the differentials.
  size_t elements() const { return elements_; }

  // One more feature: the product of these elements.
  void add(const uint32_t* factors, size_t degree) {
    const size_t first = featuresAt_ + factors[0];
    Part* const last = parts_.empty() ? nullptr : &parts_.back();
    const bool joins = last != nullptr && last->degree == degree && (degree > 1 || last->first + last->count == first);
    if (joins) {
      ++last->count;
    } else {
      parts_.push_back({degree, degree == 1 ? first : factors_.size(), 1});
    }
    for (size_t f = 0; f < degree && degree > 1; ++f) {
      factors_.push_back(static_cast<uint32_t>(featuresAt_) + factors[f]);
    }
    ++size_;
  }

  size_t inputs() const override { return within_->inputs(); }
  size_t featureSize() const override { return size_; }
  size_t gateCount() const override { return within_->gateCount(); }
  size_t bytes() const override { return within_->bytes() + factors_.size() * sizeof(uint32_t); }
  StepScratch<T> scratch(size_t most) const override {
    StepScratch<T> scratch = within_->scratch(most);
    if (order_ > 0) scratch.expansion = std::make_unique<Expansion<T>>(*within_->flow(), within_->stateSize(), order_);
    return scratch;
  }
  bool showsState() const override { return false; }

  size_t run(const Run<T>& run, StepScratch<T>& scratch, const Control& control) const override {
    Run<T> step;
    step.steps = 1;
    step.state = run.state;
    step.gates = run.gates;
    return eachStep(*this, run, control, [&](size_t t) {
      step.series = run.series + t * inputs();
      push(run.state, step.series);
      within_->run(step, scratch, Control());
      look(step.series, run.gates, run.state, scratch);
    });
  }

  void stepMany(size_t count, const T* const* inputs, T* const* states, const uint8_t* const* gates,
                StepScratch<T>& scratch) const override {
    for (size_t s = 0; s < count; ++s) push(states[s], inputs[s]);
    within_->stepMany(count, inputs, states, gates, scratch);
    for (size_t s = 0; s < count; ++s) look(inputs[s], gates == nullptr ? nullptr : gates[s], states[s], scratch);
  }

  void features(const T* state, T* out) const override {
    for (const Part& part : parts_) {
      if (part.degree == 1) {
        out = std::copy_n(state + part.first, part.count, out);
        continue;
      }
      const uint32_t* factor = factors_.data() + part.first;
      for (size_t i = 0; i < part.count; ++i) {
        T product = state[*factor++];
        for (size_t f = 1; f < part.degree; ++f) product *= state[*factor++];
        *out++ = product;
      }
    }
  }

 private:
  // `count` products of `degree` factors from factors_[first] on; or elements of the state from `first` on.
  struct Part {
    size_t degree, first, count;
  };

  // The state of before goes into the lines, and the new input.
  void push(T* state, const T* input) const {
    const size_t size = within_->featureSize();
    T* const present = state + featuresAt_;
    T* const seen = present + size;
    T* const old = seen + lines_.inputs * inputs();
    if (lines_.inputs > 0) {
      std::memmove(seen + inputs(), seen, (lines_.inputs - 1) * inputs() * sizeof(T));
      std::memcpy(seen, input, inputs() * sizeof(T));
    }
    if (lines_.features > 0) {
      std::memmove(old + size, old, (lines_.features - 1) * size * sizeof(T));
      std::memcpy(old, present, size * sizeof(T));
    }
  }

  // What the new state shows.
  void look(const T* input, const uint8_t* gates, T* state, StepScratch<T>& scratch) const {
    if (!within_->showsState()) within_->features(state, state + featuresAt_);
    if (order_ > 0) scratch.expansion->evaluate(input, gates, state, state + featuresAt_ + rows_);
  }

  Shared<Network<T>> within_;
  Lines lines_;
  int order_;
  size_t trees_;
  size_t featuresAt_;
  size_t rows_;  // elements before the differentials
  size_t elements_;
  std::vector<Part> parts_;
  std::vector<uint32_t> factors_;
  size_t size_ = 0;
};

extern template class Featured<float>;
extern template class Featured<double>;

}  // namespace dtesn
