// Operations that see one element at a time. One pass: the series is read and written once. NaN stays NaN.
#pragma once

#include <cmath>
#include <cstddef>

namespace dtesn {

// y = min(max(x, min), max)
template <class T>
inline void clip(T* data, size_t size, T min, T max) {
  for (size_t i = 0; i < size; ++i) {
    const T v = data[i] < min ? min : data[i];
    data[i] = v > max ? max : v;
  }
}

// y = x·factor + offset
template <class T>
inline void scale(T* data, size_t size, T factor, T offset) {
  for (size_t i = 0; i < size; ++i) data[i] = data[i] * factor + offset;
}

// y = sign(x)·ln(1 + |x|), in f64: the C library's log1p is faster there than in f32.
template <class T>
inline void log1p(T* data, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    const double x = data[i];
    data[i] = static_cast<T>(std::copysign(std::log1p(std::fabs(x)), x));
  }
}

}  // namespace dtesn
