// transformShape, runTransform32 and runTransform64: programs on views.
#include <napi.h>

#include <algorithm>
#include <memory>

#include "addon/exports.h"
#include "addon/view.h"
#include "transform/program.h"

namespace dtesn::addon {

namespace {

// Numbers of our own. Not std::vector: its code would bind a newer C++ library than Node needs.
struct Numbers {
  explicit Numbers(size_t size_) : owner(new double[size_]), size(size_) {}

  Span<double> span() const { return {owner.get(), size}; }
  Span<const double> read() const { return {owner.get(), size}; }

  std::unique_ptr<double[]> owner;
  size_t size;
};

// A copy: other threads cannot change the program between the check and the run.
Numbers programOf(const Napi::Value& value) {
  const Span<double> given = view<double>(value, "program");
  Numbers program(given.size);
  std::copy_n(given.data, given.size, program.owner.get());
  return program;
}

ProgramPlan planOf(Napi::Env env, const Numbers& program, SeriesShape shape) {
  const ProgramPlan plan = planProgram(program.read(), shape);
  if (plan.fault.expected) {
    failShape(env, std::string("Expected ") + plan.fault.expected + " (ops[" + std::to_string(plan.fault.operation) +
                       "]) but received " + std::to_string(plan.fault.received));
  }
  return plan;
}

Napi::Object shapeObject(Napi::Env env, SeriesShape shape) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("steps", Napi::Number::New(env, static_cast<double>(shape.steps)));
  object.Set("features", Napi::Number::New(env, static_cast<double>(shape.features)));
  return object;
}

Napi::Value transformShape(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const Numbers program = programOf(info[0]);
    const ProgramPlan plan = planOf(env, program, {count(info[1], "steps"), count(info[2], "features")});
    Napi::Object object = shapeObject(env, plan.shape);
    object.Set("capacity", Napi::Number::New(env, static_cast<double>(plan.capacity)));
    object.Set("scratch", Napi::Number::New(env, static_cast<double>(plan.scratch)));
    return object;
  });
}

void failToken(Napi::Env env, const TokenFault& fault) {
  // JavaScript prints numbers as callers know them: 3.5, NaN, 1e+21.
  const std::string received = Napi::Number::New(env, fault.value).ToString().Utf8Value();
  fail<Napi::RangeError>(env, "ERR_DTESN_ARGUMENT",
                         "Expected token ids (whole numbers in [0, 2^32)) before embed (ops[" +
                             std::to_string(fault.operation) + "]) but received " + received + " at step " +
                             std::to_string(fault.step));
}

template <class T>
Napi::Value runTransform(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const Numbers program = programOf(info[0]);
    const Span<T> data = view<T>(info[1], "series.data");
    const SeriesShape shape{count(info[2], "steps"), count(info[3], "features")};
    const ProgramPlan plan = planOf(env, program, shape);
    if (data.size < plan.capacity) {
      failShape(env, "Expected series.data with " + std::to_string(plan.capacity) +
                         " elements or more (the widest point of the program) but received " +
                         std::to_string(data.size));
    }
    const Numbers scratch(plan.scratch);
    const TokenFault fault = runProgram<T>(program.read(), shape, Span<T>(data.data, data.size), scratch.span());
    if (fault.operation != SIZE_MAX) failToken(env, fault);
    return shapeObject(env, plan.shape);
  });
}

}  // namespace

void exportTransform(Napi::Env env, Napi::Object exports) {
  exports.Set("transformShape", Napi::Function::New(env, transformShape, "transformShape"));
  exports.Set("runTransform32", Napi::Function::New(env, runTransform<float>, "runTransform32"));
  exports.Set("runTransform64", Napi::Function::New(env, runTransform<double>, "runTransform64"));
}

}  // namespace dtesn::addon
