// State32 and State64: new State(network, data, gates | null).
//
//   run(series, out | null, sum | null, magnitude | null)                    -> steps done
//   runAsync(series, out | null, sum | null, magnitude | null, control)      -> Promise of steps done; control is an
//                                                                               Int32Array [cancel, progress]
//   close()                                                                  lets go of the network and the views
//
// The views of an asynchronous run must lie on shared memory (TypeScript checks): it cannot be detached meanwhile.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "addon/environment.h"
#include "addon/pending.h"
#include "addon/ranges.h"
#include "addon/task.h"
#include "addon/view.h"
#include "network/batch.h"
#include "network/network.h"

namespace dtesn::addon {

template <class T>
class NetworkObject;

// The caller may change its array while the run holds what is in it.
inline Napi::Value copied(const Napi::Value& list) {
  if (!list.IsArray()) return list;
  const Napi::Array from = list.As<Napi::Array>();
  Napi::Array copy = Napi::Array::New(list.Env(), from.Length());
  for (uint32_t i = 0; i < from.Length(); ++i) copy.Set(i, from.Get(i));
  return copy;
}

template <class T>
class StateObject final : public Napi::ObjectWrap<StateObject<T>> {
 public:
  static napi_type_tag tag() { return {0x9c1f5d0f2a7b4e61ull + sizeof(T), libraryIdentity()}; }

  static Napi::Function define(Napi::Env env, const char* name) {
    using Self = StateObject<T>;
    return Self::DefineClass(
        env, name,
        {Self::InstanceMethod("run", &Self::run), Self::InstanceMethod("runAsync", &Self::runAsync),
         Self::InstanceMethod("close", &Self::close)});
  }

  explicit StateObject(const Napi::CallbackInfo& info);

  static StateObject& from(const Napi::Value& value) {
    const napi_type_tag own = tag();
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&own)) {
      failArgument(value.Env(), "Expected a state of this dtype that this addon made" + butReceived(value));
    }
    return *Napi::ObjectWrap<StateObject<T>>::Unwrap(value.As<Napi::Object>());
  }

  const Network<T>* network() const { return network_.get(); }
  const Shared<Network<T>>& shared() const { return network_; }
  // What must stay alive while other threads use data() and gates().
  Napi::Value views() const { return views_.Value(); }
  T* data() const { return data_; }
  const uint8_t* gates() const { return gates_; }
  // Kept from run to run.
  StepScratch<T>& scratch() {
    if (!scratch_) scratch_ = std::make_unique<StepScratch<T>>(network_->scratch(1));
    return *scratch_;
  }

  // One long run at a time: false where one is under way.
  bool claim() { return !std::exchange(busy_, true); }
  void unclaim() { busy_ = false; }

  void checkUsable(Napi::Env env) const {
    if (!network_) fail<Napi::Error>(env, "ERR_DTESN_CLOSED", "Expected an open state but it was closed");
    if (busy_) {
      fail<Napi::Error>(env, "ERR_DTESN_BUSY", "Expected an idle state but a runAsync is under way: await it first");
    }
  }

 private:
  class Long final : public LongWork {
   public:
    Long(StateObject& owner, const Run<T>& run, const Control& control, Pending pending)
        : owner_(owner),
          network_(owner.network_),
          run_(run),
          control_(control),
          scratch_(network_->scratch(1)),
          pending_(std::move(pending)) {}
    Napi::Promise promise() const { return pending_.promise(); }
    size_t parts() const override { return 1; }
    void work(size_t) override { done_ = network_->run(run_, scratch_, control_); }
    void settle(Napi::Env env, const Failure& failure) override {
      owner_.unclaim();
      pending_.settle(env, failure, static_cast<double>(done_));
    }
    void abandon() override { pending_.abandon(); }

   private:
    StateObject& owner_;  // alive: pending_ holds its object
    Shared<Network<T>> network_;
    Run<T> run_;
    Control control_;
    StepScratch<T> scratch_;
    Pending pending_;
    size_t done_ = 0;
  };

  Run<T> read(const Napi::CallbackInfo& info);

  Napi::Value run(const Napi::CallbackInfo& info) {
    checkUsable(info.Env());
    const Run<T> run = read(info);
    return guarded(info.Env(), [&] {
      return Napi::Number::New(info.Env(), static_cast<double>(network_->run(run, scratch(), Control())));
    });
  }

  Napi::Value runAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    checkUsable(env);
    const Run<T> run = read(info);
    Control control = controlOf(info[4]);
    control.setStepBytes(network_->bytes());
    return guarded(env, [&]() -> Napi::Value {
      Pending pending(env, {info.This(), views_.Value(), info[0], info[1], info[2], info[3], info[4]});
      auto work = std::make_unique<Long>(*this, run, control, std::move(pending));
      const Napi::Promise promise = work->promise();
      environment(env).run(env, std::move(work));
      claim();
      return promise;
    });
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    network_ = Shared<Network<T>>();
    scratch_.reset();
    views_.Reset();
    return info.Env().Undefined();
  }

  Shared<Network<T>> network_;
  T* data_ = nullptr;
  const uint8_t* gates_ = nullptr;
  std::unique_ptr<StepScratch<T>> scratch_;
  Ranges ranges_;
  Napi::ObjectReference views_;
  bool busy_ = false;  // of the JavaScript thread
};

// The series and what is kept of it, for a network; the ranges are those the run touches.
template <class T>
Run<T> readRun(const Network<T>& network, const Napi::Value& series, const Napi::Value& out, const Napi::Value& sum,
               const Napi::Value& magnitude, T* state, const uint8_t* gates, Ranges& ranges) {
  const Span<T> values = view<T>(series, "series");
  if (values.size % network.inputs() != 0) {
    failShape(series.Env(), "Expected series with " + std::to_string(network.inputs()) + " features but received " +
                                std::to_string(values.size) + " elements");
  }
  const size_t size = network.featureSize();
  Run<T> run;
  run.series = values.data;
  run.steps = values.size / network.inputs();
  run.state = state;
  run.gates = gates;
  const Span<T> rows = optionalView<T>(out, "out", run.steps * size);
  run.out = rows.data;
  const Span<double> sums = optionalView<double>(sum, "moments.sum", size);
  const Span<double> magnitudes = optionalView<double>(magnitude, "moments.magnitude", size);
  if ((sums.size == 0) != (magnitudes.size == 0)) {
    failArgument(series.Env(), "Expected both moments.sum and moments.magnitude, or neither");
  }
  run.sum = sums.data;
  run.magnitude = magnitudes.data;
  ranges.reads(values.data, values.size, "series");
  ranges.writes(rows.data, rows.size, "out");
  ranges.writes(state, network.stateSize(), "state");
  ranges.writes(sums.data, sums.size, "moments.sum");
  ranges.writes(magnitudes.data, magnitudes.size, "moments.magnitude");
  return run;
}

template <class T>
Run<T> StateObject<T>::read(const Napi::CallbackInfo& info) {
  ranges_.clear();
  // Asking for what was not given would cost as much as what was.
  const bool hasMoments = info.Length() > 2;
  const Napi::Value sum = hasMoments ? info[2] : Napi::Value(), magnitude = hasMoments ? info[3] : Napi::Value();
  const Run<T> run = readRun<T>(*network_, info[0], info[1], sum, magnitude, data_, gates_, ranges_);
  ranges_.checkApart(info.Env());
  return run;
}

}  // namespace dtesn::addon
