// What Reservoir and DeepTree objects share: a state bound once, whole series in one call, on or off the JS thread.
//
//   run(series, out | null)                 -> steps done
//   runAsync(series, out | null, control)   -> Promise of steps done; control is an Int32Array [cancel, progress]
//
// The views of an asynchronous run must lie on shared memory (TypeScript checks): nobody can detach them meanwhile.
#pragma once

#include <napi.h>

#include <string>

#include "addon/view.h"
#include "reservoir/control.h"

namespace dtesn::addon {

template <class Self, class T>
class Runnable : public Napi::ObjectWrap<Self> {
 public:
  explicit Runnable(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Self>(info) {}

  Napi::Value run(const Napi::CallbackInfo& info) {
    checkIdle(info.Env());
    const Job job = read(info);
    return Napi::Number::New(info.Env(), static_cast<double>(execute(job.series, job.steps, job.out, Control())));
  }

  Napi::Value runAsync(const Napi::CallbackInfo& info) {
    checkIdle(info.Env());
    const Job job = read(info);
    const Span<int32_t> control = view<int32_t>(info[2], "control", 2);
    auto* worker = new Worker(info, *this, job, Control(control.data));
    busy_ = true;
    const Napi::Promise promise = worker->promise();
    worker->Queue();
    return promise;
  }

 protected:
  struct Job {
    const T* series;
    size_t steps;
    T* out;
  };

  virtual size_t inputs() const = 0;
  virtual size_t units() const = 0;
  virtual size_t execute(const T* series, size_t steps, T* out, const Control& control) = 0;

  void checkIdle(Napi::Env env) const {
    if (busy_) fail<Napi::Error>(env, "ERR_DTESN_BUSY", "Expected an idle object but a runAsync is under way: await it");
  }

 private:
  Job read(const Napi::CallbackInfo& info) const {
    const Span<T> series = view<T>(info[0], "series");
    if (series.size % inputs() != 0) {
      failShape(info.Env(), "Expected series with " + std::to_string(inputs()) + " features but received " +
                                std::to_string(series.size) + " elements");
    }
    const size_t steps = series.size / inputs();
    return {series.data, steps, optionalView<T>(info[1], "out", steps * units()).data};
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
};

}  // namespace dtesn::addon
