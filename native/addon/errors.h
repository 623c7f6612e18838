// Errors that cross into JavaScript: a class, a stable code and one sentence.
#pragma once

#include <napi.h>

#include <exception>
#include <new>
#include <string>

namespace dtesn::addon {

// As in Node's own errors, the first line of the stack has the code and the name does not. The stack is built on first
// read, so it is read while the name still has the code.
template <class JsError>
JsError coded(Napi::Env env, const char* code, const std::string& message) {
  JsError error = JsError::New(env, message);
  Napi::Object value = error.Value();
  value.Set("code", Napi::String::New(env, code));
  value.Set("name", value.Get("name").ToString().Utf8Value() + " [" + code + "]");
  value.Get("stack");
  value.Delete("name");
  return error;
}

template <class JsError>
[[noreturn]] inline void fail(Napi::Env env, const char* code, const std::string& message) {
  throw coded<JsError>(env, code, message);
}

[[noreturn]] inline void failArgument(Napi::Env env, const std::string& message) {
  fail<Napi::TypeError>(env, "ERR_DTESN_ARGUMENT", message);
}

[[noreturn]] inline void failShape(Napi::Env env, const std::string& message) {
  fail<Napi::RangeError>(env, "ERR_DTESN_SHAPE", message);
}

// The end of a sentence: what came in place of what was expected.
inline std::string butReceived(const Napi::Value& value) {
  if (value.IsEmpty()) return " but received undefined";
  switch (value.Type()) {
    case napi_undefined:
      return " but received undefined";
    case napi_null:
      return " but received null";
    case napi_boolean:
      return " but received a boolean";
    case napi_number:
      return " but received " + value.ToString().Utf8Value();
    case napi_string:
      return " but received a string";
    case napi_function:
      return " but received a function";
    case napi_object:
      return value.IsArray() ? " but received an array" : " but received an object";
    default:
      return " but received another kind of value";
  }
}

inline std::string butReceived(size_t count) { return " but received " + std::to_string(count); }

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
