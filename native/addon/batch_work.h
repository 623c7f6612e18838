// The series of a batch, run off the JavaScript thread, and the B-series of the last state of each.
#pragma once

#include <napi.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "addon/environment.h"
#include "addon/expansion_work.h"
#include "addon/pending.h"
#include "addon/state_object.h"
#include "network/batch.h"
#include "network/control.h"

namespace dtesn::addon {

template <class T>
struct BatchParts {
  std::vector<Run<T>> runs;
  std::vector<StateObject<T>*> states;
  // Of the last state of each run, to this order; empty where none is wanted.
  std::vector<ExpansionItem<T>> expansions;
  int order = 0;
};

// Its promise resolves to the milliseconds of the expansions.
template <class T>
class BatchWork final : public LongWork {
 public:
  BatchWork(Shared<Network<T>> network, BatchParts<T> batch, size_t threads, const Control& control, Pending pending)
      : network_(std::move(network)),
        states_(std::move(batch.states)),
        expansions_(std::move(batch.expansions)),
        order_(batch.order),
        threads_(threads),
        groups_(groupsOf(*network_, std::move(batch.runs), threads)),
        expandMs_(parts()),
        control_(control),
        pending_(std::move(pending)) {
    for (const Group<T>& group : groups_) scratches_.push_back(network_->scratch(std::min(group.size(), kGroupSeries)));
  }

  Napi::Promise promise() const { return pending_.promise(); }
  // As many as may run at the same time.
  size_t parts() const override { return std::min(groups_.size(), threads_); }

  void work(size_t part) override {
    for (size_t group = part; group < groups_.size(); group += parts()) {
      groups_[group].run(scratches_[group], control_);
      if (!expansions_.empty()) expand(groups_[group], part);
    }
  }

  void settle(Napi::Env env, const Failure& failure) override {
    for (StateObject<T>* state : states_) state->unclaim();
    const auto longest = std::max_element(expandMs_.begin(), expandMs_.end());
    pending_.settle(env, failure, longest == expandMs_.end() ? 0 : *longest);
  }

  void abandon() override { pending_.abandon(); }

 private:
  void expand(const Group<T>& group, size_t part) {
    const auto begin = std::chrono::steady_clock::now();
    Expander<T> expander(*network_, order_);
    for (const Run<T>& run : group.members()) {
      if (!control_.report(0)) return;
      expander.expand(expansions_[run.place]);
    }
    expandMs_[part] += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  }

  Shared<Network<T>> network_;
  std::vector<StateObject<T>*> states_;
  std::vector<ExpansionItem<T>> expansions_;
  int order_;
  size_t threads_;
  std::vector<Group<T>> groups_;
  std::vector<double> expandMs_;  // of each part
  std::vector<StepScratch<T>> scratches_;
  Control control_;
  Pending pending_;
};

}  // namespace dtesn::addon
