// StreamTable32 and StreamTable64: new StreamTable(network, states, queue, heads, counts, ready, gates | null): the
// memory of streams (network/streams.h), read and checked once.
//
//   step(ready)   one step for the first so many streams of the list -> how many are ready now
//   stepAsync(ready, control)                                 -> Promise of the same
//   runAsync(streams, rows, series, reading, out, control)    -> Promise of 0 (network/stream_runs.h); streams and rows
//                 i32, one a stream; series and out: the rows of all, one after the other; reading: how many of the
//                 first features are kept of each step, or a LinearReadout
//   close()       lets go of the network and the memory, after the call under way
//
// The views must lie on shared memory (TypeScript checks), which is never detached nor shrunk.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/linear_readout_object.h"
#include "addon/network_object.h"
#include "network/stream_runs.h"
#include "network/streams.h"
#include "readout/readout_reading.h"

namespace dtesn::addon {

template <class T>
class StreamTableObject final : public Napi::ObjectWrap<StreamTableObject<T>> {
 public:
  static Napi::Function define(Napi::Env env, const char* name) {
    using Self = StreamTableObject<T>;
    return Self::DefineClass(
        env, name,
        {Self::InstanceMethod("step", &Self::step), Self::InstanceMethod("stepAsync", &Self::stepAsync),
         Self::InstanceMethod("runAsync", &Self::runAsync), Self::InstanceMethod("close", &Self::close)});
  }

  explicit StreamTableObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<StreamTableObject<T>>(info) {
    const Napi::Env env = info.Env();
    const NetworkObject<T>& owner = NetworkObject<T>::from(info[0]);
    const Network<T>& network = *owner.shared(env);
    table_.counts = view<int32_t>(info[4], "counts");
    const size_t capacity = table_.counts.size;
    table_.states = view<T>(info[1], "states", capacity * network.stateSize());
    table_.queue = view<T>(info[2], "queue");
    table_.heads = view<int32_t>(info[3], "heads", capacity);
    table_.ready = view<int32_t>(info[5], "ready", capacity);
    table_.gates = owner.readGates(info[6]);
    if (capacity == 0 || table_.queue.size == 0 || table_.queue.size % (capacity * network.inputs()) != 0) {
      failShape(env, "Expected a queue with a multiple of " + std::to_string(capacity * network.inputs()) +
                         " elements (streams x inputs), above 0," + butReceived(table_.queue.size));
    }
    table_.ring = table_.queue.size / capacity / network.inputs();
    checkApart(env);
    owner_ = &owner;
    held_ = Napi::Persistent(Napi::Object(Napi::Array::New(env)));
    for (uint32_t i = 0; i < 7; ++i) held_.Set(i, info[i]);
  }

 private:
  class Stepping final : public LongWork {
   public:
    Stepping(StreamTableObject& table, Shared<Network<T>> network, size_t parts, const Control& control,
             Pending pending)
        : owner_(table), network_(std::move(network)), parts_(parts), control_(control), pending_(std::move(pending)) {}
    Napi::Promise promise() const { return pending_.promise(); }
    size_t parts() const override { return parts_; }
    void work(size_t part) override { owner_.stepper_.work(*network_, owner_.table_, part, control_); }
    void settle(Napi::Env env, const Failure& failure) override {
      const size_t left = owner_.stepper_.finish(owner_.table_);
      owner_.unclaim();
      pending_.settle(env, failure, static_cast<double>(left));
    }
    void abandon() override { pending_.abandon(); }

   private:
    StreamTableObject& owner_;  // alive: pending_ holds its object
    Shared<Network<T>> network_;
    size_t parts_;
    Control control_;
    Pending pending_;
  };

  class Running final : public LongWork {
   public:
    Running(StreamTableObject& table, Shared<Network<T>> network, std::unique_ptr<Reading<T>> reading, size_t parts,
            const Control& control, Pending pending)
        : owner_(table),
          network_(std::move(network)),
          reading_(std::move(reading)),
          parts_(parts),
          control_(control),
          pending_(std::move(pending)) {}
    Napi::Promise promise() const { return pending_.promise(); }
    size_t parts() const override { return parts_; }
    void work(size_t part) override { owner_.runs_.work(*network_, owner_.table_.gates, *reading_, part, control_); }
    void settle(Napi::Env env, const Failure& failure) override {
      owner_.unclaim();
      pending_.settle(env, failure, 0);
    }
    void abandon() override { pending_.abandon(); }

   private:
    StreamTableObject& owner_;  // alive: pending_ holds its object
    Shared<Network<T>> network_;
    std::unique_ptr<Reading<T>> reading_;
    size_t parts_;
    Control control_;
    Pending pending_;
  };

  void checkApart(Napi::Env env) const {
    Ranges ranges;
    ranges.writes(table_.states.data, table_.states.size, "states");
    ranges.reads(table_.queue.data, table_.queue.size, "queue");
    ranges.writes(table_.heads.data, table_.heads.size, "heads");
    ranges.writes(table_.counts.data, table_.counts.size, "counts");
    ranges.writes(table_.ready.data, table_.ready.size, "ready");
    ranges.checkApart(env);
  }

  const Shared<Network<T>>& checked(Napi::Env env) const {
    occupancy_.check(env, "table of streams");
    return owner_->shared(env);
  }

  size_t readReady(const Napi::Value& value) const {
    const size_t ready = count(value, "ready");
    if (ready > table_.ready.size) {
      failShape(value.Env(), "Expected a whole number from 0 to " + std::to_string(table_.ready.size) +
                                 " (streams of the table) for ready" + butReceived(ready));
    }
    return ready;
  }

  Napi::Value step(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Network<T>& network = *checked(env);
    const size_t ready = readReady(info[0]);
    return guarded(env, [&] {
      return Napi::Number::New(env,
                               static_cast<double>(stepper_.step(network, table_, ready, environment(env).pool())));
    });
  }

  // Begins the work, this object busy until it is settled.
  template <class Work>
  Napi::Value start(Napi::Env env, std::unique_ptr<Work> work) {
    const Napi::Promise promise = work->promise();
    if (work->parts() == 0) {
      work->settle(env, Failure());
      return promise;
    }
    environment(env).run(env, std::move(work));
    occupancy_.claim();
    return promise;
  }

  Napi::Value stepAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Shared<Network<T>>& network = checked(env);
    const size_t ready = readReady(info[0]);
    const Control control = controlOf(info[1]);
    return guarded(env, [&] {
      const size_t parts = stepper_.begin(*network, table_, ready, environment(env).threads());
      Pending pending(env, {info.This(), held_.Value(), info[1]});
      return start(env, std::make_unique<Stepping>(*this, network, parts, control, std::move(pending)));
    });
  }

  std::unique_ptr<Reading<T>> readReading(const Network<T>& network, const Napi::Value& value) const {
    if (value.IsNumber()) {
      const size_t features = count(value, "features");
      if (features > network.featureSize()) {
        failShape(value.Env(), "Expected at most " + std::to_string(network.featureSize()) +
                                   " features (of the network)" + butReceived(features));
      }
      return std::make_unique<FirstFeatures<T>>(features);
    }
    const LinearReadout& readout = LinearReadoutObject::from(value).readout();
    const ReadoutShape& shape = readout.shape();
    if (shape.states != network.featureSize() || (shape.inputs != 0 && shape.inputs != network.inputs())) {
      failShape(value.Env(), "Expected a readout of the features and the inputs of the network of the streams");
    }
    return std::make_unique<ReadoutReading<T>>(readout);
  }

  std::vector<StreamRun<T>> readRuns(const Napi::CallbackInfo& info, const Network<T>& network, size_t outputs) const {
    const Napi::Env env = info.Env();
    const Span<int32_t> streams = view<int32_t>(info[0], "streams");
    const Span<int32_t> rows = view<int32_t>(info[1], "rows", streams.size);
    const Span<T> series = view<T>(info[2], "series");
    const size_t size = network.stateSize(), inputs = network.inputs();
    Ranges ranges;
    std::vector<StreamRun<T>> runs(streams.size);
    size_t row = 0;
    for (size_t i = 0; i < runs.size(); ++i) {
      const auto stream = static_cast<size_t>(static_cast<uint32_t>(streams[i]));
      if (stream >= table_.counts.size || rows[i] < 0)
        failShape(env, "Expected streams of the table, and 0 rows or more");
      runs[i].steps = static_cast<size_t>(rows[i]);
      runs[i].state = table_.states.data + stream * size;
      if (row + runs[i].steps > series.size / inputs) failShape(env, "Expected series with the rows of all streams");
      runs[i].series = series.data + row * inputs;
      row += runs[i].steps;
      ranges.writes(runs[i].state, size, "the states of streams");
    }
    view<T>(info[2], "series", row * inputs);
    double* out = view<double>(info[4], "out", row * outputs).data;
    ranges.reads(series.data, series.size, "series");
    ranges.writes(out, row * outputs, "out");
    ranges.checkApart(env);
    for (StreamRun<T>& run : runs) {
      run.out = out;
      out += run.steps * outputs;
    }
    return runs;
  }

  Napi::Value runAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Shared<Network<T>>& network = checked(env);
    Control control = controlOf(info[5]);
    control.setStepBytes(network->bytes());
    return guarded(env, [&] {
      auto reading = readReading(*network, info[3]);
      std::vector<StreamRun<T>> runs = readRuns(info, *network, reading->outputs());
      const size_t parts = runs_.begin(*network, std::move(runs), environment(env).threads());
      Pending pending(env, {info.This(), held_.Value(), info[2], info[3], info[4], info[5]});
      return start(env,
                   std::make_unique<Running>(*this, network, std::move(reading), parts, control, std::move(pending)));
    });
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    if (occupancy_.close()) letGo();
    return info.Env().Undefined();
  }

  void unclaim() {
    if (occupancy_.unclaim()) letGo();
  }

  void letGo() {
    owner_ = nullptr;
    held_.Reset();
    stepper_ = StreamStepper<T>();
    runs_ = StreamRuns<T>();
  }

  const NetworkObject<T>* owner_ = nullptr;  // alive: held_ has its object
  StreamTable<T> table_ = {};
  StreamStepper<T> stepper_;
  StreamRuns<T> runs_;
  Occupancy occupancy_;
  Napi::ObjectReference held_;
};

}  // namespace dtesn::addon
