// The measured limits of one core.
#include <napi.h>

#include "addon/exports.h"
#include "addon/view.h"
#include "simd/limits.h"

namespace dtesn::addon {
namespace {

Napi::Value gflops(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("f32", measureGflops<float>());
  result.Set("f64", measureGflops<double>());
  return result;
}

Napi::Value readGigabytesPerSecond(const Napi::CallbackInfo& info) {
  const size_t bytes = count(info[0], "bytes");
  if (bytes > (size_t{1} << 32)) failShape(info.Env(), "Expected at most 4294967296 bytes to measure");
  return Napi::Number::New(info.Env(), guarded(info.Env(), [&] { return measureReadGigabytesPerSecond(bytes); }));
}

}  // namespace

void exportLimits(Napi::Env env, Napi::Object exports) {
  exports.Set("measureGflops", Napi::Function::New<gflops>(env, "measureGflops"));
  exports.Set("measureReadGigabytesPerSecond",
              Napi::Function::New<readGigabytesPerSecond>(env, "measureReadGigabytesPerSecond"));
}

}  // namespace dtesn::addon
