// B-series of the flow of a network, off the JavaScript thread: the elementary differentials at many states, and the
// Taylor coefficients they sum to.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "addon/environment.h"
#include "addon/network_spec.h"
#include "addon/pending.h"
#include "bseries/differentials.h"
#include "network/expansion.h"
#include "network/network.h"
#include "simd/kernels.h"

namespace dtesn::addon {

// A state, the input that drives it, and where its B-series goes.
template <class T>
struct ExpansionItem {
  const T* input;
  const T* state;
  const uint8_t* gates;           // null: all open
  Span<T> differentials, taylor;  // trees x units, order x units
  Span<double> squares;           // Σ of the squares of each row of the one and of the other: trees + order
};

// One thread's.
template <class T>
class Expander {
 public:
  Expander(const Network<T>& network, int order)
      : units_(network.stateSize()), table_(treeTable(order)), expansion_(*network.flow(), units_, order) {}

  void expand(const ExpansionItem<T>& item) {
    expansion_.evaluate(item.input, item.gates, item.state, item.differentials.data);
    taylorCoefficients(table_, units_, constant(item.differentials), item.taylor);
    double* out = squaresOf(item.differentials, item.squares.data);
    squaresOf(item.taylor, out);
  }

 private:
  // Returns the end of what it wrote.
  double* squaresOf(Span<T> rows, double* out) const {
    for (const T* row = rows.data; row != rows.data + rows.size; row += units_) {
      *out++ = kernels<T>().squares(row, units_);
    }
    return out;
  }

  size_t units_;
  TreeTable table_;
  Expansion<T> expansion_;
};

template <class T>
class ExpansionWork final : public LongWork {
 public:
  // Copies of what is read, which may change meanwhile, and views of what is written.
  struct Item {
    std::vector<T> input, state;
    std::vector<uint8_t> gates;
    ExpansionItem<T> views;

    void take(const ExpansionItem<T>& given, const Network<T>& network) {
      views = given;
      input.assign(given.input, given.input + network.inputs());
      state.assign(given.state, given.state + network.stateSize());
      if (given.gates != nullptr) gates.assign(given.gates, given.gates + network.gateCount());
      views.input = input.data();
      views.state = state.data();
      if (given.gates != nullptr) views.gates = gates.data();
    }
  };

  ExpansionWork(Shared<Network<T>> network, int order, std::vector<Item> items, size_t threads, Pending pending)
      : network_(std::move(network)),
        order_(order),
        items_(std::move(items)),
        parts_(std::min(threads, items_.size())),
        pending_(std::move(pending)) {}

  Napi::Promise promise() const { return pending_.promise(); }
  size_t parts() const override { return parts_; }

  void work(size_t part) override {
    Expander<T> expander(*network_, order_);
    for (size_t i = part; i < items_.size(); i += parts_) expander.expand(items_[i].views);
  }

  void settle(Napi::Env env, const Failure& failure) override {
    pending_.settle(env, failure, static_cast<double>(items_.size()));
  }
  void abandon() override { pending_.abandon(); }

 private:
  Shared<Network<T>> network_;
  int order_;
  std::vector<Item> items_;
  size_t parts_;
  Pending pending_;
};

}  // namespace dtesn::addon
