// What Reservoir and DeepTree objects share: a state bound once, whole series in one call, on or off the JS thread.
//
//   run(series, out | null)                 -> steps done
//   runAsync(series, out | null, control)   -> Promise of steps done; control is an Int32Array [cancel, progress]
//   runMany(series[], outs[] | null, states)  states: one row of units a series, in place
//   stepStreams(states, queue, heads, counts, ready, count)   -> streams ready now (reservoir/streams.h)
//
// The views of an asynchronous run must lie on shared memory (TypeScript checks): nobody can detach them meanwhile.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "addon/environment.h"
#include "addon/view.h"
#include "reservoir/batch.h"
#include "reservoir/control.h"
#include "reservoir/streams.h"

namespace dtesn::addon {

template <class Self, class T>
class Runnable : public Napi::ObjectWrap<Self> {
 public:
  explicit Runnable(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Self>(info) {}

  Napi::Value run(const Napi::CallbackInfo& info) {
    checkIdle(info.Env());
    const Job job = read(info[0], info[1]);
    return Napi::Number::New(info.Env(), static_cast<double>(execute(job.series, job.steps, job.out, Control())));
  }

  Napi::Value runAsync(const Napi::CallbackInfo& info) {
    checkIdle(info.Env());
    const Job job = read(info[0], info[1]);
    const Span<int32_t> control = view<int32_t>(info[2], "control", 2);
    auto* worker = new Worker(info, *this, job, Control(control.data));
    busy_ = true;
    const Napi::Promise promise = worker->promise();
    worker->Queue();
    return promise;
  }

  Napi::Value runMany(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsArray()) failArgument(env, "Expected an array for series");
    const Napi::Array list = info[0].As<Napi::Array>();
    const bool keeps = info[1].IsArray();
    const Span<T> states = view<T>(info[2], "states", list.Length() * units());
    return guarded(env, [&] {
      std::vector<Sequence<T>> sequences;
      for (uint32_t s = 0; s < list.Length(); ++s) {
        const Job job = read(list.Get(s), keeps ? info[1].As<Napi::Array>().Get(s) : env.Null());
        sequences.push_back({job.series, job.steps, states.data + s * units(), job.out});
      }
      if (!batch_) batch_ = std::make_unique<BatchRunner<T>>(network());
      batch_->run(sequences, environment(env).pool());
      return env.Undefined();
    });
  }

  Napi::Value stepStreams(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    StreamTable<T> table;
    table.counts = view<int32_t>(info[3], "counts");
    const size_t capacity = table.counts.size;
    table.states = view<T>(info[0], "states", capacity * units());
    table.queue = view<T>(info[1], "queue");
    table.heads = view<int32_t>(info[2], "heads", capacity);
    table.ready = view<int32_t>(info[4], "ready", capacity);
    const size_t ready = count(info[5], "count");
    if (capacity == 0 || ready > capacity || table.queue.size % (capacity * inputs()) != 0) {
      failShape(env, "Expected at most as many ready streams as the table has, and a queue of whole rings");
    }
    table.ring = table.queue.size / capacity / inputs();
    return guarded(env, [&] {
      if (!stepper_) stepper_ = std::make_unique<StreamStepper<T>>(network());
      return Napi::Number::New(env, static_cast<double>(stepper_->step(table, ready, environment(env).pool())));
    });
  }

 protected:
  struct Job {
    const T* series;
    size_t steps;
    T* out;
  };

  virtual const Network<T>& network() const = 0;
  size_t inputs() const { return network().inputs(); }
  size_t units() const { return network().units(); }
  virtual size_t execute(const T* series, size_t steps, T* out, const Control& control) = 0;

  void checkIdle(Napi::Env env) const {
    if (busy_)
      fail<Napi::Error>(env, "ERR_DTESN_BUSY", "Expected an idle object but a runAsync is under way: await it");
  }

 private:
  Job read(const Napi::Value& seriesValue, const Napi::Value& outValue) const {
    const Span<T> series = view<T>(seriesValue, "series");
    if (series.size % inputs() != 0) {
      failShape(seriesValue.Env(), "Expected series with " + std::to_string(inputs()) + " features but received " +
                                       std::to_string(series.size) + " elements");
    }
    const size_t steps = series.size / inputs();
    return {series.data, steps, optionalView<T>(outValue, "out", steps * units()).data};
  }

  class Worker final : public Napi::AsyncWorker {
   public:
    Worker(const Napi::CallbackInfo& info, Runnable& owner, const Job& job, const Control& control)
        : Napi::AsyncWorker(info.Env(), "dtesn.run"),
          deferred_(Napi::Promise::Deferred::New(info.Env())),
          held_(Napi::Persistent(Napi::Object::New(info.Env()))),
          owner_(owner),
          job_(job),
          control_(control) {
      held_.Set("owner", info.This());
      for (uint32_t i = 0; i < 3; ++i) held_.Set(i, info[i]);
    }
    Napi::Promise promise() const { return deferred_.Promise(); }
    void Execute() override { done_ = owner_.execute(job_.series, job_.steps, job_.out, control_); }
    void OnOK() override {
      owner_.busy_ = false;
      deferred_.Resolve(Napi::Number::New(Env(), static_cast<double>(done_)));
    }
    void OnError(const Napi::Error& error) override {
      owner_.busy_ = false;
      deferred_.Reject(error.Value());
    }

   private:
    Napi::Promise::Deferred deferred_;
    Napi::ObjectReference held_;  // the object itself and every view it works on, until the end
    Runnable& owner_;
    Job job_;
    Control control_;
    size_t done_ = 0;
  };

  bool busy_ = false;
  std::unique_ptr<BatchRunner<T>> batch_;
  std::unique_ptr<StreamStepper<T>> stepper_;
};

}  // namespace dtesn::addon
