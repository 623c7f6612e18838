// Forecaster32 and Forecaster64: new Forecaster(network, readout): both in closed loop (readout/forecast.h).
//
//   run(state, last, out, given)                       -> steps done; last: outputs, out: steps x outputs
//   runAsync(state, last, out, given, control)         -> Promise of steps done
//   runMany(states, gates | null, last, out, done, given)
//                                                      states: State objects, or stateSize elements a start, in place;
//                                                      last: starts x outputs, out: starts x steps x outputs, done: one
//                                                      a start, all f64
//   runManyAsync(the same, control, threads)
//
// given: the inputs beyond the outputs, steps x (inputs - outputs) in the dtype of the states, the same for all starts;
// null where the outputs are all inputs.
//
// The views of an asynchronous call must lie on shared memory (TypeScript checks): it cannot be detached meanwhile.
#pragma once

#include <napi.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "addon/environment.h"
#include "addon/linear_readout_object.h"
#include "addon/network_object.h"
#include "addon/task.h"
#include "readout/forecast.h"

namespace dtesn::addon {

template <class T>
class ForecasterObject final : public Napi::ObjectWrap<ForecasterObject<T>> {
 public:
  static Napi::Function define(Napi::Env env, const char* name) {
    using Self = ForecasterObject<T>;
    return Self::DefineClass(
        env, name,
        {Self::InstanceMethod("run", &Self::run), Self::InstanceMethod("runAsync", &Self::runAsync),
         Self::InstanceMethod("runMany", &Self::runMany), Self::InstanceMethod("runManyAsync", &Self::runManyAsync)});
  }

  explicit ForecasterObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ForecasterObject<T>>(info) {
    const Napi::Env env = info.Env();
    const NetworkObject<T>& owner = NetworkObject<T>::from(info[0]);
    const LinearReadout& readout = LinearReadoutObject::from(info[1]).readout();
    const Network<T>& network = *owner.shared(env);
    const ReadoutShape& shape = readout.shape();
    if (shape.states != network.featureSize() || shape.outputs > network.inputs() ||
        (shape.inputs != 0 && shape.inputs != network.inputs())) {
      failShape(env, "Expected a readout of " + std::to_string(network.featureSize()) + " states, 0 or " +
                         std::to_string(network.inputs()) + " inputs and up to " + std::to_string(network.inputs()) +
                         " outputs (those of the network) but received " + std::to_string(shape.states) + ", " +
                         std::to_string(shape.inputs) + " and " + std::to_string(shape.outputs));
    }
    owner_ = &owner;
    readout_ = &readout;
    held_ = Napi::Persistent(Napi::Object(Napi::Array::New(env)));
    held_.Set(0u, info[0]);
    held_.Set(1u, info[1]);
  }

 private:
  struct Many {
    std::vector<Forecast<T>> forecasts;
    std::vector<StateObject<T>*> states;
    size_t steps = 0;
  };

  class One final : public LongWork {
   public:
    One(const ForecasterObject& owner, StateObject<T>& state, const Forecast<T>& forecast, size_t steps,
        const Control& control, Pending pending)
        : network_(owner.owner_->shared(owner.Env())),
          readout_(*owner.readout_),
          state_(state),
          forecast_(forecast),
          steps_(steps),
          control_(control),
          scratch_(network_->scratch(1)),
          pending_(std::move(pending)) {}
    Napi::Promise promise() const { return pending_.promise(); }
    size_t parts() const override { return 1; }
    void work(size_t) override { done_ = forecastOne(*network_, readout_, forecast_, steps_, scratch_, control_); }
    void settle(Napi::Env env, const Failure& failure) override {
      state_.unclaim();
      pending_.settle(env, failure, static_cast<double>(done_));
    }
    void abandon() override { pending_.abandon(); }

   private:
    Shared<Network<T>> network_;
    const LinearReadout& readout_;  // this and the state: alive, pending_ holds their objects
    StateObject<T>& state_;
    Forecast<T> forecast_;
    size_t steps_;
    Control control_;
    StepScratch<T> scratch_;
    Pending pending_;
    size_t done_ = 0;
  };

  class Several final : public LongWork {
   public:
    Several(const ForecasterObject& owner, Many many, size_t threads, const Control& control, Pending pending)
        : network_(owner.owner_->shared(owner.Env())),
          states_(std::move(many.states)),
          steps_(many.steps),
          threads_(threads),
          groups_(forecastGroups(*network_, *owner.readout_, many.forecasts, threads)),
          control_(control),
          pending_(std::move(pending)) {
      for (const ForecastGroup<T>& group : groups_) scratches_.push_back(network_->scratch(group.size()));
    }
    Napi::Promise promise() const { return pending_.promise(); }
    // As many as may run at the same time.
    size_t parts() const override { return std::min(groups_.size(), threads_); }
    void work(size_t part) override {
      for (size_t group = part; group < groups_.size(); group += parts()) {
        groups_[group].run(steps_, scratches_[group], control_);
      }
    }
    void settle(Napi::Env env, const Failure& failure) override {
      for (StateObject<T>* state : states_) state->unclaim();
      pending_.settle(env, failure, 0);
    }
    void abandon() override { pending_.abandon(); }

   private:
    Shared<Network<T>> network_;
    std::vector<StateObject<T>*> states_;
    size_t steps_, threads_;
    std::vector<ForecastGroup<T>> groups_;
    std::vector<StepScratch<T>> scratches_;
    Control control_;
    Pending pending_;
  };

  size_t outputs() const { return readout_->shape().outputs; }

  StateObject<T>& usable(const Napi::Value& value) const {
    StateObject<T>& state = StateObject<T>::from(value);
    state.checkUsable(value.Env());
    if (state.network() != owner_->shared(value.Env()).get()) {
      failArgument(value.Env(),
                   "Expected a state of the network of this forecaster but received one of another network");
    }
    return state;
  }

  Control stepControl(const Napi::Value& words) const {
    Control control = controlOf(words);
    control.setStepBytes(owner_->shared(words.Env())->bytes());
    return control;
  }

  const T* readGiven(const Napi::Value& value, size_t steps) const {
    const size_t beyond = owner_->shared(value.Env())->inputs() - outputs();
    return beyond == 0 ? nullptr : view<T>(value, "inputs", steps * beyond).data;
  }

  std::pair<Forecast<T>, size_t> readOne(const Napi::CallbackInfo& info, const StateObject<T>& state) const {
    const Span<double> last = view<double>(info[1], "last", outputs());
    const Span<double> out = view<double>(info[2], "out");
    if (out.size % outputs() != 0) {
      failShape(info.Env(), "Expected out with a multiple of " + std::to_string(outputs()) + " elements (outputs)" +
                                butReceived(out.size));
    }
    const T* const given = readGiven(info[3], out.size / outputs());
    Ranges ranges;
    ranges.writes(state.data(), owner_->shared(info.Env())->stateSize(), "state");
    ranges.writes(last.data, last.size, "last");
    ranges.writes(out.data, out.size, "out");
    ranges.checkApart(info.Env());
    return {{state.data(), state.gates(), last.data, out.data, nullptr, given}, out.size / outputs()};
  }

  Napi::Value run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    StateObject<T>& state = usable(info[0]);
    const auto [forecast, steps] = readOne(info, state);
    const Network<T>& network = *owner_->shared(env);
    return guarded(env, [&, &forecast = forecast, &steps = steps] {
      const size_t done = forecastOne(network, *readout_, forecast, steps, state.scratch(), Control());
      return Napi::Number::New(env, static_cast<double>(done));
    });
  }

  Napi::Value runAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    StateObject<T>& state = usable(info[0]);
    const auto [forecast, steps] = readOne(info, state);
    const Control control = stepControl(info[4]);
    return guarded(env, [&, &forecast = forecast, &steps = steps]() -> Napi::Value {
      Pending pending(env, {info.This(), info[0], state.views(), info[1], info[2], info[3], info[4]});
      auto work = std::make_unique<One>(*this, state, forecast, steps, control, std::move(pending));
      const Napi::Promise promise = work->promise();
      environment(env).run(env, std::move(work));
      state.claim();
      return promise;
    });
  }

  Many readMany(const Napi::CallbackInfo& info) const {
    const Napi::Env env = info.Env();
    const size_t size = owner_->shared(env)->stateSize();
    const Span<double> last = view<double>(info[2], "last");
    const size_t starts = last.size / outputs();
    if (last.size % outputs() != 0) {
      failShape(env, "Expected last with a multiple of " + std::to_string(outputs()) + " elements (outputs)" +
                         butReceived(last.size));
    }
    const Span<double> out = view<double>(info[3], "out");
    if (starts == 0 ? out.size != 0 : out.size % last.size != 0) {
      failShape(env, "Expected out with a multiple of " + std::to_string(last.size) + " elements (starts x outputs)" +
                         butReceived(out.size));
    }
    const Span<double> done = view<double>(info[4], "done", starts);
    const bool hasStates = info[0].IsArray();
    const Span<T> rows = hasStates ? Span<T>() : view<T>(info[0], "states", starts * size);
    const uint8_t* const gates = owner_->readGates(info[1]);
    Many many;
    many.steps = starts == 0 ? 0 : out.size / last.size;
    const T* const given = readGiven(info[5], many.steps);
    Ranges ranges;
    ranges.writes(last.data, last.size, "last");
    ranges.writes(out.data, out.size, "out");
    ranges.writes(done.data, done.size, "done");
    for (size_t s = 0; s < starts; ++s) {
      Forecast<T> forecast = {
          rows.data + s * size, gates, last.data + s * outputs(), out.data + s * many.steps * outputs(),
          done.data + s,        given};
      if (hasStates) {
        StateObject<T>& state = usable(info[0].As<Napi::Array>().Get(static_cast<uint32_t>(s)));
        forecast.state = state.data();
        forecast.gates = state.gates();
        many.states.push_back(&state);
      }
      ranges.writes(forecast.state, size, "states");
      many.forecasts.push_back(forecast);
    }
    ranges.checkApart(env);
    return many;
  }

  Napi::Value runMany(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    guarded(env, [&] {
      const Many many = readMany(info);
      const Network<T>& network = *owner_->shared(env);
      ThreadPool& pool = environment(env).pool();
      std::vector<ForecastGroup<T>> groups = forecastGroups(network, *readout_, many.forecasts, pool.size());
      std::vector<StepScratch<T>> scratches;
      for (const ForecastGroup<T>& group : groups) scratches.push_back(network.scratch(group.size()));
      pool.run(groups.size(), [&](size_t part, size_t) { groups[part].run(many.steps, scratches[part], Control()); });
    });
    return env.Undefined();
  }

  Napi::Value runManyAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      Many many = readMany(info);
      const std::vector<StateObject<T>*> states = many.states;
      const Control control = stepControl(info[6]);
      Pending pending(env, {info.This(), copied(info[0]), info[1], info[2], info[3], info[4], info[5], info[6]});
      const size_t most = environment(env).threads();
      const size_t threads =
          info[7].IsUndefined() ? most : std::min(most, std::max<size_t>(1, count(info[7], "threads")));
      auto work = std::make_unique<Several>(*this, std::move(many), threads, control, std::move(pending));
      const Napi::Promise promise = work->promise();
      if (work->parts() == 0) {
        work->settle(env, Failure());
        return promise;
      }
      environment(env).run(env, std::move(work));
      for (StateObject<T>* state : states) state->claim();
      return promise;
    });
  }

  const NetworkObject<T>* owner_ = nullptr;  // alive, as the readout: held_ has their objects
  const LinearReadout* readout_ = nullptr;
  Napi::ObjectReference held_;
};

}  // namespace dtesn::addon
