// What readouts are given: their shape, and rows of features in the type of the states.
#pragma once

#include <napi.h>

#include <string>

#include "addon/view.h"
#include "readout/readout_shape.h"

namespace dtesn::addon {

// Their squares are counted in size_t.
constexpr size_t kMostColumns = size_t{1} << 20;

// { states, inputs, outputs, intercept }
inline ReadoutShape readShape(const Napi::Value& value) {
  if (!value.IsObject()) failArgument(value.Env(), "Expected an object for shape" + butReceived(value));
  const Napi::Object shape = value.As<Napi::Object>();
  const ReadoutShape read = {count(shape.Get("states"), "states"), count(shape.Get("inputs"), "inputs"),
                             count(shape.Get("outputs"), "outputs"), shape.Get("intercept").ToBoolean()};
  if (read.states == 0 || read.outputs == 0 || read.states > kMostColumns || read.inputs > kMostColumns ||
      read.outputs > kMostColumns) {
    failShape(value.Env(),
              "Expected 1 to 1048576 states, 0 to 1048576 inputs and 1 to 1048576 outputs for shape but "
              "received " +
                  std::to_string(read.states) + ", " + std::to_string(read.inputs) + " and " +
                  std::to_string(read.outputs));
  }
  return read;
}

template <class T, class Body>
void withRows(const Napi::Value& states, const Napi::Value& inputs, const ReadoutShape& shape, Body body) {
  const Span<T> x = view<T>(states, "states");
  if (x.size % shape.states != 0) {
    failShape(states.Env(), "Expected states with " + std::to_string(shape.states) +
                                " elements a row (states of the readout) but received " + std::to_string(x.size));
  }
  const size_t rows = x.size / shape.states;
  const T* const u = shape.inputs == 0 ? nullptr : view<T>(inputs, "inputs", rows * shape.inputs).data;
  body(FeatureRows<T>{x.data, u}, rows);
}

// Calls body(features, rows) with the rows in the type of the states.
template <class Body>
void withFeatures(const Napi::CallbackInfo& info, const ReadoutShape& shape, Body body) {
  const Napi::Value states = info[0];
  if (states.IsTypedArray() && states.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array) {
    withRows<double>(states, info[1], shape, body);
  } else {
    withRows<float>(states, info[1], shape, body);
  }
}

}  // namespace dtesn::addon
