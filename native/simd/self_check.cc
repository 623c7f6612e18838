#include "simd/self_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dtesn {
namespace {

// Deterministic test data in [-1, 1): a linear congruential sequence is plenty here.
template <class T>
std::vector<T> sequence(size_t n, uint32_t seed) {
  std::vector<T> v(n);
  for (T& value : v) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<T>(static_cast<int32_t>(seed)) / static_cast<T>(2147483648.0);
  }
  return v;
}

template <class T>
double difference(const std::vector<T>& got, const std::vector<T>& wanted, double magnitude) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double d = std::fabs(static_cast<double>(got[i]) - static_cast<double>(wanted[i])) / magnitude;
    if (!(d <= worst)) worst = d;  // a NaN is the worst
  }
  return worst;
}

template <class T>
class Checker {
 public:
  explicit Checker(Isa isa) : isa_(isa), tested_(kernelsFor<T>(isa)), plain_(kernelsFor<T>(Isa::scalar)) {}

  std::vector<KernelCheck> run() {
    add("panels", worstOf([this](size_t n) { return panels(n); }));
    add("blocks8", worstOf([this](size_t n) { return blocks(n, 8); }));
    add("blocks16", worstOf([this](size_t n) { return blocks(n, 16); }));
    add("rows", worstOf([this](size_t n) { return rows(n); }));
    add("cycle", worstOf([this](size_t n) { return cycle(n); }));
    add("leakyTanh", worstOf([this](size_t n) { return leaky(n, &Kernels<T>::leakyTanh, 12); }));
    add("leakyIdentity", worstOf([this](size_t n) { return leaky(n, &Kernels<T>::leakyIdentity, 2); }));
    add("euler", worstOf([this](size_t n) { return leaky(n, &Kernels<T>::euler, 2); }));
    add("mapTanh", worstOf([this](size_t n) { return mapped(n, &Kernels<T>::mapTanh); }));
    add("mapSigmoid", worstOf([this](size_t n) { return mapped(n, &Kernels<T>::mapSigmoid); }));
    add("mapRelu", worstOf([this](size_t n) { return mapped(n, &Kernels<T>::mapRelu); }), 0);
    add("mapSine", worstOf([this](size_t n) { return mapped(n, &Kernels<T>::mapSine); }));
    add("mapSoftplus", worstOf([this](size_t n) { return mapped(n, &Kernels<T>::mapSoftplus); }));
    add("panelsMany", worstOf([this](size_t n) { return panelsMany(n); }));
    add("blocks8Many", worstOf([this](size_t n) { return blocksMany(n, 8); }));
    add("blocks16Many", worstOf([this](size_t n) { return blocksMany(n, 16); }));
    add("rowsMany", worstOf([this](size_t n) { return rowsMany(n); }));
    // loadAll has no result to check.
    add("permutation", worstOf([this](size_t n) { return permutation(n); }));
    add("hadamard", worstOfPowers([this](size_t n) { return hadamard(n); }));
    add("exactPanels", worstOf([this](size_t n) { return exactPanels(n); }), 0);
    add("exactBlocks 8", worstOf([this](size_t n) { return exactBlocks(n, 8); }), 0);
    add("exactBlocks 16", worstOf([this](size_t n) { return exactBlocks(n, 16); }), 0);
    add("addMoments", worstOf([this](size_t n) { return addMoments(n); }), 0);
    add("squares", worstOf([this](size_t n) { return squares(n); }), 0);
    if constexpr (sizeof(T) == 8) {
      add("dot", worstOf([this](size_t n) { return dot(n); }), 0);
      add("addScaled", worstOf([this](size_t n) { return addScaled(n); }), 0);
    } else {
      add("bf16Panels", worstOf([this](size_t n) { return narrowPanels(n, 2); }));
      add("int8Panels", worstOf([this](size_t n) { return narrowPanels(n, 4); }));
      add("bf16Blocks", worstOf([this](size_t n) { return narrowBlocks<uint16_t>(n, 8 + n % 2 * 8); }));
      add("int8Blocks", worstOf([this](size_t n) { return narrowBlocks<int8_t>(n, 8 + n % 2 * 8); }));
    }
    if constexpr (sizeof(T) == 8) {
      add("outer", worstOf([this](size_t n) { return outer(n); }));
      add("reflect", worstOf([this](size_t n) { return reflect(n); }));
      add("symmetric", worstOf([this](size_t n) { return symmetric(n); }));
    }
    add("multiplyAdds", worstOf([this](size_t n) { return multiplyAdds(n); }));
    return checks_;
  }

 private:
  // Every size with several panels or blocks is walked from one of its ends; the plain loops go forwards only.
  static Sweep sweepOf(size_t n) { return n % 3 == 0 ? Sweep::backwards : Sweep::forwards; }

  template <class Check>
  double worstOf(Check check) {
    double worst = 0;
    for (size_t n = 1; n <= 150; n += n < 40 ? 1 : 11) {
      const double error = check(n);
      if (!(error <= worst)) worst = error;
    }
    return worst;
  }

  // The powers of two, past the length from which a Hadamard transform is cut into rows.
  template <class Check>
  double worstOfPowers(Check check) {
    double worst = 0;
    for (size_t n = 1; n <= size_t{1} << 14; n *= 2) {
      const double error = check(n);
      if (!(error <= worst)) worst = error;
    }
    return worst;
  }

  void add(const char* kernel, double error, double tolerance = 16.0 * std::numeric_limits<T>::epsilon()) {
    checks_.push_back({isa_, kernel, sizeof(T) == 4 ? "f32" : "f64", error, tolerance});
  }

  double panels(size_t n) {
    const size_t groups = (n + groupRows<T>() - 1) / groupRows<T>();
    const std::vector<T> w = sequence<T>(groups * groupRows<T>() * n, 1), x = sequence<T>(n, 2);
    std::vector<T> got = sequence<T>(groups * groupRows<T>(), 3), wanted = got;
    tested_.panels(w.data(), groups, n, x.data(), got.data(), sweepOf(n));
    plain_.panels(w.data(), groups, n, x.data(), wanted.data(), sweepOf(n));
    return difference(got, wanted, 1.0 + n / 4.0);
  }

  double blocks(size_t n, size_t rows) {
    const size_t degree = n / 3 + 1, count = (n + rows - 1) / rows;
    const std::vector<T> w = sequence<T>(count * rows * degree, 1), x = sequence<T>(n, 2);
    std::vector<uint16_t> columns(count * degree);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint16_t>(i * 7 % n);
    std::vector<T> got = sequence<T>(count * rows, 3), wanted = got;
    auto kernel = rows == 8 ? &Kernels<T>::blocks8 : &Kernels<T>::blocks16;
    (tested_.*kernel)(w.data(), columns.data(), degree, count, x.data(), got.data(), sweepOf(n));
    (plain_.*kernel)(w.data(), columns.data(), degree, count, x.data(), wanted.data(), sweepOf(n));
    return difference(got, wanted, 1.0 + degree / 4.0);
  }

  // As many series as every size of tile needs.
  struct Many {
    Many(size_t n, size_t rows)
        : count(1 + n % 37),
          x(sequence<T>(n * count, 2)),
          y(sequence<T>(rows * count, 3)),
          work(workOfBlocks(count, n)) {
      for (size_t s = 0; s < count; ++s) {
        xs.push_back(x.data() + s * n);
        ys.push_back(y.data() + s * rows);
      }
    }
    size_t count;
    std::vector<T> x, y;
    std::vector<const T*> xs;
    std::vector<T*> ys;
    std::vector<T> work;
  };

  double panelsMany(size_t n) {
    const size_t groups = (n + groupRows<T>() - 1) / groupRows<T>();
    const std::vector<T> w = sequence<T>(groups * groupRows<T>() * n, 1);
    Many got(n, groups * groupRows<T>()), wanted(n, groups * groupRows<T>());
    tested_.panelsMany(w.data(), groups, n, got.count, got.xs.data(), got.ys.data(), sweepOf(n));
    plain_.panelsMany(w.data(), groups, n, wanted.count, wanted.xs.data(), wanted.ys.data(), sweepOf(n));
    return difference(got.y, wanted.y, 1.0 + n / 4.0);
  }

  double blocksMany(size_t n, size_t rows) {
    const size_t degree = n / 3 + 1, blocks = (n + rows - 1) / rows;
    const std::vector<T> w = sequence<T>(blocks * rows * degree, 1);
    std::vector<uint16_t> columns(blocks * degree);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint16_t>(i * 7 % n);
    Many got(n, blocks * rows), wanted(n, blocks * rows);
    auto kernel = rows == 8 ? &Kernels<T>::blocks8Many : &Kernels<T>::blocks16Many;
    (tested_.*kernel)(w.data(), columns.data(), degree, blocks, n, got.count, got.xs.data(), got.ys.data(),
                      got.work.data(), sweepOf(n));
    (plain_.*kernel)(w.data(), columns.data(), degree, blocks, n, wanted.count, wanted.xs.data(), wanted.ys.data(),
                     nullptr, sweepOf(n));
    return difference(got.y, wanted.y, 1.0 + degree / 4.0);
  }

  double multiplyAdds(size_t n) {
    std::vector<T> got = sequence<T>(kSumBytes / sizeof(T), 3), wanted = got;
    tested_.multiplyAdds(n, T(0.5), T(0.25), got.data());
    plain_.multiplyAdds(n, T(0.5), T(0.25), wanted.data());
    return difference(got, wanted, 1.0);
  }

  // Rows of n / 3 to 2 n / 3 entries.
  struct Rows {
    explicit Rows(size_t n) : starts(n + 1) {
      for (size_t i = 0; i < n; ++i) starts[i + 1] = starts[i] + (n + i) / 3;
      columns.resize(starts[n]);
      for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint32_t>(i * 7 % n);
      w = sequence<T>(columns.size(), 1);
    }
    std::vector<size_t> starts;
    std::vector<uint32_t> columns;
    std::vector<T> w;
    double longest() const { return static_cast<double>(starts.back() - starts[starts.size() - 2]); }
  };

  double rows(size_t n) {
    const Rows a(n);
    const std::vector<T> x = sequence<T>(n, 2);
    std::vector<T> got = sequence<T>(n, 3), wanted = got;
    tested_.rows(a.w.data(), a.columns.data(), a.starts.data(), n, x.data(), got.data());
    plain_.rows(a.w.data(), a.columns.data(), a.starts.data(), n, x.data(), wanted.data());
    return difference(got, wanted, 1.0 + a.longest() / 4.0);
  }

  double rowsMany(size_t n) {
    const Rows a(n);
    Many got(n, n), wanted(n, n);
    tested_.rowsMany(a.w.data(), a.columns.data(), a.starts.data(), n, n, got.count, got.xs.data(), got.ys.data(),
                     got.work.data());
    plain_.rowsMany(a.w.data(), a.columns.data(), a.starts.data(), n, n, wanted.count, wanted.xs.data(),
                    wanted.ys.data(), nullptr);
    return difference(got.y, wanted.y, 1.0 + a.longest() / 4.0);
  }

  double cycle(size_t n) {
    const std::vector<T> x = sequence<T>(n, 2);
    std::vector<T> got = sequence<T>(n, 3), wanted = got;
    tested_.cycle(T(0.9), n, x.data(), got.data());
    plain_.cycle(T(0.9), n, x.data(), wanted.data());
    return difference(got, wanted, 1.0);
  }

  double permutation(size_t n) {
    const std::vector<T> x = sequence<T>(n, 2);
    std::vector<uint32_t> places(n);
    for (size_t i = 0; i < n; ++i) places[i] = static_cast<uint32_t>((i + n / 2) % n);
    std::vector<T> got = sequence<T>(n, 3), wanted = got;
    tested_.permutation(T(0.9), places.data(), n, x.data(), got.data());
    plain_.permutation(T(0.9), places.data(), n, x.data(), wanted.data());
    return difference(got, wanted, 1.0);
  }

  double hadamard(size_t n) {
    const std::vector<T> x = sequence<T>(n, 2);
    std::vector<uint32_t> signs(3 * ((n + 31) / 32));
    for (size_t w = 0; w < signs.size(); ++w) signs[w] = static_cast<uint32_t>(w + 1) * 2654435761u;
    std::vector<T> work(hadamardWork<T>(n)), got = sequence<T>(n, 3), wanted = got;
    const double weight = 1 / (static_cast<double>(n) * std::sqrt(static_cast<double>(n)));
    tested_.hadamard(signs.data(), n, static_cast<T>(weight), x.data(), work.data(), got.data());
    plain_.hadamard(signs.data(), n, static_cast<T>(weight), x.data(), work.data(), wanted.data());
    return difference(got, wanted, 1.0);
  }

  double exactPanels(size_t n) {
    const size_t groups = (n + groupRows<T>() - 1) / groupRows<T>();
    const std::vector<T> w = sequence<T>(groups * groupRows<T>() * n, 1);
    const std::vector<double> x = sequence<double>(n, 2);
    std::vector<double> got(groups * groupRows<T>()), wanted = got;
    tested_.exactPanels(w.data(), groups, n, x.data(), got.data());
    plain_.exactPanels(w.data(), groups, n, x.data(), wanted.data());
    return difference(got, wanted, 1.0);
  }

  double addMoments(size_t n) {
    const std::vector<T> x = sequence<T>(n, 1);
    std::vector<double> got = sequence<double>(2 * n, 2), wanted = got;
    tested_.addMoments(x.data(), n, got.data(), got.data() + n);
    plain_.addMoments(x.data(), n, wanted.data(), wanted.data() + n);
    return difference(got, wanted, 1.0);
  }

  double squares(size_t n) {
    const std::vector<T> x = sequence<T>(n, 1);
    const std::vector<double> got{tested_.squares(x.data(), n)}, wanted{plain_.squares(x.data(), n)};
    return difference(got, wanted, 1.0);
  }

  double exactBlocks(size_t n, size_t rows) {
    const size_t degree = n / 3 + 1, count = (n + rows - 1) / rows;
    const std::vector<T> w = sequence<T>(count * rows * degree, 1);
    const std::vector<double> x = sequence<double>(n, 2);
    std::vector<uint16_t> columns(count * degree);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint16_t>(i * 7 % n);
    std::vector<double> got(count * rows), wanted = got;
    tested_.exactBlocks(w.data(), columns.data(), degree, count, rows, x.data(), got.data());
    plain_.exactBlocks(w.data(), columns.data(), degree, count, rows, x.data(), wanted.data());
    return difference(got, wanted, 1.0);
  }

  double dot(size_t n) {
    const std::vector<double> a = sequence<double>(n, 1), b = sequence<double>(n, 2);
    const std::vector<double> got = {exactKernelsFor(isa_).dot(a.data(), b.data(), n)};
    const std::vector<double> wanted = {exactKernelsFor(Isa::scalar).dot(a.data(), b.data(), n)};
    return difference(got, wanted, 1.0);
  }

  double addScaled(size_t n) {
    const std::vector<double> x = sequence<double>(n, 1);
    std::vector<double> got = sequence<double>(n, 2), wanted = got;
    exactKernelsFor(isa_).addScaled(0.3, x.data(), got.data(), n);
    exactKernelsFor(Isa::scalar).addScaled(0.3, x.data(), wanted.data(), n);
    return difference(got, wanted, 1.0);
  }

  double narrowPanels(size_t n, size_t columnsAWord) {
    const size_t groups = (n + groupRows<T>() - 1) / groupRows<T>(), rows = groups * groupRows<T>();
    const std::vector<T> x = sequence<T>(n, 2), scales(rows, T(1.0 / 128));
    std::vector<uint32_t> w(rows * ((n + columnsAWord - 1) / columnsAWord));
    for (size_t i = 0; i < w.size(); ++i) {
      const uint32_t bits = static_cast<uint32_t>(i + 1) * 2654435761u;
      w[i] = columnsAWord == 4 ? bits : (bits & 0x807f807fu) | 0x3e803e80u;  // bf16 of modulus in [0.25, 0.5)
    }
    std::vector<T> got = sequence<T>(rows, 3), wanted = got;
    const NarrowKernels &tested = narrowKernelsFor(isa_), &plain = narrowKernelsFor(Isa::scalar);
    if (columnsAWord == 2) {
      tested.bf16Panels(w.data(), groups, n, x.data(), got.data(), sweepOf(n));
      plain.bf16Panels(w.data(), groups, n, x.data(), wanted.data(), sweepOf(n));
    } else {
      tested.int8Panels(w.data(), scales.data(), groups, n, x.data(), got.data(), sweepOf(n));
      plain.int8Panels(w.data(), scales.data(), groups, n, x.data(), wanted.data(), sweepOf(n));
    }
    return difference(got, wanted, 1.0 + n / 4.0);
  }

  // One series and many, one after the other.
  template <class W>
  double narrowBlocks(size_t n, size_t rows) {
    const size_t degree = n / 3 + 1, blocks = (n + rows - 1) / rows;
    std::vector<T> scales = sequence<T>(blocks * rows, 4);
    for (T& scale : scales) scale /= 128;
    std::vector<W> w(blocks * rows * degree);
    for (size_t i = 0; i < w.size(); ++i) {
      const uint32_t bits = static_cast<uint32_t>(i + 1) * 2654435761u >> 16;
      w[i] = static_cast<W>(sizeof(W) == 1 ? bits : (bits & 0x807fu) | 0x3e80u);  // bf16 of modulus in [0.25, 0.5)
    }
    std::vector<uint16_t> columns(blocks * degree);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint16_t>(i * 7 % n);
    Many got(n, blocks * rows), wanted(n, blocks * rows);
    for (const auto& [isa, y] : {std::make_pair(isa_, &got), std::make_pair(Isa::scalar, &wanted)}) {
      const NarrowKernels& k = narrowKernelsFor(isa);
      if constexpr (sizeof(W) == 1) {
        k.int8Blocks(w.data(), scales.data(), columns.data(), degree, blocks, rows, y->xs[0], y->ys[0], sweepOf(n));
        k.int8BlocksMany(w.data(), scales.data(), columns.data(), degree, blocks, rows, n, y->count, y->xs.data(),
                         y->ys.data(), y->work.data(), sweepOf(n));
      } else {
        k.bf16Blocks(w.data(), columns.data(), degree, blocks, rows, y->xs[0], y->ys[0], sweepOf(n));
        k.bf16BlocksMany(w.data(), columns.data(), degree, blocks, rows, n, y->count, y->xs.data(), y->ys.data(),
                         y->work.data(), sweepOf(n));
      }
    }
    return difference(got.y, wanted.y, 1.0 + degree / 4.0);
  }

  double outer(size_t n) {
    const std::vector<double> a = sequence<double>(n * kStripWidth, 1), b = sequence<double>(n * kStripWidth, 2);
    std::vector<double> got = sequence<double>(kStripWidth * kStripWidth, 3), wanted = got;
    trainingKernelsFor(isa_).outer(a.data(), b.data(), n, 0.5, -0.75, got.data());
    trainingKernelsFor(Isa::scalar).outer(a.data(), b.data(), n, 0.5, -0.75, wanted.data());
    return difference(got, wanted, 1.0 + n / 4.0);
  }

  // Strip and dots one after the other, so that both are compared.
  double reflect(size_t n) {
    std::vector<double> got = sequence<double>((n + 1) * kStripWidth, 3), wanted = got;
    const std::vector<double> weights = sequence<double>(kStripWidth, 1);
    const size_t column = n % kStripWidth, next = n * 7 % kStripWidth;
    trainingKernelsFor(isa_).reflect(got.data(), n, weights.data(), column, next, got.data() + n * kStripWidth);
    trainingKernelsFor(Isa::scalar)
        .reflect(wanted.data(), n, weights.data(), column, next, wanted.data() + n * kStripWidth);
    return difference(got, wanted, 1.0 + n / 2.0);
  }

  // y and the partial sums one after the other.
  double symmetric(size_t n) {
    const std::vector<double> strip = sequence<double>((n + kStripWidth) * kStripWidth, 1);
    const std::vector<double> x = sequence<double>(n, 2), part = sequence<double>(kStripWidth, 4);
    std::vector<double> got = sequence<double>(kStripWidth + 8 * n, 3), wanted = got;
    trainingKernelsFor(isa_).symmetric(strip.data(), n, x.data(), part.data(), got.data() + kStripWidth, got.data());
    trainingKernelsFor(Isa::scalar)
        .symmetric(strip.data(), n, x.data(), part.data(), wanted.data() + kStripWidth, wanted.data());
    return difference(got, wanted, 1.0 + n / 4.0);
  }

  double leaky(size_t n, void (*Kernels<T>::*kernel)(const T*, const T*, size_t, T*), double range) {
    std::vector<T> drive = sequence<T>(roundUp(n, 16), 4), leak = sequence<T>(roundUp(n, 16), 5);
    for (T& v : drive) v *= static_cast<T>(range);
    for (T& v : leak) v = (v + 1) / 2;
    std::vector<T> got = sequence<T>(n, 3), wanted = got;
    (tested_.*kernel)(drive.data(), leak.data(), n, got.data());
    (plain_.*kernel)(drive.data(), leak.data(), n, wanted.data());
    return difference(got, wanted, 1.0);
  }

  // The element behind the last one must stay as it is.
  double mapped(size_t n, void (*Kernels<T>::*kernel)(T*, size_t)) {
    std::vector<T> got = sequence<T>(n + 1, 4);
    for (T& v : got) v *= 12;
    std::vector<T> wanted = got;
    (tested_.*kernel)(got.data(), n);
    (plain_.*kernel)(wanted.data(), n);
    return got[n] == wanted[n] ? difference(got, wanted, 1.0) : std::numeric_limits<double>::infinity();
  }

  Isa isa_;
  const Kernels<T>& tested_;
  const Kernels<T>& plain_;
  std::vector<KernelCheck> checks_;
};

}  // namespace

std::vector<KernelCheck> checkKernels(Isa isa) {
  std::vector<KernelCheck> checks = Checker<float>(isa).run();
  const std::vector<KernelCheck> wide = Checker<double>(isa).run();
  checks.insert(checks.end(), wide.begin(), wide.end());
  return checks;
}

}  // namespace dtesn
