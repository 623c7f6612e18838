// Network32 and Network64: new Network(spec), with a spec of network_spec.h or { kind: 'shared', number }; or new
// Network(null), without weights until build() has made them.
//
//   build(spec, control) -> Promise          the weights of a spec, made by another thread; progress counts regions
//   inputs, stateSize, featureSize, gates, bytes
//   runMany(series[], outs[] | null, states, gates | null, sums[] | null, magnitudes[] | null)
//   runManyAsync(the same, control, threads?, expansions?) -> Promise of the ms of the expansions
//     states: State objects, or stateSize elements a series, in place
//     expansions: [order, inputs[], differentials[], taylor[], squares[]] of the last state of each series
//   features(state, out)
//   weights(region, recurrent, input, bias), blocks(region, coupling, feedback), carry(region, out)
//   differentials(order, input, state, gates | null, out), normBound(), effectiveRadius(region)
//   expandAsync(order, inputs[], states[], (gates | null)[], differentials[], taylor[], squares[])
//     inputs, states and gates are copied
//   share()                                 -> a number for { kind: 'shared' } in any environment of this process
//   close()                                 lets go of the weights
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/batch_work.h"
#include "addon/differential_order.h"
#include "addon/environment.h"
#include "addon/expansion_work.h"
#include "addon/memory.h"
#include "addon/network_spec.h"
#include "addon/state_object.h"
#include "addon/task.h"
#include "network/stability.h"

namespace dtesn::addon {

template <class T>
class NetworkObject final : public Napi::ObjectWrap<NetworkObject<T>> {
 public:
  static napi_type_tag tag() { return {0x51d2c8a94be07f13ull + sizeof(T), libraryIdentity()}; }

  static Napi::Function define(Napi::Env env, const char* name) {
    using Self = NetworkObject<T>;
    return Self::DefineClass(
        env, name,
        {Self::InstanceMethod("build", &Self::build), Self::InstanceMethod("runMany", &Self::runMany),
         Self::InstanceMethod("runManyAsync", &Self::runManyAsync), Self::InstanceMethod("features", &Self::features),
         Self::InstanceMethod("weights", &Self::weights), Self::InstanceMethod("blocks", &Self::blocks),
         Self::InstanceMethod("carry", &Self::carry), Self::InstanceMethod("differentials", &Self::differentials),
         Self::InstanceMethod("expandAsync", &Self::expandAsync), Self::InstanceMethod("normBound", &Self::norm),
         Self::InstanceMethod("effectiveRadius", &Self::radius), Self::InstanceMethod("share", &Self::share),
         Self::InstanceMethod("close", &Self::close), Self::InstanceAccessor("inputs", &Self::inputs, nullptr),
         Self::InstanceAccessor("stateSize", &Self::stateSize, nullptr),
         Self::InstanceAccessor("featureSize", &Self::featureSize, nullptr),
         Self::InstanceAccessor("gates", &Self::gates, nullptr),
         Self::InstanceAccessor("hasFlow", &Self::hasFlow, nullptr),
         Self::InstanceAccessor("bytes", &Self::bytes, nullptr)});
  }

  explicit NetworkObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NetworkObject<T>>(info) {
    const Napi::Env env = info.Env();
    const napi_type_tag tag = this->tag();
    info.This().As<Napi::Object>().TypeTag(&tag);
    if (info[0].IsNull()) return;
    isOpen_ = true;
    const Napi::Object spec = object(info[0], "spec");
    guarded(env, [&] {
      if (text(spec, "kind") == "shared") {
        network_ = claimed<T>(spec);
      } else {
        take(env, ReadNetwork<T>(spec).build(Control()));
      }
    });
  }

  static NetworkObject& from(const Napi::Value& value) {
    const napi_type_tag own = tag();
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&own)) {
      failArgument(value.Env(), "Expected a network of this dtype that this addon made" + butReceived(value));
    }
    return *Napi::ObjectWrap<NetworkObject<T>>::Unwrap(value.As<Napi::Object>());
  }

  const Shared<Network<T>>& shared(Napi::Env env) const {
    if (!network_) fail<Napi::Error>(env, "ERR_DTESN_CLOSED", "Expected an open network but it was closed");
    return network_;
  }

  const uint8_t* readGates(const Napi::Value& value) const {
    return optionalView<uint8_t>(value, "gates", network(value.Env()).gateCount()).data;
  }

 private:
  class Building final : public LongWork {
   public:
    Building(NetworkObject& owner, ReadNetwork<T> read, const Control& control, Pending pending)
        : owner_(owner), read_(std::move(read)), control_(control), pending_(std::move(pending)) {}
    Napi::Promise promise() const { return pending_.promise(); }
    size_t parts() const override { return 1; }
    void work(size_t) override { built_ = read_.build(control_); }
    void settle(Napi::Env env, const Failure& failure) override {
      if (built_ && !owner_.isClosed_) owner_.take(env, std::move(built_));
      pending_.settle(env, failure, 1);
    }
    void abandon() override { pending_.abandon(); }

   private:
    NetworkObject& owner_;  // alive: pending_ holds its object
    ReadNetwork<T> read_;
    Control control_;
    Pending pending_;
    Shared<Network<T>> built_;
  };

  const Network<T>& network(Napi::Env env) const { return *shared(env); }

  const RegionNetwork<T>& regionNetwork(Napi::Env env) const {
    const auto* regions = dynamic_cast<const RegionNetwork<T>*>(&network(env));
    if (regions == nullptr) failArgument(env, "Expected a network of regions but received a delay line (Nvar)");
    return *regions;
  }

  static Napi::Value at(const Napi::Value& list, uint32_t i) {
    return list.IsArray() ? list.As<Napi::Array>().Get(i) : list.Env().Null();
  }

  BatchParts<T> readBatch(const Napi::CallbackInfo& info) const {
    const Napi::Env env = info.Env();
    const Network<T>& network = this->network(env);
    if (!info[0].IsArray()) failArgument(env, "Expected an array for series" + butReceived(info[0]));
    const Napi::Array list = info[0].As<Napi::Array>();
    const uint32_t length = list.Length();
    const bool hasStates = info[2].IsArray();
    const Span<T> rows = hasStates ? Span<T>() : view<T>(info[2], "states", length * network.stateSize());
    const uint8_t* const gates = readGates(info[3]);
    Ranges ranges;
    BatchParts<T> batch;
    for (uint32_t s = 0; s < length; ++s) {
      T* state = hasStates ? nullptr : rows.data + s * network.stateSize();
      const uint8_t* own = gates;
      if (hasStates) {
        StateObject<T>& given = StateObject<T>::from(at(info[2], s));
        given.checkUsable(env);
        if (given.network() != &network)
          failArgument(env, "Expected states of this network but states[" + std::to_string(s) + "] belongs to another");
        state = given.data();
        own = given.gates();
        batch.states.push_back(&given);
      }
      batch.runs.push_back(
          readRun<T>(network, list.Get(s), at(info[1], s), at(info[4], s), at(info[5], s), state, own, ranges));
      batch.runs.back().place = s;
    }
    ranges.checkApart(env);
    return batch;
  }

  // Where the B-series of a state goes, of so many trees.
  ExpansionItem<T> readExpansion(int order, size_t trees, const Napi::Value& input, const Napi::Value& differentials,
                                 const Napi::Value& taylor, const Napi::Value& squares) const {
    const Network<T>& network = this->network(input.Env());
    const size_t n = network.stateSize(), orders = static_cast<size_t>(order);
    ExpansionItem<T> item = {};
    item.input = view<T>(input, "inputs", network.inputs()).data;
    item.differentials = view<T>(differentials, "differentials", trees * n);
    item.taylor = view<T>(taylor, "taylor", orders * n);
    item.squares = view<double>(squares, "squares", trees + orders);
    return item;
  }

  // [order, inputs[], differentials[], taylor[], squares[]] of the series of a batch; undefined for none.
  void readExpansions(const Napi::Value& value, BatchParts<T>& batch) const {
    if (!value.IsArray()) return;
    flowOf(value.Env());
    batch.order = differentialOrder(at(value, 0));
    const size_t trees = treeTable(batch.order).size();
    for (uint32_t s = 0; s < batch.runs.size(); ++s) {
      ExpansionItem<T> item = readExpansion(batch.order, trees, at(at(value, 1), s), at(at(value, 2), s),
                                            at(at(value, 3), s), at(at(value, 4), s));
      item.state = batch.runs[s].state;
      item.gates = batch.runs[s].gates;
      batch.expansions.push_back(item);
    }
  }

  void take(Napi::Env env, Shared<Network<T>> built) {
    network_ = std::move(built);
    memory_.take(env, network_->bytes());
  }

  Napi::Value build(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (isOpen_) failArgument(env, "Expected a network without weights but this one has its weights: call build once");
    const Napi::Object spec = object(info[0], "spec");
    const Control control = controlOf(info[1]);
    return guarded(env, [&]() -> Napi::Value {
      auto work = std::make_unique<Building>(*this, ReadNetwork<T>(spec), control,
                                             Pending(env, {info.This(), info[0], info[1]}));
      const Napi::Promise promise = work->promise();
      environment(env).run(env, std::move(work));
      isOpen_ = true;
      return promise;
    });
  }

  Napi::Value runMany(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    guarded(env, [&] {
      BatchParts<T> batch = readBatch(info);
      runner_.run(network(env), std::move(batch.runs), environment(env).pool());
    });
    return env.Undefined();
  }

  Napi::Value runManyAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      BatchParts<T> batch = readBatch(info);
      const std::vector<StateObject<T>*> states = batch.states;
      Control control = controlOf(info[6]);
      control.setStepBytes(network(env).bytes());
      readExpansions(info[8], batch);
      Pending pending(env, {info.This(), copied(info[0]), copied(info[1]), copied(info[2]), info[3], copied(info[4]),
                            copied(info[5]), info[6], copied(at(info[8], 1)), copied(at(info[8], 2)),
                            copied(at(info[8], 3)), copied(at(info[8], 4))});
      const size_t most = environment(env).threads();
      const size_t threads =
          info[7].IsUndefined() ? most : std::min(most, std::max<size_t>(1, count(info[7], "threads")));
      auto work = std::make_unique<BatchWork<T>>(network_, std::move(batch), threads, control, std::move(pending));
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

  Napi::Value features(const Napi::CallbackInfo& info) {
    const Network<T>& network = this->network(info.Env());
    const Span<T> state = view<T>(info[0], "state", network.stateSize());
    const Span<T> out = view<T>(info[1], "out", network.featureSize());
    if (network.showsState()) {
      std::memmove(out.data, state.data, out.size * sizeof(T));
    } else {
      network.features(state.data, out.data);
    }
    return info.Env().Undefined();
  }

  const Place<T>& placeAt(const Napi::Value& value) const {
    const RegionNetwork<T>& regions = regionNetwork(value.Env());
    const size_t m = count(value, "region");
    if (m >= regions.regions())
      failShape(value.Env(), "Expected a whole number below " + std::to_string(regions.regions()) +
                                 " (regions of this network) for region" + butReceived(m));
    return regions.place(m);
  }

  // Row-major copies into zeroed views; input is not touched where none reaches the region.
  Napi::Value weights(const Napi::CallbackInfo& info) {
    const Region<T>& region = placeAt(info[0]).region;
    const size_t n = region.units();
    region.recurrent->unpack(view<T>(info[1], "recurrent", n * n).data);
    if (region.input) region.input->unpack(view<T>(info[2], "input", n * region.input->cols()).data);
    std::copy_n(region.bias.data(), n, view<T>(info[3], "bias", n).data);
    return info.Env().Undefined();
  }

  // The scaled blocks between a region and its parent.
  Napi::Value blocks(const Napi::CallbackInfo& info) {
    const Place<T>& place = placeAt(info[0]);
    if (place.coupling) {
      const auto& block = *place.coupling;
      block.unpack(view<T>(info[1], "coupling", block.rows() * block.cols()).data);
    }
    if (place.feedback) {
      const auto& block = *place.feedback;
      block.unpack(view<T>(info[2], "feedback", block.rows() * block.cols()).data);
    }
    return info.Env().Undefined();
  }

  Napi::Value carry(const Napi::CallbackInfo& info) {
    const Region<T>& region = placeAt(info[0]).region;
    const Span<T> out = view<T>(info[1], "out", region.units() * region.units());
    if (region.carry) region.carry->unpack(out.data);
    return info.Env().Undefined();
  }

  const Flow<T>& flowOf(Napi::Env env) const {
    const Flow<T>* const flow = network(env).flow();
    if (flow == nullptr) {
      failArgument(env,
                   "Expected a network of units but received one that has no flow: a delay line (Nvar), a Featured");
    }
    return *flow;
  }

  // out: trees x stateSize, of the flow of the whole network. A closed region does not flow: its rows are zero.
  Napi::Value differentials(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Network<T>& network = this->network(env);
    const int order = differentialOrder(info[0]);
    const Span<T> input = view<T>(info[1], "input", network.inputs());
    const size_t n = network.stateSize();
    const Span<T> state = view<T>(info[2], "state", n);
    const uint8_t* const gates = readGates(info[3]);
    const Flow<T>& flow = flowOf(env);
    guarded(env, [&] {
      Expansion<T> expansion(flow, n, order);
      const Span<T> out = view<T>(info[4], "out", expansion.trees() * n);
      expansion.evaluate(input.data, gates, state.data, out.data);
    });
    return env.Undefined();
  }

  Napi::Value expandAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Network<T>& network = this->network(env);
    const int order = differentialOrder(info[0]);
    flowOf(env);
    if (!info[1].IsArray()) failArgument(env, "Expected an array for inputs" + butReceived(info[1]));
    const uint32_t length = info[1].As<Napi::Array>().Length();
    const size_t trees = treeTable(order).size();
    std::vector<typename ExpansionWork<T>::Item> items(length);
    for (uint32_t i = 0; i < length; ++i) {
      ExpansionItem<T> views =
          readExpansion(order, trees, at(info[1], i), at(info[4], i), at(info[5], i), at(info[6], i));
      views.state = view<T>(at(info[2], i), "states", network.stateSize()).data;
      views.gates = readGates(at(info[3], i));
      items[i].take(views, network);
    }
    return guarded(env, [&]() -> Napi::Value {
      Pending pending(env, {info.This(), copied(info[4]), copied(info[5]), copied(info[6])});
      auto work = std::make_unique<ExpansionWork<T>>(network_, order, std::move(items), environment(env).threads(),
                                                     std::move(pending));
      const Napi::Promise promise = work->promise();
      if (length == 0) {
        work->settle(env, Failure());
        return promise;
      }
      environment(env).run(env, std::move(work));
      return promise;
    });
  }

  Napi::Value norm(const Napi::CallbackInfo& info) {
    const RegionNetwork<T>& regions = regionNetwork(info.Env());
    return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), normBound(regions)); });
  }

  Napi::Value radius(const Napi::CallbackInfo& info) {
    const Region<T>& region = placeAt(info[0]).region;
    return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), effectiveRadius(region)); });
  }

  Napi::Value share(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(SharedNetworks::share(network(info.Env()))));
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    isClosed_ = true;
    network_ = Shared<Network<T>>();
    runner_ = BatchRunner<T>();
    memory_.giveBack(info.Env());
    return info.Env().Undefined();
  }

  static Napi::Value of(Napi::Env env, size_t size) { return Napi::Number::New(env, static_cast<double>(size)); }
  Napi::Value inputs(const Napi::CallbackInfo& info) { return of(info.Env(), network(info.Env()).inputs()); }
  Napi::Value stateSize(const Napi::CallbackInfo& info) { return of(info.Env(), network(info.Env()).stateSize()); }
  Napi::Value featureSize(const Napi::CallbackInfo& info) { return of(info.Env(), network(info.Env()).featureSize()); }
  Napi::Value gates(const Napi::CallbackInfo& info) { return of(info.Env(), network(info.Env()).gateCount()); }
  Napi::Value hasFlow(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), network(info.Env()).flow() != nullptr);
  }
  Napi::Value bytes(const Napi::CallbackInfo& info) { return of(info.Env(), network(info.Env()).bytes()); }

  Shared<Network<T>> network_;
  ExternalMemory memory_{this->Env()};
  BatchRunner<T> runner_;
  bool isOpen_ = false, isClosed_ = false;
};

template <class T>
StateObject<T>::StateObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<StateObject<T>>(info) {
  const Napi::Env env = info.Env();
  const napi_type_tag tag = this->tag();
  info.This().As<Napi::Object>().TypeTag(&tag);
  network_ = NetworkObject<T>::from(info[0]).shared(env);
  data_ = view<T>(info[1], "state", network_->stateSize()).data;
  gates_ = optionalView<uint8_t>(info[2], "gates", network_->gateCount()).data;
  views_ = Napi::Persistent(Napi::Object(Napi::Array::New(env)));
  views_.Set(0u, info[1]);
  views_.Set(1u, info[2]);
}

}  // namespace dtesn::addon
