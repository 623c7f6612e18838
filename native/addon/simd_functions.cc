// What the machine has and whether its kernels are right.
#include <napi.h>

#include "addon/environment.h"
#include "addon/exports.h"
#include "addon/view.h"
#include "simd/self_check.h"

namespace dtesn::addon {
namespace {

Napi::Value checkKernelsOfEveryIsa(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array result = Napi::Array::New(env);
  for (Isa isa : availableIsas()) {
    for (const KernelCheck& check : checkKernels(isa)) {
      Napi::Object row = Napi::Object::New(env);
      row.Set("isa", isaName(check.isa));
      row.Set("kernel", check.kernel);
      row.Set("dtype", check.dtype);
      row.Set("error", check.error);
      row.Set("tolerance", check.tolerance);
      row.Set("ok", check.error <= check.tolerance);
      result.Set(result.Length(), row);
    }
  }
  return result;
}

Napi::Value bytesToAlignment(const Napi::CallbackInfo& info) {
  const Span<uint8_t> bytes = view<uint8_t>(info[0], "view");
  const uintptr_t address = reinterpret_cast<uintptr_t>(bytes.data);
  return Napi::Number::New(info.Env(), static_cast<double>((kGroupBytes - address % kGroupBytes) % kGroupBytes));
}

Napi::Value setThreads(const Napi::CallbackInfo& info) {
  const size_t threads = count(info[0], "threads");
  if (threads < 1 || threads > 1024) failArgument(info.Env(), "Expected a whole number from 1 to 1024 for threads");
  const size_t begun = guarded(info.Env(), [&] { return environment(info.Env()).setThreads(threads); });
  return Napi::Number::New(info.Env(), static_cast<double>(begun));
}

Napi::Value threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(environment(info.Env()).threads()));
}

}  // namespace

void exportSimd(Napi::Env env, Napi::Object exports) {
  exports.Set("isa", isaName(guarded(env, [] { return activeIsa(); })));
  Napi::Array available = Napi::Array::New(env);
  for (Isa isa : availableIsas()) available.Set(available.Length(), isaName(isa));
  exports.Set("availableIsas", available);
  exports.Set("identity", static_cast<double>(libraryIdentity()));
  exports.Set("checkKernels", Napi::Function::New<checkKernelsOfEveryIsa>(env, "checkKernels"));
  exports.Set("setThreads", Napi::Function::New<setThreads>(env, "setThreads"));
  exports.Set("threads", Napi::Function::New<threads>(env, "threads"));
  exports.Set("bytesToAlignment", Napi::Function::New<bytesToAlignment>(env, "bytesToAlignment"));
}

}  // namespace dtesn::addon
