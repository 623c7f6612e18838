// B-series of the flow of a network, off the JavaScript thread: the elementary differentials at many states, and the
// Taylor coefficients they sum to.
#pragma once

#include <napi.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "addon/environment.h"
#include "addon/network_spec.h"
#include "addon/pending.h"
#include "bseries/differentials.h"
#include "network/expansion.h"
#include "network/network.h"

namespace dtesn::addon {

template <class T>
class ExpansionWork final : public LongWork {
 public:
  // Copies of what is read, which may change meanwhile, and views of what is written.
  struct Item {
    std::vector<T> input, state;
    std::vector<uint8_t> gates;  // empty: all open
    Span<T> differentials, taylor;
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
    const size_t units = network_->stateSize();
    Expansion<T> expansion(*network_->flow(), units, order_);
    const TreeTable table = treeTable(order_);
    for (size_t i = part; i < items_.size(); i += parts_) {
      Item& item = items_[i];
      const uint8_t* const gates = item.gates.empty() ? nullptr : item.gates.data();
      expansion.evaluate(item.input.data(), gates, item.state.data(), item.differentials.data);
      taylorCoefficients(table, units, constant(item.differentials), item.taylor);
    }
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
