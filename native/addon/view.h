// Typed-array arguments: one napi_get_typedarray_info a view, so that shared and ordinary buffers read alike on every
// Node, and detached or shrunk buffers show as a wrong length.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <type_traits>

#include "addon/errors.h"
#include "simd/span.h"

namespace dtesn::addon {

template <class T>
struct ElementType;
template <>
struct ElementType<float> {
  static constexpr napi_typedarray_type code = napi_float32_array;
  static constexpr const char* name = "Float32Array";
};
template <>
struct ElementType<double> {
  static constexpr napi_typedarray_type code = napi_float64_array;
  static constexpr const char* name = "Float64Array";
};
template <>
struct ElementType<int32_t> {
  static constexpr napi_typedarray_type code = napi_int32_array;
  static constexpr const char* name = "Int32Array";
};
template <>
struct ElementType<uint32_t> {
  static constexpr napi_typedarray_type code = napi_uint32_array;
  static constexpr const char* name = "Uint32Array";
};
template <>
struct ElementType<uint8_t> {
  static constexpr napi_typedarray_type code = napi_uint8_array;
  static constexpr const char* name = "Uint8Array";
};

// The elements of `value`, which must be a typed array of T.
template <class T>
Span<T> view(const Napi::Value& value, const char* argument) {
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  const Napi::Env env = value.Env();
  // Returns napi_invalid_arg for a value that is not a typed array.
  const napi_status status = napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != ElementType<T>::code) {
    failArgument(env, std::string("Expected a ") + ElementType<T>::name + " for " + argument + butReceived(value));
  }
  return Span<T>(static_cast<T*>(data), length);
}

// The same, with the length that the shapes require.
template <class T>
Span<T> view(const Napi::Value& value, const char* argument, size_t expected) {
  Span<T> span = view<T>(value, argument);
  if (span.size != expected) {
    failShape(value.Env(), std::string("Expected ") + argument + " with " + std::to_string(expected) +
                               " elements but received " + std::to_string(span.size));
  }
  return span;
}

// A view that may be left out: undefined and null give an empty span.
template <class T>
Span<T> optionalView(const Napi::Value& value, const char* argument, size_t expected) {
  if (static_cast<napi_value>(value) == nullptr) return Span<T>();
  const napi_valuetype type = value.Type();
  if (type == napi_undefined || type == napi_null) return Span<T>();
  return view<T>(value, argument, expected);
}

inline double number(const Napi::Value& value, const char* argument) {
  if (static_cast<napi_value>(value) == nullptr || !value.IsNumber()) {
    failArgument(value.Env(), std::string("Expected a number for ") + argument + butReceived(value));
  }
  return value.As<Napi::Number>().DoubleValue();
}

// A whole number in [0, 2^53): sizes, counts and orders.
inline size_t count(const Napi::Value& value, const char* argument) {
  const double v = number(value, argument);
  if (!(v >= 0 && v < 9007199254740992.0) || v != static_cast<double>(static_cast<uint64_t>(v))) {
    fail<Napi::RangeError>(value.Env(), "ERR_DTESN_ARGUMENT",
                           std::string("Expected a whole number, 0 or more, for ") + argument + butReceived(value));
  }
  return static_cast<size_t>(v);
}

}  // namespace dtesn::addon
