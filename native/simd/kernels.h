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

// From which end a product walks the panels or blocks of its matrix. Successive steps alternate, so
// that a matrix larger than a cache is read first where it is still cached. The numbers are the same.
enum class Sweep { forwards, backwards };

inline Sweep turned(Sweep sweep) { return sweep == Sweep::forwards ? Sweep::backwards : Sweep::forwards; }

constexpr size_t kGroupBytes = 64;
constexpr size_t kPanelGroups = 4;
constexpr size_t kSumBytes = 12 * 64;
// Of a Hadamard transform: bytes of a row, and those left free between two.
constexpr size_t kHadamardRow = 16384;
constexpr size_t kHadamardGap = 128;

template <class T>
constexpr size_t groupRows() {
  return kGroupBytes / sizeof(T);
}

constexpr size_t roundUp(size_t n, size_t step) { return (n + step - 1) / step * step; }

template <class T>
struct Kernels {
  // Traffic: 64 groups cols bytes of weights, read once. Operations: 2 a weight.
  void (*panels)(const T* weights, size_t groups, size_t cols, const T* x, T* y, Sweep sweep);
  // Traffic: sizeof(T) + 2 / rows bytes a weight. `columns` holds `degree` entries a block.
  void (*blocks8)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, const T* x, T* y,
                  Sweep sweep);
  void (*blocks16)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, const T* x, T* y,
                   Sweep sweep);
  // Traffic: sizeof(T) + 4 bytes a weight and one gathered read of x each.
  void (*rows)(const T* weights, const uint32_t* columns, const size_t* starts, size_t rows, const T* x, T* y);
  // y[i] += weight x[i - 1], indices modulo n. Traffic: x once, y read and written. Operations: 2 an element.
  void (*cycle)(T weight, size_t n, const T* x, T* y);
  // state = (1 - leak) state + leak tanh(drive). Error of tanh: 2 ULP (f32), 3 ULP (f64). drive and leak have room to
  // the next multiple of 16 elements.
  void (*leakyTanh)(const T* drive, const T* leak, size_t n, T* state);
  // state = (1 - leak) state + leak drive. Traffic: three elements read, one written. Operations: 4 an element.
  void (*leakyIdentity)(const T* drive, const T* leak, size_t n, T* state);
  // The same products for `count` series, xs[s] and ys[s] where they lie. Operations: 2 a weight and series; dense
  // weights are read once for six series, the others once. work: workOfBlocks or workOfRows elements.
  void (*panelsMany)(const T* weights, size_t groups, size_t cols, size_t count, const T* const* xs, T* const* ys,
                     Sweep sweep);
  void (*blocks8Many)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, size_t cols,
                      size_t count, const T* const* xs, T* const* ys, T* work, Sweep sweep);
  void (*blocks16Many)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, size_t cols,
                       size_t count, const T* const* xs, T* const* ys, T* work, Sweep sweep);
  // sum = sum * factor + addend, `rounds` times, on kSumBytes of independent sums. Traffic: none within a round.
  void (*multiplyAdds)(size_t rounds, T factor, T addend, T* sums);
  // Loads `size` elements, whole 512 bytes only, into registers and drops them. Traffic: sizeof(T) an element.
  void (*loadAll)(const T* data, size_t size);
  // y[i] += weight x[places[i]]. Traffic: 4 bytes a place, x once, y read and written. Operations: 2 an element.
  void (*permutation)(T weight, const uint32_t* places, size_t n, const T* x, T* y);
  // y += weight H D1 H D2 H D3 x for n a power of two; signs: a bit an element, 1 for -1, (n + 31) / 32 words for each
  // of D1, D2, D3; work has hadamardWork<T>(n) elements. Traffic: x and y once, work seven times, of n elements.
  void (*hadamard)(const uint32_t* signs, size_t n, T weight, const T* x, T* work, T* y);
  // y = A x in f64, the same bits on every set; panels and blocks as above. Traffic: the weights
  // and columns once. Operations: 2 a weight.
  void (*exactPanels)(const T* weights, size_t groups, size_t cols, const double* x, double* y);
  void (*exactBlocks)(const T* weights, const uint16_t* columns, size_t degree, size_t blocks, size_t rows,
                      const double* x, double* y);
  void (*rowsMany)(const T* weights, const uint32_t* columns, const size_t* starts, size_t rows, size_t cols,
                   size_t count, const T* const* xs, T* const* ys, T* work);
  // drive = f(drive) in place, for n elements and no more: see simd/activations.inl for the errors.
  void (*mapTanh)(T* drive, size_t n);
  void (*mapSigmoid)(T* drive, size_t n);
  void (*mapRelu)(T* drive, size_t n);
  void (*mapSine)(T* drive, size_t n);
  void (*mapSoftplus)(T* drive, size_t n);
  // state += step change; change and step have room to the next multiple of 16 elements.
  void (*euler)(const T* change, const T* step, size_t n, T* state);
  // sum += x, magnitude += |x|; the same bits on every set. Traffic: x once, both sums read and written.
  void (*addMoments)(const T* x, size_t n, double* sum, double* magnitude);
  // Σ x² in the order of ExactKernels::dot; the same bits on every set.
  double (*squares)(const T* x, size_t n);
};

// Room for whole groups of series side by side, whatever the lanes of a set.
constexpr size_t workOfRows(size_t count, size_t cols) { return roundUp(count, 16) * roundUp(cols, 16); }
// That, and room for the weights of four blocks.
constexpr size_t workOfBlocks(size_t count, size_t cols) { return workOfRows(count + 4 * 16, cols); }

template <class T>
constexpr size_t hadamardWork(size_t n) {
  return n + n * sizeof(T) / kHadamardRow * (kHadamardGap / sizeof(T));
}

// f64 vectors; the same bits on every set.
struct ExactKernels {
  // Sixteen sums side by side, the elements i to sum i mod 16; then those 8, 4, 2 and 1 apart are added.
  // Traffic: both vectors once. Operations: 2 an element.
  double (*dot)(const double* a, const double* b, size_t n);
  // y += s x. Traffic: two elements read, one written. Operations: 2 an element.
  void (*addScaled)(double s, const double* x, double* y, size_t n);
};

// y += A x for weights of one or two bytes; vectors and sums are f32. Blocks as above; panels too, but with several
// consecutive columns of a row in one 32-bit word: two bf16, or four int8. An int8 q stands for q scales[row]; panels
// store it as 128 + q.
struct NarrowKernels {
  // Traffic: 2 bytes a weight. Error: that of f32 sums.
  void (*bf16Panels)(const uint32_t* weights, size_t groups, size_t cols, const float* x, float* y, Sweep sweep);
  // Traffic: 1 byte a weight. Error: that of f32 sums; with VNNI that of x in 24-bit fixed point.
  void (*int8Panels)(const uint32_t* weights, const float* scales, size_t groups, size_t cols, const float* x, float* y,
                     Sweep sweep);
  // Of blocks of 8 or 16 rows. Traffic: 2 or 1 bytes a weight, 2 / rows for its column. Error: that of f32 sums.
  void (*bf16Blocks)(const uint16_t* weights, const uint16_t* columns, size_t degree, size_t blocks, size_t rows,
                     const float* x, float* y, Sweep sweep);
  void (*int8Blocks)(const int8_t* weights, const float* scales, const uint16_t* columns, size_t degree, size_t blocks,
                     size_t rows, const float* x, float* y, Sweep sweep);
  void (*bf16BlocksMany)(const uint16_t* weights, const uint16_t* columns, size_t degree, size_t blocks, size_t rows,
                         size_t cols, size_t count, const float* const* xs, float* const* ys, float* work, Sweep sweep);
  void (*int8BlocksMany)(const int8_t* weights, const float* scales, const uint16_t* columns, size_t degree,
                         size_t blocks, size_t rows, size_t cols, size_t count, const float* const* xs,
                         float* const* ys, float* work, Sweep sweep);
};

// Columns of a strip: strips are row-major and contiguous, so that three of the widest vectors hold a row.
constexpr size_t kStripWidth = 24;

// What training runs on, all f64. A tile is the kStripWidth rows of a strip.
struct TrainingKernels {
  // c = keep c + factor a' b for strips a and b of `steps` rows and a tile c. Traffic: 384 bytes a row. Operations: 2
  // kStripWidth^2 a row.
  void (*outer)(const double* a, const double* b, size_t steps, double keep, double factor, double* c);
  // Row by row: row -= row[column] weights, then dots += row[next] row; dots begins at zero. Traffic: each row once.
  void (*reflect)(double* strip, size_t rows, const double* weights, size_t column, size_t next, double* dots);
  // The share of one strip in P x for a symmetric P, of which it has `mirrored` rows above the diagonal, which stand
  // for those below it too, and the tile on it: y += strip' [x; part], and partial[8 t ..] += terms of strip[t] part,
  // whose sum belongs to row t. Traffic: 192 bytes a row of P, and 128 of partial.
  void (*symmetric)(const double* strip, size_t mirrored, const double* x, const double* part, double* partial,
                    double* y);
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

const TrainingKernels& trainingKernelsFor(Isa isa);

inline const TrainingKernels& trainingKernels() {
  static const TrainingKernels& table = trainingKernelsFor(activeIsa());
  return table;
}

const ExactKernels& exactKernelsFor(Isa isa);
const NarrowKernels& narrowKernelsFor(Isa isa);

inline const ExactKernels& exactKernels() {
  static const ExactKernels& table = exactKernelsFor(activeIsa());
  return table;
}

inline const NarrowKernels& narrowKernels() {
  static const NarrowKernels& table = narrowKernelsFor(activeIsa());
  return table;
}

}  // namespace dtesn
