// The error of every kernel in units in the last place, on every instruction set this machine has.
//
//   error = max |result - reference| / ulp(magnitude)
//
// The reference is computed in a wider type: f64 for f32, long double for f64 (left out where that is no wider). The
// magnitude is the sum of the magnitudes of the terms for sums and laws of motion, the result itself for tanh, and 1,
// or max(1, z), for the other activations and the Hadamard transform.
//
// Inputs: weights and states of both signs in [-1, 1), up to 4,096 columns, drives in [-12, 12), and for the sine also
// in [-1e5, 1e5). Prints one line for each set, type and kernel, which scripts/kernel-errors.mjs makes a table of;
// fails where an error is larger than its bound.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "simd/kernels.h"
#include "test/check.h"

using dtesn::Isa;
using dtesn::Kernels;
using dtesn::roundUp;
using dtesn::Sweep;
using std::size_t;
using std::vector;

template <class T>
using Wider = std::conditional_t<sizeof(T) == 4, double, long double>;

// Uniform on [-scale, scale): a linear congruential sequence.
template <class T>
static vector<T> sequence(size_t n, uint32_t seed, double scale = 1) {
  vector<T> values(n);
  for (T& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<T>(static_cast<int32_t>(seed) / 2147483648.0 * scale);
  }
  return values;
}

// Kept as a maximum: a NaN is larger than all.
class Worst {
 public:
  template <class T>
  void add(T got, Wider<T> exact, Wider<T> magnitude) {
    using Limits = std::numeric_limits<T>;
    const Wider<T> size = std::max<Wider<T>>(std::fabs(magnitude), Limits::min());
    const Wider<T> ulp = std::ldexp(Wider<T>(1), std::ilogb(size) - Limits::digits + 1);
    const double error = static_cast<double>(std::fabs(got - exact) / ulp);
    if (!(error <= value_)) value_ = error;
  }
  double value() const { return value_; }

 private:
  double value_ = 0;
};

// A sum and the magnitudes of its terms.
template <class W>
struct Sum {
  W value = 0, magnitude = 0;
  void add(W a, W b = 1) {
    value += a * b;
    magnitude += std::fabs(a * b);
  }
};

constexpr size_t kSizes[] = {1, 2, 3, 5, 8, 13, 16, 17, 31, 64, 100, 127, 150, 256, 1000, 4096};

static Sweep sweepOf(size_t n) { return n % 3 == 0 ? Sweep::backwards : Sweep::forwards; }

// Series for the kernels of many: x has n elements, y has `rows`.
template <class T>
struct Series {
  Series(size_t n, size_t rows, size_t count_)
      : count(count_),
        x(sequence<T>(n * count, 2)),
        y(sequence<T>(rows * count, 3)),
        start(y),
        work(dtesn::workOfBlocks(count, n)) {
    for (size_t s = 0; s < count; ++s) {
      xs.push_back(x.data() + s * n);
      ys.push_back(y.data() + s * rows);
    }
  }
  size_t count;
  vector<T> x, y, start, work;
  vector<const T*> xs;
  vector<T*> ys;
};

template <class T>
class Errors {
 public:
  using W = Wider<T>;
  explicit Errors(Isa isa) : isa_(isa), k_(dtesn::kernelsFor<T>(isa)) {}

  void print() {
    const char *const terms = "terms", *const one = "1", *const result = "result";
    over("panels", terms, 8, [this](size_t n, Worst& w) { panels(n, 1, w); });
    over("panelsMany", terms, 8, [this](size_t n, Worst& w) { panels(n, 2 + n % 18, w); });
    for (const size_t rows : {8, 16}) {
      over(rows == 8 ? "blocks8" : "blocks16", terms, 8, [=](size_t n, Worst& w) { blocks(n, rows, 1, w); });
      over(rows == 8 ? "blocks8Many" : "blocks16Many", terms, 8,
           [=](size_t n, Worst& w) { blocks(n, rows, 2 + n % 18, w); });
    }
    over("rows", terms, 8, [this](size_t n, Worst& w) { rows(n, 1, w); });
    over("rowsMany", terms, 8, [this](size_t n, Worst& w) { rows(n, 2 + n % 18, w); });
    over("cycle", terms, 2, [this](size_t n, Worst& w) { cycle(n, w); });
    over("permutation", terms, 2, [this](size_t n, Worst& w) { permutation(n, w); });
    over("hadamard", one, 16, [this](size_t n, Worst& w) { hadamard(n, w); });
    over("leakyTanh", terms, 4, [this](size_t n, Worst& w) { law(&Kernels<T>::leakyTanh, n, w); });
    over("leakyIdentity", terms, 4, [this](size_t n, Worst& w) { law(&Kernels<T>::leakyIdentity, n, w); });
    over("euler", terms, 2, [this](size_t n, Worst& w) { law(&Kernels<T>::euler, n, w); });
    const auto itself = [](W, W f) { return f; };
    const auto unit = [](W, W) { return W(1); };
    map(
        "mapTanh", result, 3, &Kernels<T>::mapTanh, [](W z) { return std::tanh(z); }, itself);
    map(
        "mapSigmoid", one, 2, &Kernels<T>::mapSigmoid, [](W z) { return 1 / (1 + std::exp(-z)); }, unit);
    map(
        "mapRelu", result, 0, &Kernels<T>::mapRelu, [](W z) { return z < 0 ? W(0) : z; }, itself);
    map(
        "mapSine", one, 2, &Kernels<T>::mapSine, [](W z) { return std::sin(z); }, unit, 1e5);
    map(
        "mapSoftplus", "max(1, z)", 3, &Kernels<T>::mapSoftplus,
        [](W z) { return (z < 0 ? W(0) : z) + std::log1p(std::exp(-std::fabs(z))); },
        [](W z, W) { return std::max(W(1), z); });
    over("multiplyAdds", one, 2, [this](size_t n, Worst& w) { multiplyAdds(n % 50, w); });
    if constexpr (sizeof(T) == 4) {
      over("bf16Panels", terms, 8, [this](size_t n, Worst& w) { narrowPanels(n, 2, w); });
      over("int8Panels", terms, 8, [this](size_t n, Worst& w) { narrowPanels(n, 4, w); });
      over("bf16Blocks", terms, 8, [this](size_t n, Worst& w) { narrowBlocks<uint16_t>(n, w); });
      over("int8Blocks", terms, 8, [this](size_t n, Worst& w) { narrowBlocks<int8_t>(n, w); });
    }
    if (std::numeric_limits<long double>::digits == std::numeric_limits<double>::digits) return;
    over("exactPanels", terms, 8, [this](size_t n, Worst& w) { exactPanels(n, w); });
    over("exactBlocks 8", terms, 8, [this](size_t n, Worst& w) { exactBlocks(n, 8, w); });
    over("exactBlocks 16", terms, 8, [this](size_t n, Worst& w) { exactBlocks(n, 16, w); });
    over("addMoments", terms, 2, [this](size_t n, Worst& w) { addMoments(n, w); });
    over("squares", terms, 8, [this](size_t n, Worst& w) { squares(n, w); });
    if constexpr (sizeof(T) == 8) {
      over("dot", terms, 8, [this](size_t n, Worst& w) { dot(n, w); });
      over("addScaled", terms, 2, [this](size_t n, Worst& w) { addScaled(n, w); });
      over("outer", terms, 8, [this](size_t n, Worst& w) { outer(n, w); });
      over("reflect", terms, 24, [this](size_t n, Worst& w) { reflect(n, w); });
      over("symmetric", terms, 8, [this](size_t n, Worst& w) { symmetric(n, w); });
    }
  }

 private:
  void report(const char* kernel, const char* magnitude, double bound, const Worst& worst) {
    std::printf("%s\t%s\t%s\t%s\t%.2f\t%g\n", dtesn::isaName(isa_), sizeof(T) == 4 ? "f32" : "f64", kernel, magnitude,
                worst.value(), bound);
    CHECK(worst.value() <= bound);
  }

  template <class Measure>
  void over(const char* kernel, const char* magnitude, double bound, Measure measure) {
    Worst worst;
    for (size_t n : kSizes) measure(n, worst);
    report(kernel, magnitude, bound, worst);
  }

  // Of `rows` rows: those of wide matrices are few, so that the reference stays affordable.
  static size_t rowsOf(size_t n) { return std::min<size_t>(n, n > 256 ? 37 : 130); }

  // `terms(i, x, sum)` adds the terms of row i; y began as `start`.
  template <class V, class Terms>
  static void compare(const V* y, const V* start, size_t rows, Worst& worst, Terms terms) {
    for (size_t i = 0; i < rows; ++i) {
      Sum<Wider<V>> sum;
      sum.add(start[i]);
      terms(i, sum);
      worst.add(y[i], sum.value, sum.magnitude);
    }
  }

  // Where a panel keeps element (i, k): the panels before, and its own columns before.
  static size_t inPanel(size_t i, size_t k, size_t padded, size_t cols) {
    const size_t most = dtesn::kPanelGroups * dtesn::groupRows<T>(), first = i / most * most;
    return first * cols + k * std::min(most, padded - first) + i % most;
  }

  void panels(size_t n, size_t count, Worst& worst) {
    const size_t padded = roundUp(rowsOf(n), dtesn::groupRows<T>()), groups = padded / dtesn::groupRows<T>();
    const vector<T> a = sequence<T>(padded * n, 1);
    Series<T> s(n, padded, count);
    if (count == 1) {
      k_.panels(a.data(), groups, n, s.xs[0], s.ys[0], sweepOf(n));
    } else {
      k_.panelsMany(a.data(), groups, n, count, s.xs.data(), s.ys.data(), sweepOf(n));
    }
    for (size_t c = 0; c < count; ++c) {
      compare(s.ys[c], s.start.data() + c * padded, padded, worst, [&](size_t i, Sum<W>& sum) {
        for (size_t k = 0; k < n; ++k) sum.add(a[inPanel(i, k, padded, n)], s.xs[c][k]);
      });
    }
  }

  // Blocks over n columns: of element (i, j) of row i, its place among the weights and its column.
  struct Blocks {
    Blocks(size_t n, size_t rows_)
        : rows(rows_), degree(n / 3 + 1), count((rowsOf(n) + rows_ - 1) / rows_), columns(count * degree) {
      for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint16_t>(i * 7 % n);
    }
    size_t size() const { return count * rows; }
    size_t place(size_t i, size_t j) const { return (i / rows * degree + j) * rows + i % rows; }
    size_t column(size_t i, size_t j) const { return columns[i / rows * degree + j]; }
    size_t rows, degree, count;
    vector<uint16_t> columns;
  };

  void blocks(size_t n, size_t rows, size_t count, Worst& worst) {
    const Blocks b(n, rows);
    const vector<T> a = sequence<T>(b.size() * b.degree, 1);
    Series<T> s(n, b.size(), count);
    if (count == 1) {
      (rows == 8 ? k_.blocks8 : k_.blocks16)(a.data(), b.columns.data(), b.degree, b.count, s.xs[0], s.ys[0],
                                             sweepOf(n));
    } else {
      (rows == 8 ? k_.blocks8Many : k_.blocks16Many)(a.data(), b.columns.data(), b.degree, b.count, n, count,
                                                     s.xs.data(), s.ys.data(), s.work.data(), sweepOf(n));
    }
    for (size_t c = 0; c < count; ++c) {
      compare(s.ys[c], s.start.data() + c * b.size(), b.size(), worst, [&](size_t i, Sum<W>& sum) {
        for (size_t j = 0; j < b.degree; ++j) sum.add(a[b.place(i, j)], s.xs[c][b.column(i, j)]);
      });
    }
  }

  void rows(size_t n, size_t count, Worst& worst) {
    const size_t size = rowsOf(n);
    vector<size_t> starts(size + 1);
    for (size_t i = 0; i < size; ++i) starts[i + 1] = starts[i] + (n + i) / 3;
    vector<uint32_t> columns(starts[size]);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint32_t>(i * 7 % n);
    const vector<T> a = sequence<T>(columns.size(), 1);
    Series<T> s(n, size, count);
    if (count == 1) {
      k_.rows(a.data(), columns.data(), starts.data(), size, s.xs[0], s.ys[0]);
    } else {
      k_.rowsMany(a.data(), columns.data(), starts.data(), size, n, count, s.xs.data(), s.ys.data(), s.work.data());
    }
    for (size_t c = 0; c < count; ++c) {
      compare(s.ys[c], s.start.data() + c * size, size, worst, [&](size_t i, Sum<W>& sum) {
        for (size_t k = starts[i]; k < starts[i + 1]; ++k) sum.add(a[k], s.xs[c][columns[k]]);
      });
    }
  }

  void cycle(size_t n, Worst& worst) {
    Series<T> s(n, n, 1);
    k_.cycle(T(0.9), n, s.xs[0], s.ys[0]);
    compare(s.ys[0], s.start.data(), n, worst, [&](size_t i, Sum<W>& sum) { sum.add(T(0.9), s.x[(i + n - 1) % n]); });
  }

  void permutation(size_t n, Worst& worst) {
    vector<uint32_t> places(n);
    for (size_t i = 0; i < n; ++i) places[i] = static_cast<uint32_t>((i + n / 2) % n);
    Series<T> s(n, n, 1);
    k_.permutation(T(0.9), places.data(), n, s.xs[0], s.ys[0]);
    compare(s.ys[0], s.start.data(), n, worst, [&](size_t i, Sum<W>& sum) { sum.add(T(0.9), s.x[places[i]]); });
  }

  // Of the next power of two, and for the last size of 2^16, which is cut into rows.
  void hadamard(size_t atLeast, Worst& worst) {
    size_t n = atLeast == 4096 ? size_t{1} << 16 : 1;
    while (n < atLeast) n *= 2;
    const size_t words = (n + 31) / 32;
    vector<uint32_t> signs(3 * words);
    for (size_t w = 0; w < signs.size(); ++w) signs[w] = static_cast<uint32_t>(w + 1) * 2654435761u;
    Series<T> s(n, n, 1);
    vector<T> work(dtesn::hadamardWork<T>(n));
    const T weight = static_cast<T>(1 / std::pow(static_cast<double>(n), 1.5));
    k_.hadamard(signs.data(), n, weight, s.xs[0], work.data(), s.ys[0]);
    vector<W> z(s.x.begin(), s.x.end());
    for (size_t transform = 3; transform-- > 0;) {
      for (size_t i = 0; i < n; ++i) {
        if (signs[transform * words + i / 32] >> i % 32 & 1) z[i] = -z[i];
      }
      for (size_t bit = 1; bit < n; bit *= 2) {
        for (size_t i = 0; i < n; ++i) {
          if (i & bit) continue;
          const W a = z[i], b = z[i | bit];
          z[i] = a + b;
          z[i | bit] = a - b;
        }
      }
    }
    for (size_t i = 0; i < n; ++i) worst.add(s.y[i], s.start[i] + weight * z[i], W(1));
  }

  void law(void (*Kernels<T>::*kernel)(const T*, const T*, size_t, T*), size_t n, Worst& worst) {
    const bool isTanh = kernel == &Kernels<T>::leakyTanh, isEuler = kernel == &Kernels<T>::euler;
    const vector<T> drive = sequence<T>(roundUp(n, 16), 4, isTanh ? 12 : 2);
    vector<T> rate = sequence<T>(roundUp(n, 16), 5);
    for (T& r : rate) r = (r + 1) / 2;
    const vector<T> start = sequence<T>(n, 3);
    vector<T> state = start;
    (k_.*kernel)(drive.data(), rate.data(), n, state.data());
    for (size_t i = 0; i < n; ++i) {
      Sum<W> sum;
      sum.add(start[i], isEuler ? W(1) : 1 - static_cast<W>(rate[i]));
      sum.add(rate[i], isTanh ? std::tanh(static_cast<W>(drive[i])) : static_cast<W>(drive[i]));
      worst.add(state[i], sum.value, sum.magnitude);
    }
  }

  template <class Function, class Magnitude>
  void map(const char* name, const char* unit, double bound, void (*Kernels<T>::*kernel)(T*, size_t), Function f,
           Magnitude magnitude, double farthest = 0) {
    vector<T> z = sequence<T>(20000, 4, 12);
    for (double tiny = 1e-30; tiny < 1; tiny *= 3) z.insert(z.end(), {static_cast<T>(tiny), static_cast<T>(-tiny)});
    if (farthest > 0) {
      const vector<T> far = sequence<T>(20000, 6, farthest);
      z.insert(z.end(), far.begin(), far.end());
    }
    vector<T> got = z;
    (k_.*kernel)(got.data(), got.size());
    Worst worst;
    for (size_t i = 0; i < z.size(); ++i) {
      const W exact = f(z[i]);
      worst.add(got[i], exact, magnitude(z[i], exact));
    }
    report(name, unit, bound, worst);
  }

  void multiplyAdds(size_t rounds, Worst& worst) {
    const vector<T> start = sequence<T>(dtesn::kSumBytes / sizeof(T), 3);
    vector<T> sums = start;
    k_.multiplyAdds(rounds, T(0.7), T(0.3), sums.data());
    for (size_t i = 0; i < sums.size(); ++i) {
      W sum = start[i];
      for (size_t r = 0; r < rounds; ++r) sum = sum * T(0.7) + T(0.3);
      worst.add(sums[i], sum, W(1));
    }
  }

  static float bf16(uint32_t bits) {
    const double fraction = 1 + (bits & 0x7f) / 128.0;
    return static_cast<float>(
        std::ldexp(bits & 0x8000 ? -fraction : fraction, static_cast<int>(bits >> 7 & 0xff) - 127));
  }
  // bf16 of modulus in [0.25, 0.5).
  static uint32_t bf16Bits(uint32_t random) { return (random & 0x807fu) | 0x3e80u; }

  void narrowPanels(size_t n, size_t together, Worst& worst) {
    const size_t padded = roundUp(rowsOf(n), 16), words = (n + together - 1) / together;
    const vector<float> scales(padded, 1.0f / 127);
    vector<uint32_t> a(padded * words);
    for (size_t i = 0; i < a.size(); ++i) {
      const uint32_t random = static_cast<uint32_t>(i + 1) * 2654435761u;
      a[i] = together == 4 ? random : bf16Bits(random) | bf16Bits(random >> 16) << 16;
    }
    Series<float> s(n, padded, 1);
    const dtesn::NarrowKernels& narrow = dtesn::narrowKernelsFor(isa_);
    if (together == 2) {
      narrow.bf16Panels(a.data(), padded / 16, n, s.xs[0], s.ys[0], sweepOf(n));
    } else {
      narrow.int8Panels(a.data(), scales.data(), padded / 16, n, s.xs[0], s.ys[0], sweepOf(n));
    }
    compare(s.ys[0], s.start.data(), padded, worst, [&](size_t i, Sum<double>& sum) {
      for (size_t k = 0; k < n; ++k) {
        const uint32_t bits = a[inPanel(i, k / together, padded, words)] >> k % together * (32 / together);
        const double weight = together == 2 ? bf16(bits & 0xffff)
                                            : (static_cast<int>(bits & 0xff) - 128) * static_cast<double>(scales[i]);
        sum.add(weight, s.x[k]);
      }
    });
  }

  // Blocks of 8 and of 16 rows, for one series and for many.
  template <class N>
  void narrowBlocks(size_t n, Worst& worst) {
    for (const size_t rows : {8, 16}) {
      const Blocks b(n, rows);
      const vector<float> scales(b.size(), 1.0f / 127);
      vector<N> a(b.size() * b.degree);
      for (size_t i = 0; i < a.size(); ++i) {
        const uint32_t random = static_cast<uint32_t>(i + 1) * 2654435761u >> 16;
        a[i] = static_cast<N>(sizeof(N) == 1 ? random : bf16Bits(random));
      }
      for (const size_t count : {size_t{1}, 2 + n % 18}) {
        Series<float> s(n, b.size(), count);
        runNarrowBlocks(a.data(), scales.data(), b, n, s);
        for (size_t c = 0; c < count; ++c) {
          compare(s.ys[c], s.start.data() + c * b.size(), b.size(), worst, [&](size_t i, Sum<double>& sum) {
            for (size_t j = 0; j < b.degree; ++j) {
              const N bits = a[b.place(i, j)];
              const double weight =
                  sizeof(N) == 1 ? bits * static_cast<double>(scales[i]) : bf16(static_cast<uint16_t>(bits));
              sum.add(weight, s.xs[c][b.column(i, j)]);
            }
          });
        }
      }
    }
  }

  template <class N>
  void runNarrowBlocks(const N* a, const float* scales, const Blocks& b, size_t n, Series<float>& s) {
    const dtesn::NarrowKernels& k = dtesn::narrowKernelsFor(isa_);
    const uint16_t* const columns = b.columns.data();
    const bool alone = s.count == 1;
    if constexpr (sizeof(N) == 1) {
      if (alone) return k.int8Blocks(a, scales, columns, b.degree, b.count, b.rows, s.xs[0], s.ys[0], sweepOf(n));
      k.int8BlocksMany(a, scales, columns, b.degree, b.count, b.rows, n, s.count, s.xs.data(), s.ys.data(),
                       s.work.data(), sweepOf(n));
    } else {
      if (alone) return k.bf16Blocks(a, columns, b.degree, b.count, b.rows, s.xs[0], s.ys[0], sweepOf(n));
      k.bf16BlocksMany(a, columns, b.degree, b.count, b.rows, n, s.count, s.xs.data(), s.ys.data(), s.work.data(),
                       sweepOf(n));
    }
  }

  void exactPanels(size_t n, Worst& worst) {
    const size_t padded = roundUp(rowsOf(n), dtesn::groupRows<T>());
    const vector<T> a = sequence<T>(padded * n, 1);
    const vector<double> x = sequence<double>(n, 2), zero(padded);
    vector<double> y(padded);
    k_.exactPanels(a.data(), padded / dtesn::groupRows<T>(), n, x.data(), y.data());
    compare(y.data(), zero.data(), padded, worst, [&](size_t i, Sum<long double>& sum) {
      for (size_t k = 0; k < n; ++k) sum.add(a[inPanel(i, k, padded, n)], x[k]);
    });
  }

  void exactBlocks(size_t n, size_t rows, Worst& worst) {
    const Blocks b(n, rows);
    const vector<T> a = sequence<T>(b.size() * b.degree, 1);
    const vector<double> x = sequence<double>(n, 2), zero(b.size());
    vector<double> y(b.size());
    k_.exactBlocks(a.data(), b.columns.data(), b.degree, b.count, rows, x.data(), y.data());
    compare(y.data(), zero.data(), b.size(), worst, [&](size_t i, Sum<long double>& sum) {
      for (size_t j = 0; j < b.degree; ++j) sum.add(a[b.place(i, j)], x[b.column(i, j)]);
    });
  }

  void addMoments(size_t n, Worst& worst) {
    const vector<T> x = sequence<T>(n, 1);
    const vector<double> start = sequence<double>(2 * n, 2);
    vector<double> y = start;
    k_.addMoments(x.data(), n, y.data(), y.data() + n);
    compare(y.data(), start.data(), 2 * n, worst, [&](size_t i, Sum<long double>& sum) {
      sum.add(i < n ? static_cast<long double>(x[i]) : std::fabs(static_cast<long double>(x[i - n])));
    });
  }

  void squares(size_t n, Worst& worst) {
    const vector<T> x = sequence<T>(n, 1);
    const double zero = 0, y = k_.squares(x.data(), n);
    compare(&y, &zero, 1, worst, [&](size_t, Sum<long double>& sum) {
      for (size_t k = 0; k < n; ++k) sum.add(x[k], x[k]);
    });
  }

  void dot(size_t n, Worst& worst) {
    const vector<double> a = sequence<double>(n, 1), b = sequence<double>(n, 2);
    const double got = dtesn::exactKernelsFor(isa_).dot(a.data(), b.data(), n), zero = 0;
    compare(&got, &zero, 1, worst, [&](size_t, Sum<W>& sum) {
      for (size_t i = 0; i < n; ++i) sum.add(a[i], b[i]);
    });
  }

  void addScaled(size_t n, Worst& worst) {
    Series<double> s(n, n, 1);
    dtesn::exactKernelsFor(isa_).addScaled(0.3, s.xs[0], s.ys[0], n);
    compare(s.ys[0], s.start.data(), n, worst, [&](size_t i, Sum<W>& sum) { sum.add(0.3, s.x[i]); });
  }

  static constexpr size_t kWidth = dtesn::kStripWidth;

  void outer(size_t steps, Worst& worst) {
    const vector<double> a = sequence<double>(steps * kWidth, 1), b = sequence<double>(steps * kWidth, 2);
    const vector<double> start = sequence<double>(kWidth * kWidth, 3);
    vector<double> c = start;
    dtesn::trainingKernelsFor(isa_).outer(a.data(), b.data(), steps, 0.7, -0.3, c.data());
    for (size_t i = 0; i < c.size(); ++i) {
      Sum<W> sum;
      sum.add(0.7, start[i]);
      for (size_t t = 0; t < steps; ++t) {
        sum.add(static_cast<W>(-0.3) * a[t * kWidth + i / kWidth], b[t * kWidth + i % kWidth]);
      }
      worst.add(c[i], sum.value, sum.magnitude);
    }
  }

  void reflect(size_t rows, Worst& worst) {
    const vector<double> start = sequence<double>(rows * kWidth, 3), weights = sequence<double>(kWidth, 1);
    const size_t column = rows % kWidth, next = rows * 7 % kWidth;
    vector<double> strip = start, dots(kWidth);
    dtesn::trainingKernelsFor(isa_).reflect(strip.data(), rows, weights.data(), column, next, dots.data());
    vector<Sum<W>> sums(kWidth);
    for (size_t t = 0; t < rows; ++t) {
      const double* const from = start.data() + t * kWidth;
      const auto reflected = [&](size_t j) {
        Sum<W> sum;
        sum.add(from[j]);
        sum.add(-static_cast<W>(from[column]), weights[j]);
        return sum;
      };
      const Sum<W> ahead = reflected(next);
      for (size_t j = 0; j < kWidth; ++j) {
        const Sum<W> row = reflected(j);
        worst.add(strip[t * kWidth + j], row.value, row.magnitude);
        sums[j].value += ahead.value * row.value;
        sums[j].magnitude += ahead.magnitude * row.magnitude;
      }
    }
    for (size_t j = 0; j < kWidth; ++j) worst.add(dots[j], sums[j].value, sums[j].magnitude);
  }

  void symmetric(size_t mirrored, Worst& worst) {
    const vector<double> strip = sequence<double>((mirrored + kWidth) * kWidth, 1);
    const vector<double> x = sequence<double>(mirrored, 2), part = sequence<double>(kWidth, 4);
    const vector<double> startY = sequence<double>(kWidth, 3), start = sequence<double>(8 * mirrored, 5);
    vector<double> y = startY, partial = start;
    dtesn::trainingKernelsFor(isa_).symmetric(strip.data(), mirrored, x.data(), part.data(), partial.data(), y.data());
    compare(y.data(), startY.data(), kWidth, worst, [&](size_t j, Sum<W>& sum) {
      for (size_t t = 0; t < mirrored; ++t) sum.add(strip[t * kWidth + j], x[t]);
      for (size_t t = 0; t < kWidth; ++t) sum.add(strip[(mirrored + t) * kWidth + j], part[t]);
    });
    compare(partial.data(), start.data(), partial.size(), worst, [&](size_t i, Sum<W>& sum) {
      for (size_t j = i % 8; j < kWidth; j += 8) sum.add(strip[i / 8 * kWidth + j], part[j]);
    });
  }

  Isa isa_;
  const Kernels<T>& k_;
};

int main() {
  for (Isa isa : dtesn::availableIsas()) {
    Errors<float>(isa).print();
    if (std::numeric_limits<long double>::digits > std::numeric_limits<double>::digits) Errors<double>(isa).print();
  }
  return 0;
}
