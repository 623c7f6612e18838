// LinearReadout: the trained map of rows of features.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/features.h"
#include "addon/memory.h"
#include "addon/view.h"
#include "readout/linear_readout.h"

namespace dtesn::addon {

// new LinearReadout(shape, weights, bias): apply(states, inputs, out)
class LinearReadoutObject final : public Napi::ObjectWrap<LinearReadoutObject> {
 public:
  static constexpr napi_type_tag kTag = {0x3b7e91c4d2a60f58ull, 0xe1904c7fb6d83a25ull};

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "LinearReadout", {InstanceMethod("apply", &LinearReadoutObject::apply)});
  }

  explicit LinearReadoutObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<LinearReadoutObject>(info), shape_(readShape(info[0])) {
    info.This().As<Napi::Object>().TypeTag(&kTag);
    const Span<double> weights = view<double>(info[1], "weights", shape_.features() * shape_.outputs);
    const Span<double> bias = view<double>(info[2], "bias", shape_.outputs);
    guarded(info.Env(), [&] {
      readout_ = std::make_unique<LinearReadout>(shape_, weights.data, bias.data);
      memory_.take(info.Env(), weights.size * sizeof(double));
    });
  }

  static const LinearReadoutObject& from(const Napi::Value& value) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) {
      failArgument(value.Env(), "Expected a LinearReadout for readout" + butReceived(value));
    }
    return *Unwrap(value.As<Napi::Object>());
  }

  const LinearReadout& readout() const { return *readout_; }

 private:
  Napi::Value apply(const Napi::CallbackInfo& info) {
    withFeatures(info, shape_, [&](const auto& features, size_t rows) {
      readout_->apply(features, rows, view<double>(info[2], "out", rows * shape_.outputs).data);
    });
    return info.Env().Undefined();
  }

  ReadoutShape shape_;
  ExternalMemory memory_{Env()};
  std::unique_ptr<LinearReadout> readout_;
};

}  // namespace dtesn::addon
