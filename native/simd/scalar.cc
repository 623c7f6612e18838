#include "simd/scalar.h"

#include <cmath>
#include <cstring>

#include "simd/rounded.h"

namespace dtesn {
namespace {

template <class T>
void panels(const T* w, size_t groups, size_t cols, const T* x, T* y, Sweep) {
  for (size_t first = 0; first < groups; first += kPanelGroups) {
    const size_t width = (groups - first < kPanelGroups ? groups - first : kPanelGroups) * groupRows<T>();
    for (size_t k = 0; k < cols; ++k, w += width) {
      for (size_t i = 0; i < width; ++i) y[i] += w[i] * x[k];
    }
    y += width;
  }
}

template <class T, size_t Rows>
void blocks(const T* w, const uint16_t* columns, size_t degree, size_t count, const T* x, T* y, Sweep) {
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
void rowsMany(const T* w, const uint32_t* columns, const size_t* starts, size_t count, size_t, size_t series,
              const T* const* xs, T* const* ys, T*) {
  for (size_t s = 0; s < series; ++s) rows(w, columns, starts, count, xs[s], ys[s]);
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
void mapTanh(T* drive, size_t n) {
  for (size_t i = 0; i < n; ++i) drive[i] = std::tanh(drive[i]);
}

template <class T>
void mapSigmoid(T* drive, size_t n) {
  for (size_t i = 0; i < n; ++i) drive[i] = T(0.5) + T(0.5) * std::tanh(drive[i] * T(0.5));
}

template <class T>
void mapRelu(T* drive, size_t n) {
  for (size_t i = 0; i < n; ++i) drive[i] = drive[i] < 0 ? T(0) : drive[i];
}

template <class T>
void mapSine(T* drive, size_t n) {
  for (size_t i = 0; i < n; ++i) drive[i] = std::sin(drive[i]);
}

// exp would bind a newer C library than Node needs: 1 / (1 + (e^|z| - 1)) is e^-|z|.
template <class T>
void mapSoftplus(T* drive, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const T decay = 1 / (1 + std::expm1(std::fabs(drive[i])));
    drive[i] = (drive[i] < 0 ? T(0) : drive[i]) + std::log1p(decay);
  }
}

template <class T>
void euler(const T* change, const T* step, size_t n, T* state) {
  for (size_t i = 0; i < n; ++i) state[i] += step[i] * change[i];
}

template <class T>
void panelsMany(const T* w, size_t groups, size_t cols, size_t count, const T* const* xs, T* const* ys, Sweep sweep) {
  for (size_t s = 0; s < count; ++s) panels(w, groups, cols, xs[s], ys[s], sweep);
}

template <class T, size_t Rows>
void blocksMany(const T* w, const uint16_t* columns, size_t degree, size_t count, size_t, size_t series,
                const T* const* xs, T* const* ys, T*, Sweep sweep) {
  for (size_t s = 0; s < series; ++s) blocks<T, Rows>(w, columns, degree, count, xs[s], ys[s], sweep);
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
void permutation(T weight, const uint32_t* places, size_t n, const T* x, T* y) {
  for (size_t i = 0; i < n; ++i) y[i] += weight * x[places[i]];
}

template <class T>
void hadamard(const uint32_t* signs, size_t n, T weight, const T* x, T* work, T* y) {
  for (size_t i = 0; i < n; ++i) work[i] = x[i];
  for (size_t transform = 3; transform-- > 0;) {
    const uint32_t* d = signs + transform * ((n + 31) / 32);
    for (size_t i = 0; i < n; ++i) work[i] = d[i / 32] >> i % 32 & 1 ? -work[i] : work[i];
    for (size_t bit = 1; bit < n; bit *= 2) {
      for (size_t i = 0; i < n; ++i) {
        if (i & bit) continue;
        const T a = work[i], b = work[i | bit];
        work[i] = a + b;
        work[i | bit] = a - b;
      }
    }
  }
  for (size_t i = 0; i < n; ++i) y[i] += weight * work[i];
}

// Rounded before it is added, also where the compiler may fuse.
template <class T>
double roundedProduct(T weight, double x) {
  double product = static_cast<double>(weight) * x;
  DTESN_ROUNDED(product);
  return product;
}

template <class T>
void exactPanels(const T* w, size_t groups, size_t cols, const double* x, double* y) {
  for (size_t first = 0; first < groups; first += kPanelGroups) {
    const size_t width = (groups - first < kPanelGroups ? groups - first : kPanelGroups) * groupRows<T>();
    for (size_t i = 0; i < width; ++i) y[i] = 0;
    for (size_t k = 0; k < cols; ++k, w += width) {
      for (size_t i = 0; i < width; ++i) y[i] += roundedProduct(w[i], x[k]);
    }
    y += width;
  }
}

template <class T>
void exactBlocks(const T* w, const uint16_t* columns, size_t degree, size_t blocks, size_t rows, const double* x,
                 double* y) {
  for (size_t b = 0; b < blocks; ++b, w += rows * degree, columns += degree, y += rows) {
    for (size_t i = 0; i < rows; ++i) {
      double sum[4] = {0, 0, 0, 0};
      for (size_t j = 0; j < degree; ++j) sum[j % 4] += roundedProduct(w[j * rows + i], x[columns[j]]);
      y[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  }
}

template <class T>
double productSum(const T* a, const T* b, size_t n) {
  double sum[16] = {};
  for (size_t i = 0; i < n; ++i) sum[i % 16] += roundedProduct(a[i], static_cast<double>(b[i]));
  for (size_t apart = 8; apart > 0; apart /= 2) {
    for (size_t i = 0; i < apart; ++i) sum[i] += sum[i + apart];
  }
  return sum[0];
}

double dot(const double* a, const double* b, size_t n) { return productSum(a, b, n); }

void addScaled(double s, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += roundedProduct(s, x[i]);
}

// Column k of a row in a panel of narrow weights, `columnsAWord` of them in a word.
uint32_t narrowBits(const uint32_t* panel, size_t width, size_t columnsAWord, size_t row, size_t k) {
  return panel[k / columnsAWord * width + row] >> k % columnsAWord * (32 / columnsAWord);
}

float bf16Weight(uint32_t bits) {
  const uint32_t word = bits << 16;
  float weight;
  std::memcpy(&weight, &word, sizeof(weight));
  return weight;
}

void bf16Panels(const uint32_t* w, size_t groups, size_t cols, const float* x, float* y, Sweep) {
  for (size_t first = 0; first < groups; first += kPanelGroups) {
    const size_t width = (groups - first < kPanelGroups ? groups - first : kPanelGroups) * groupRows<float>();
    for (size_t i = 0; i < width; ++i) {
      for (size_t k = 0; k < cols; ++k) y[i] += bf16Weight(narrowBits(w, width, 2, i, k)) * x[k];
    }
    w += width * ((cols + 1) / 2);
    y += width;
  }
}

void int8Panels(const uint32_t* w, const float* scales, size_t groups, size_t cols, const float* x, float* y, Sweep) {
  for (size_t first = 0; first < groups; first += kPanelGroups) {
    const size_t width = (groups - first < kPanelGroups ? groups - first : kPanelGroups) * groupRows<float>();
    for (size_t i = 0; i < width; ++i) {
      float sum = 0;
      for (size_t k = 0; k < cols; ++k) {
        sum += static_cast<float>(static_cast<int>(narrowBits(w, width, 4, i, k) & 0xff) - 128) * x[k];
      }
      y[i] += sum * scales[i];
    }
    w += width * ((cols + 3) / 4);
    scales += width;
    y += width;
  }
}

// `weight(i)` is element i of the blocks' weights, without its scale.
template <class Weight>
void narrowBlocks(Weight weight, const float* scales, const uint16_t* columns, size_t degree, size_t blocks,
                  size_t rows, const float* x, float* y) {
  for (size_t i = 0; i < blocks * rows; ++i) {
    const size_t b = i / rows;
    float sum = 0;
    for (size_t j = 0; j < degree; ++j) {
      sum += weight((b * degree + j) * rows + i % rows) * x[columns[b * degree + j]];
    }
    y[i] += scales == nullptr ? sum : sum * scales[i];
  }
}

void bf16Blocks(const uint16_t* w, const uint16_t* columns, size_t degree, size_t blocks, size_t rows, const float* x,
                float* y, Sweep) {
  narrowBlocks([w](size_t i) { return bf16Weight(w[i]); }, nullptr, columns, degree, blocks, rows, x, y);
}

void int8Blocks(const int8_t* w, const float* scales, const uint16_t* columns, size_t degree, size_t blocks,
                size_t rows, const float* x, float* y, Sweep) {
  narrowBlocks([w](size_t i) { return static_cast<float>(w[i]); }, scales, columns, degree, blocks, rows, x, y);
}

void bf16BlocksMany(const uint16_t* w, const uint16_t* columns, size_t degree, size_t blocks, size_t rows, size_t,
                    size_t count, const float* const* xs, float* const* ys, float*, Sweep sweep) {
  for (size_t s = 0; s < count; ++s) bf16Blocks(w, columns, degree, blocks, rows, xs[s], ys[s], sweep);
}

void int8BlocksMany(const int8_t* w, const float* scales, const uint16_t* columns, size_t degree, size_t blocks,
                    size_t rows, size_t, size_t count, const float* const* xs, float* const* ys, float*, Sweep sweep) {
  for (size_t s = 0; s < count; ++s) int8Blocks(w, scales, columns, degree, blocks, rows, xs[s], ys[s], sweep);
}

void outer(const double* a, const double* b, size_t steps, double keep, double factor, double* c) {
  for (size_t i = 0; i < kStripWidth; ++i) {
    for (size_t j = 0; j < kStripWidth; ++j) {
      double sum = 0;
      for (size_t t = 0; t < steps; ++t) sum += a[t * kStripWidth + i] * b[t * kStripWidth + j];
      c[i * kStripWidth + j] = keep * c[i * kStripWidth + j] + factor * sum;
    }
  }
}

void reflect(double* strip, size_t rows, const double* weights, size_t column, size_t next, double* dots) {
  for (size_t j = 0; j < kStripWidth; ++j) dots[j] = 0;
  for (size_t t = 0; t < rows; ++t, strip += kStripWidth) {
    const double old = strip[column];
    for (size_t j = 0; j < kStripWidth; ++j) strip[j] -= old * weights[j];
    for (size_t j = 0; j < kStripWidth; ++j) dots[j] += strip[next] * strip[j];
  }
}

void symmetric(const double* strip, size_t mirrored, const double* x, const double* part, double* partial, double* y) {
  for (size_t t = 0; t < mirrored + kStripWidth; ++t, strip += kStripWidth) {
    const bool above = t < mirrored;
    for (size_t j = 0; j < kStripWidth; ++j) {
      y[j] += strip[j] * (above ? x[t] : part[t - mirrored]);
      if (above) partial[t * 8 + j % 8] += strip[j] * part[j];
    }
  }
}

template <class T>
void addMoments(const T* x, size_t n, double* sum, double* magnitude) {
  for (size_t i = 0; i < n; ++i) {
    sum[i] += x[i];
    magnitude[i] += std::fabs(static_cast<double>(x[i]));
  }
}

template <class T>
double squares(const T* x, size_t n) {
  return productSum(x, x, n);
}

template <class T>
constexpr Kernels<T> kTable = {panels<T>,       blocks<T, 8>,     blocks<T, 16>,  rows<T>,          cycle<T>,
                               leakyTanh<T>,    leakyIdentity<T>, panelsMany<T>,  blocksMany<T, 8>, blocksMany<T, 16>,
                               multiplyAdds<T>, loadAll<T>,       permutation<T>, hadamard<T>,      exactPanels<T>,
                               exactBlocks<T>,  rowsMany<T>,      mapTanh<T>,     mapSigmoid<T>,    mapRelu<T>,
                               mapSine<T>,      mapSoftplus<T>,   euler<T>,       addMoments<T>,    squares<T>};

constexpr ExactKernels kExactTable = {dot, addScaled};
constexpr NarrowKernels kNarrowTable = {bf16Panels, int8Panels, bf16Blocks, int8Blocks, bf16BlocksMany, int8BlocksMany};

constexpr TrainingKernels kTrainingTable = {outer, reflect, symmetric};

}  // namespace

template <>
const Kernels<float>& scalarKernels<float>() {
  return kTable<float>;
}

template <>
const Kernels<double>& scalarKernels<double>() {
  return kTable<double>;
}

const ExactKernels& scalarExactKernels() { return kExactTable; }

const NarrowKernels& scalarNarrowKernels() { return kNarrowTable; }

const TrainingKernels& scalarTrainingKernels() { return kTrainingTable; }

}  // namespace dtesn
