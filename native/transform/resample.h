// Operations that change the number of steps. One pass.
#pragma once

#include <algorithm>
#include <cstring>

#include "transform/program.h"

namespace dtesn {

// The last `steps` rows become the first. (Keeping the first rows needs no work.)
template <class T>
inline void keepLast(T* data, SeriesShape shape, size_t steps) {
  if (steps == 0 || steps >= shape.steps) return;
  std::memmove(data, data + (shape.steps - steps) * shape.features, steps * shape.features * sizeof(T));
}

// Rows of `value` until there are `steps`.
template <class T>
inline void pad(T* data, SeriesShape shape, size_t steps, T value) {
  if (steps <= shape.steps) return;
  std::fill(data + shape.steps * shape.features, data + steps * shape.features, value);
}

// y_i = mean of the rows of window i; the last window takes what is there. Front to back: a mean never lands on a row
// that is still to be read. Scratch: one double a feature.
template <class T>
inline void meanPool(T* data, SeriesShape shape, size_t window, const Span<double>& scratch) {
  const size_t features = shape.features;
  double* const __restrict sum = scratch.data;
  T* out = data;
  for (size_t from = 0; from < shape.steps; from += window, out += features) {
    const size_t rows = std::min(window, shape.steps - from);
    std::fill_n(sum, features, 0.0);
    for (const T* row = data + from * features; row != data + (from + rows) * features; row += features) {
      for (size_t f = 0; f < features; ++f) sum[f] += row[f];
    }
    for (size_t f = 0; f < features; ++f) out[f] = static_cast<T>(sum[f] / double(rows));
    if (rows < window) return;
  }
}

// Every row `times` times. Back to front: a copy never lands on a row that is still to be read.
template <class T>
inline void repeat(T* data, SeriesShape shape, size_t times) {
  if (times == 1) return;
  const size_t features = shape.features;
  for (size_t t = shape.steps; t-- > 0;) {
    const T* const row = data + t * features;
    T* const copies = data + t * times * features;
    // The first copy of the first row is the row itself.
    for (size_t k = times; k-- > (t == 0 ? 1 : 0);) std::copy_n(row, features, copies + k * features);
  }
}

}  // namespace dtesn
