// StreamTable32 and StreamTable64: new StreamTable(network, states, queue, heads, counts, ready, gates | null): the
// memory of streams (network/streams.h), read and checked once.
//
//   step(ready)   one step for the first so many streams of the list -> how many are ready now
//   close()       lets go of the network and the memory
//
// The views must lie on shared memory (TypeScript checks), which is never detached nor shrunk.
#pragma once

#include <napi.h>

#include "addon/network_object.h"
#include "network/streams.h"

namespace dtesn::addon {

template <class T>
class StreamTableObject final : public Napi::ObjectWrap<StreamTableObject<T>> {
 public:
  static Napi::Function define(Napi::Env env, const char* name) {
    using Self = StreamTableObject<T>;
    return Self::DefineClass(env, name,
                             {Self::InstanceMethod("step", &Self::step), Self::InstanceMethod("close", &Self::close)});
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
  void checkApart(Napi::Env env) const {
    Ranges ranges;
    ranges.writes(table_.states.data, table_.states.size, "states");
    ranges.reads(table_.queue.data, table_.queue.size, "queue");
    ranges.writes(table_.heads.data, table_.heads.size, "heads");
    ranges.writes(table_.counts.data, table_.counts.size, "counts");
    ranges.writes(table_.ready.data, table_.ready.size, "ready");
    ranges.checkApart(env);
  }

  Napi::Value step(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (owner_ == nullptr)
      fail<Napi::Error>(env, "ERR_DTESN_CLOSED", "Expected an open table of streams but it was closed");
    const Network<T>& network = *owner_->shared(env);
    const size_t ready = count(info[0], "ready");
    if (ready > table_.ready.size) {
      failShape(env, "Expected a whole number from 0 to " + std::to_string(table_.ready.size) +
                         " (streams of the table) for ready" + butReceived(ready));
    }
    return guarded(env, [&] {
      return Napi::Number::New(env,
                               static_cast<double>(stepper_.step(network, table_, ready, environment(env).pool())));
    });
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    owner_ = nullptr;
    held_.Reset();
    stepper_ = StreamStepper<T>();
    return info.Env().Undefined();
  }

  const NetworkObject<T>* owner_ = nullptr;  // alive: held_ has its object
  StreamTable<T> table_ = {};
  StreamStepper<T> stepper_;
  Napi::ObjectReference held_;
};

}  // namespace dtesn::addon
