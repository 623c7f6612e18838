// The promise of a long run, and the values it must keep alive until its end.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "addon/environment.h"
#include "addon/errors.h"

namespace dtesn::addon {

class Pending {
 public:
  Pending(Napi::Env env, std::vector<Napi::Value> held)
      : deferred_(Napi::Promise::Deferred::New(env)), held_(Napi::Persistent(Napi::Object(Napi::Array::New(env)))) {
    for (uint32_t i = 0; i < held.size(); ++i) held_.Set(i, held[i]);
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

  void settle(Napi::Env env, const Failure& failure, double result) {
    switch (failure.kind) {
      case Failure::Kind::none:
        return deferred_.Resolve(Napi::Number::New(env, result));
      case Failure::Kind::memory:
        return reject<Napi::RangeError>(env, "ERR_DTESN_MEMORY", kTooLarge);
      case Failure::Kind::other:
        return reject<Napi::Error>(env, "ERR_DTESN_NATIVE", failure.message);
    }
  }

  void abandon() { held_.SuppressDestruct(); }

 private:
  template <class JsError>
  void reject(Napi::Env env, const char* code, const std::string& message) {
    deferred_.Reject(coded<JsError>(env, code, message).Value());
  }

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference held_;
};

}  // namespace dtesn::addon
