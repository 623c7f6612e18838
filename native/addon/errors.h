// Errors that cross into JavaScript: a class, a stable code and one sentence.
#pragma once

#include <napi.h>

#include <exception>
#include <new>
#include <string>

namespace dtesn::addon {

template <class JsError>
[[noreturn]] inline void fail(Napi::Env env, const char* code, const std::string& message) {
  JsError error = JsError::New(env, message);
  error.Value().Set("code", Napi::String::New(env, code));
  throw error;
}

[[noreturn]] inline void failArgument(Napi::Env env, const std::string& message) {
  fail<Napi::TypeError>(env, "ERR_DTESN_ARGUMENT", message);
}

[[noreturn]] inline void failShape(Napi::Env env, const std::string& message) {
  fail<Napi::RangeError>(env, "ERR_DTESN_SHAPE", message);
}

constexpr const char* kTooLarge = "Expected a size that fits in memory but the allocation failed";

// Runs native code at the boundary: what the algorithms throw becomes a JavaScript error, never a crash.
template <class Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail<Napi::RangeError>(env, "ERR_DTESN_MEMORY", kTooLarge);
  } catch (const std::length_error&) {
    fail<Napi::RangeError>(env, "ERR_DTESN_MEMORY", kTooLarge);
  } catch (const std::exception& error) {
    fail<Napi::Error>(env, "ERR_DTESN_NATIVE", error.what());
  }
}

}  // namespace dtesn::addon
