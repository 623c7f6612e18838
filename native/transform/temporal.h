// Operations along time: first difference and exponential moving average. One pass.
#pragma once

#include "transform/program.h"

namespace dtesn {

// y_0 = x_0, y_t = x_t - x_{t-1}. Back to front, so that every element is read before it changes.
template <class T>
inline void difference(T* data, SeriesShape shape) {
  for (size_t i = shape.steps * shape.features; i > shape.features; --i) data[i - 1] -= data[i - 1 - shape.features];
}

// y_0 = x_0, y_t = y_{t-1} + alpha·(x_t - y_{t-1}). Scratch: one double a feature, so that a small alpha is not lost
// in the rounding of f32.
template <class T>
inline void movingAverage(T* data, SeriesShape shape, double alpha, const Span<double>& scratch) {
  if (shape.steps == 0) return;
  double* const __restrict average = scratch.data;
  for (size_t f = 0; f < shape.features; ++f) average[f] = data[f];
  for (size_t t = 1; t < shape.steps; ++t) {
    T* const row = data + t * shape.features;
    for (size_t f = 0; f < shape.features; ++f) {
      average[f] += alpha * (row[f] - average[f]);
      row[f] = static_cast<T>(average[f]);
    }
  }
}

}  // namespace dtesn
