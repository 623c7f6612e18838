#include "simd/scalar.h"

#include <cmath>

namespace dtesn {
namespace {

template <class T>
void panels(const T* w, size_t groups, size_t cols, const T* x, T* y) {
  for (size_t first = 0; first < groups; first += kPanelGroups) {
    const size_t width = (groups - first < kPanelGroups ? groups - first : kPanelGroups) * groupRows<T>();
    for (size_t k = 0; k < cols; ++k, w += width) {
      for (size_t i = 0; i < width; ++i) y[i] += w[i] * x[k];
    }
    y += width;
  }
}

template <class T, size_t Rows>
void blocks(const T* w, const uint16_t* columns, size_t degree, size_t count, const T* x, T* y) {
  for (size_t b = 0; b < count; ++b, columns += degree, y += Rows) {
    for (size_t j = 0; j < degree; ++j, w += Rows) {
      for (size_t i = 0; i < Rows; ++i) y[i] += w[i] * x[columns[j]];
    }
  }
}

template <class T>
void rows(const T* w, const uint32_t* columns, const size_t* starts, size_t count, const T* x, T* y) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = starts[i]; k < starts[i + 1]; ++k) y[i] += w[k] * x[columns[k]];
  }
}

template <class T>
void cycle(T weight, size_t n, const T* x, T* y) {
  for (size_t i = 0; i < n; ++i) y[i] += weight * x[i == 0 ? n - 1 : i - 1];
}

template <class T>
void leakyTanh(const T* drive, const T* leak, size_t n, T* state) {
  for (size_t i = 0; i < n; ++i) state[i] = (1 - leak[i]) * state[i] + leak[i] * std::tanh(drive[i]);
}

template <class T>
void leakyIdentity(const T* drive, const T* leak, size_t n, T* state) {
  for (size_t i = 0; i < n; ++i) state[i] = (1 - leak[i]) * state[i] + leak[i] * drive[i];
}

template <class T>
void panelsMany(const T* w, size_t groups, size_t cols, size_t count, const T* const* xs, T* const* ys) {
  for (size_t s = 0; s < count; ++s) panels(w, groups, cols, xs[s], ys[s]);
}

template <class T, size_t Rows>
void blocksMany(const T* w, const uint16_t* columns, size_t degree, size_t count, size_t series, const T* const* xs,
                T* const* ys) {
  for (size_t s = 0; s < series; ++s) blocks<T, Rows>(w, columns, degree, count, xs[s], ys[s]);
}

template <class T>
void multiplyAdds(size_t rounds, T factor, T addend, T* sums) {
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kSumBytes / sizeof(T); ++i) sums[i] = sums[i] * factor + addend;
  }
}

template <class T>
void loadAll(const T* data, size_t size) {
  for (size_t i = 0; i < size; ++i) static_cast<void>(*static_cast<const volatile T*>(data + i));
}

template <class T>
constexpr Kernels<T> kTable = {panels<T>,        blocks<T, 8>,      blocks<T, 16>,    rows<T>,
                               cycle<T>,         leakyTanh<T>,      leakyIdentity<T>, panelsMany<T>,
                               blocksMany<T, 8>, blocksMany<T, 16>, multiplyAdds<T>,  loadAll<T>};

}  // namespace

template <>
const Kernels<float>& scalarKernels<float>() {
  return kTable<float>;
}

template <>
const Kernels<double>& scalarKernels<double>() {
  return kTable<double>;
}

}  // namespace dtesn
