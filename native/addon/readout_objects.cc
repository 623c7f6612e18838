// RidgeTrainer and RecursiveTrainer, and the exports of the room. States are Float32Array or Float64Array, everything
// else f64.
#include <napi.h>

#include <memory>

#include "addon/exports.h"
#include "addon/features.h"
#include "addon/forecaster_object.h"
#include "addon/linear_readout_object.h"
#include "addon/memory.h"
#include "readout/normal_equations.h"
#include "readout/orthogonal_factor.h"
#include "readout/recursive_least_squares.h"

namespace dtesn::addon {
namespace {

// Of the upper triangle of sums over all columns, about.
size_t squareBytes(const ReadoutShape& shape) {
  const size_t columns = shape.features() + shape.outputs + 1;
  return columns * columns / 2 * sizeof(double);
}

// new RidgeTrainer(shape, orthogonal): add(states, inputs, targets); solve(ridge, weights, bias) -> whether there is a
// solution
class RidgeTrainer final : public Napi::ObjectWrap<RidgeTrainer> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "RidgeTrainer",
                       {InstanceMethod("add", &RidgeTrainer::add), InstanceMethod("solve", &RidgeTrainer::solve)});
  }

  explicit RidgeTrainer(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<RidgeTrainer>(info), shape_(readShape(info[0])) {
    guarded(info.Env(), [&] {
      if (info[1].ToBoolean()) {
        sums_ = std::make_unique<OrthogonalFactor>(shape_);
      } else {
        sums_ = std::make_unique<NormalEquations>(shape_);
      }
      memory_.take(info.Env(), squareBytes(shape_));
    });
  }

 private:
  Napi::Value add(const Napi::CallbackInfo& info) {
    withFeatures(info, shape_, [&](const auto& features, size_t rows) {
      sums_->add(features, view<double>(info[2], "targets", rows * shape_.outputs).data, rows);
    });
    return info.Env().Undefined();
  }

  Napi::Value solve(const Napi::CallbackInfo& info) {
    const double ridge = number(info[0], "ridge");
    const Span<double> weights = view<double>(info[1], "weights", shape_.features() * shape_.outputs);
    const Span<double> bias = view<double>(info[2], "bias", shape_.outputs);
    const bool solved = guarded(info.Env(), [&] { return sums_->solve(ridge, weights.data, bias.data); });
    return Napi::Boolean::New(info.Env(), solved);
  }

  ReadoutShape shape_;
  ExternalMemory memory_{Env()};
  std::unique_ptr<LeastSquares> sums_;
};

// new RecursiveTrainer(shape, ridge, forgetting): update(states, inputs, targets, predictions) -> steps done;
// weights(weights, bias)
class RecursiveTrainer final : public Napi::ObjectWrap<RecursiveTrainer> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "RecursiveTrainer",
        {InstanceMethod("update", &RecursiveTrainer::update), InstanceMethod("weights", &RecursiveTrainer::weights),
         InstanceAccessor("bytes", &RecursiveTrainer::bytes, nullptr)});
  }

  explicit RecursiveTrainer(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<RecursiveTrainer>(info), shape_(readShape(info[0])) {
    const double ridge = number(info[1], "ridge"), forgetting = number(info[2], "forgetting");
    guarded(info.Env(), [&] {
      rls_ = std::make_unique<RecursiveLeastSquares>(shape_, ridge, forgetting);
      memory_.take(info.Env(), rls_->bytes());
    });
  }

 private:
  Napi::Value update(const Napi::CallbackInfo& info) {
    size_t done = 0;
    withFeatures(info, shape_, [&](const auto& features, size_t rows) {
      const Span<double> targets = view<double>(info[2], "targets", rows * shape_.outputs);
      const Span<double> predictions = view<double>(info[3], "predictions", rows * shape_.outputs);
      done = rls_->update(features, targets.data, rows, predictions.data);
    });
    return Napi::Number::New(info.Env(), static_cast<double>(done));
  }

  Napi::Value weights(const Napi::CallbackInfo& info) {
    rls_->weights(view<double>(info[0], "weights", shape_.features() * shape_.outputs).data,
                  view<double>(info[1], "bias", shape_.outputs).data);
    return info.Env().Undefined();
  }

  Napi::Value bytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(rls_->bytes()));
  }

  ReadoutShape shape_;
  ExternalMemory memory_{Env()};
  std::unique_ptr<RecursiveLeastSquares> rls_;
};

}  // namespace

void exportReadout(Napi::Env env, Napi::Object exports) {
  exports.Set("RidgeTrainer", RidgeTrainer::define(env));
  exports.Set("RecursiveTrainer", RecursiveTrainer::define(env));
  exports.Set("LinearReadout", LinearReadoutObject::define(env));
  exports.Set("Forecaster32", ForecasterObject<float>::define(env, "Forecaster32"));
  exports.Set("Forecaster64", ForecasterObject<double>::define(env, "Forecaster64"));
}

}  // namespace dtesn::addon
