// The kernels: every loop that knows an instruction set, as one const table of functions per set and element type.
//
// Layouts
//   panels: rows in groups of 64 bytes (16 f32, 8 f64), up to four groups a panel; a panel stores, column by column,
//   the
//           weights of all its rows, so one broadcast of x[k] meets contiguous weights.
//   blocks: 8 or 16 consecutive rows share their column list; a block stores, column by column, the weights of its
//   rows. rows:   compressed sparse rows (CSR).
// All products accumulate: y += A x. Outputs have room for the padded rows; the padding holds zeros.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dtesn {

enum class Isa { scalar, sse2, avx2, avx512, neon };

constexpr size_t kGroupBytes = 64;
constexpr size_t kPanelGroups = 4;
constexpr size_t kSumBytes = 12 * 64;

template <class T>
constexpr size_t groupRows() {
  return kGroupBytes / sizeof(T);
}

constexpr size_t roundUp(size_t n, size_t step) { return (n + step - 1) / step * step; }

template <class T>
struct Kernels {
  // Traffic: 64 groups cols bytes of weights, read once. Operations: 2 a weight.
  void (*panels)(const T* weights, size_t groups, size_t cols, const T* x, T* y);
  // Traffic: sizeof(T) + 2 / rows bytes a weight. `columns` holds `degree` entries a block.
  void (*blocks8)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, const T* x, T* y);
  void (*blocks16)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, const T* x, T* y);
  // Traffic: sizeof(T) + 4 bytes a weight and one gathered read of x each.
  void (*rows)(const T* weights, const uint32_t* columns, const size_t* starts, size_t rows, const T* x, T* y);
  // y[i] += weight x[i - 1], indices modulo n.
  void (*cycle)(T weight, size_t n, const T* x, T* y);
  // state = (1 - leak) state + leak tanh(drive). Error of tanh: 2 ULP (f32), 3 ULP (f64). drive and leak have room to
  // the next multiple of 16 elements.
  void (*leakyTanh)(const T* drive, const T* leak, size_t n, T* state);
  // state = (1 - leak) state + leak drive.
  void (*leakyIdentity)(const T* drive, const T* leak, size_t n, T* state);
  // The same products for `count` series, xs[s] and ys[s] where they lie. Operations: 2 a weight and series; the
  // weights are read once for six series.
  void (*panelsMany)(const T* weights, size_t groups, size_t cols, size_t count, const T* const* xs, T* const* ys);
  void (*blocks8Many)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, size_t count,
                      const T* const* xs, T* const* ys);
  void (*blocks16Many)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, size_t count,
                       const T* const* xs, T* const* ys);
  // sum = sum * factor + addend, `rounds` times, on kSumBytes of independent sums. Traffic: none within a round.
  void (*multiplyAdds)(size_t rounds, T factor, T addend, T* sums);
  // Loads `size` elements, whole 512 bytes only, into registers and drops them. Traffic: sizeof(T) an element.
  void (*loadAll)(const T* data, size_t size);
};

const char* isaName(Isa isa);
// The sets this machine has, slowest first; always begins with scalar.
std::vector<Isa> availableIsas();
// The set in use: the last available one, or the one DTESN_ISA names. Throws std::invalid_argument for an unknown or
// unavailable name.
Isa activeIsa();

template <class T>
const Kernels<T>& kernelsFor(Isa isa);

template <class T>
const Kernels<T>& kernels() {
  static const Kernels<T>& table = kernelsFor<T>(activeIsa());
  return table;
}

}  // namespace dtesn
