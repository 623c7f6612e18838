// Reservoir32 and Reservoir64: new Reservoir(spec, leak, state).
#include <napi.h>

#include <memory>
#include <string>

#include "addon/exports.h"
#include "addon/region_spec.h"
#include "addon/runnable.h"
#include "bseries/differentials.h"
#include "reservoir/leaky_reservoir.h"

namespace dtesn::addon {
namespace {

template <class T>
class ReservoirObject final : public Runnable<ReservoirObject<T>, T> {
 public:
  static Napi::Function define(Napi::Env env, const char* name) {
    using Self = ReservoirObject<T>;
    return Self::DefineClass(
        env, name,
        {Self::InstanceMethod("run", &Self::run), Self::InstanceMethod("runAsync", &Self::runAsync),
         Self::InstanceMethod("runMany", &Self::runMany), Self::InstanceMethod("stepStreams", &Self::stepStreams),
         Self::InstanceMethod("weights", &Self::weights), Self::InstanceMethod("differentials", &Self::differentials),
         Self::InstanceAccessor("bytes", &Self::bytes, nullptr)});
  }

  explicit ReservoirObject(const Napi::CallbackInfo& info) : Runnable<ReservoirObject<T>, T>(info) {
    const Napi::Object spec = info[0].As<Napi::Object>();
    const size_t units = count(spec.Get("units"), "units");
    const Span<T> leak = view<T>(info[1], "leak", units);
    const Span<T> state = view<T>(info[2], "state", units);
    state_ = Napi::Persistent(info[2].As<Napi::Object>());
    stateData_ = state.data;
    guarded(info.Env(), [&] {
      Region<T> region =
          spec.Has("recurrent") ? given(spec, units, leak) : drawRegion<T>(regionSpec(spec), constant(leak));
      reservoir_ = std::make_unique<LeakyReservoir<T>>(std::move(region), count(spec.Get("inputs"), "inputs"));
    });
  }

 protected:
  const Network<T>& network() const override { return *reservoir_; }
  size_t execute(const T* series, size_t steps, T* out, const Control& control) override {
    return reservoir_->run(series, steps, stateData_, out, control);
  }

 private:
  static Span<const T> constant(Span<T> span) { return Span<const T>(span.data, span.size); }

  static Region<T> given(const Napi::Object& spec, size_t units, Span<T> leak) {
    GivenWeights<T> weights;
    weights.units = units;
    weights.inputs = count(spec.Get("inputs"), "inputs");
    weights.recurrent = constant(view<T>(spec.Get("recurrent"), "weights.recurrent", units * units));
    weights.input = constant(view<T>(spec.Get("input"), "weights.input", units * weights.inputs));
    weights.bias = constant(optionalView<T>(spec.Get("bias"), "weights.bias", units));
    weights.sparse = topologyOf(spec) == Topology::sparse;
    weights.precision = precisionOf(spec);
    weights.activation =
        spec.Get("activation").ToString().Utf8Value() == "identity" ? Activation::identity : Activation::tanh;
    return givenRegion<T>(weights, constant(leak));
  }

  // weights(recurrent: units x units, input: units x inputs, bias: units): row-major copies into zeroed views.
  Napi::Value weights(const Napi::CallbackInfo& info) {
    this->checkIdle(info.Env());
    const Region<T>& region = reservoir_->region();
    region.recurrent->unpack(view<T>(info[0], "recurrent", this->units() * this->units()).data);
    region.input->unpack(view<T>(info[1], "input", this->units() * this->inputs()).data);
    std::copy_n(region.bias.data(), this->units(), view<T>(info[2], "bias", this->units()).data);
    return info.Env().Undefined();
  }

  // differentials(order, input, out: trees x units): of x' = -x + tanh(W x + W_in u + b) at the present state.
  Napi::Value differentials(const Napi::CallbackInfo& info) {
    this->checkIdle(info.Env());
    const size_t order = count(info[0], "order");
    const Span<T> input = view<T>(info[1], "input", this->inputs());
    guarded(info.Env(), [&] {
      Differentials<T> stage(this->units(), static_cast<int>(order));
      const Span<T> out = view<T>(info[2], "out", stage.trees() * this->units());
      AlignedArray<T> drive(this->units()), decay(this->units());
      reservoir_->drive(input.data, drive.data());
      std::fill_n(decay.data(), this->units(), T(1));
      stage.evaluate([this](const T* x, T* y) { reservoir_->linear(x, y); }, Span<const T>(stateData_, this->units()),
                     Span<const T>(drive.data(), this->units()), Span<const T>(decay.data(), this->units()), out);
    });
    return info.Env().Undefined();
  }

  Napi::Value bytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(reservoir_->bytes()));
  }

  std::unique_ptr<LeakyReservoir<T>> reservoir_;
  Napi::ObjectReference state_;
  T* stateData_ = nullptr;
};

}  // namespace

void exportReservoir(Napi::Env env, Napi::Object exports) {
  exports.Set("Reservoir32", ReservoirObject<float>::define(env, "Reservoir32"));
  exports.Set("Reservoir64", ReservoirObject<double>::define(env, "Reservoir64"));
}

}  // namespace dtesn::addon
