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
    add("panelsMany", worstOf([this](size_t n) { return panelsMany(n); }));
    add("blocks8Many", worstOf([this](size_t n) { return blocksMany(n, 8); }));
    add("blocks16Many", worstOf([this](size_t n) { return blocksMany(n, 16); }));
    // loadAll has no result to check.
    add("multiplyAdds", worstOf([this](size_t n) { return multiplyAdds(n); }));
    return checks_;
  }

 private:
  template <class Check>
  double worstOf(Check check) {
    double worst = 0;
    for (size_t n = 1; n <= 150; n += n < 40 ? 1 : 11) {
      const double error = check(n);
      if (!(error <= worst)) worst = error;
    }
    return worst;
  }

  void add(const char* kernel, double error) {
    checks_.push_back({isa_, kernel, sizeof(T) == 4 ? "f32" : "f64", error, 16.0 * std::numeric_limits<T>::epsilon()});
  }

  double panels(size_t n) {
    const size_t groups = (n + groupRows<T>() - 1) / groupRows<T>();
    const std::vector<T> w = sequence<T>(groups * groupRows<T>() * n, 1), x = sequence<T>(n, 2);
    std::vector<T> got = sequence<T>(groups * groupRows<T>(), 3), wanted = got;
    tested_.panels(w.data(), groups, n, x.data(), got.data());
    plain_.panels(w.data(), groups, n, x.data(), wanted.data());
    return difference(got, wanted, 1.0 + n / 4.0);
  }

  double blocks(size_t n, size_t rows) {
    const size_t degree = n / 3 + 1, count = (n + rows - 1) / rows;
    const std::vector<T> w = sequence<T>(count * rows * degree, 1), x = sequence<T>(n, 2);
    std::vector<uint16_t> columns(count * degree);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint16_t>(i * 7 % n);
    std::vector<T> got = sequence<T>(count * rows, 3), wanted = got;
    auto kernel = rows == 8 ? &Kernels<T>::blocks8 : &Kernels<T>::blocks16;
    (tested_.*kernel)(w.data(), columns.data(), degree, count, x.data(), got.data());
    (plain_.*kernel)(w.data(), columns.data(), degree, count, x.data(), wanted.data());
    return difference(got, wanted, 1.0 + degree / 4.0);
  }

  // As many series as every size of tile needs.
  struct Many {
    Many(size_t n, size_t rows) : count(1 + n % 14), x(sequence<T>(n * count, 2)), y(sequence<T>(rows * count, 3)) {
      for (size_t s = 0; s < count; ++s) {
        xs.push_back(x.data() + s * n);
        ys.push_back(y.data() + s * rows);
      }
    }
    size_t count;
    std::vector<T> x, y;
    std::vector<const T*> xs;
    std::vector<T*> ys;
  };

  double panelsMany(size_t n) {
    const size_t groups = (n + groupRows<T>() - 1) / groupRows<T>();
    const std::vector<T> w = sequence<T>(groups * groupRows<T>() * n, 1);
    Many got(n, groups * groupRows<T>()), wanted(n, groups * groupRows<T>());
    tested_.panelsMany(w.data(), groups, n, got.count, got.xs.data(), got.ys.data());
    plain_.panelsMany(w.data(), groups, n, wanted.count, wanted.xs.data(), wanted.ys.data());
    return difference(got.y, wanted.y, 1.0 + n / 4.0);
  }

  double blocksMany(size_t n, size_t rows) {
    const size_t degree = n / 3 + 1, blocks = (n + rows - 1) / rows;
    const std::vector<T> w = sequence<T>(blocks * rows * degree, 1);
    std::vector<uint16_t> columns(blocks * degree);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint16_t>(i * 7 % n);
    Many got(n, blocks * rows), wanted(n, blocks * rows);
    auto kernel = rows == 8 ? &Kernels<T>::blocks8Many : &Kernels<T>::blocks16Many;
    (tested_.*kernel)(w.data(), columns.data(), degree, blocks, got.count, got.xs.data(), got.ys.data());
    (plain_.*kernel)(w.data(), columns.data(), degree, blocks, wanted.count, wanted.xs.data(), wanted.ys.data());
    return difference(got.y, wanted.y, 1.0 + degree / 4.0);
  }

  double multiplyAdds(size_t n) {
    std::vector<T> got = sequence<T>(kSumBytes / sizeof(T), 3), wanted = got;
    tested_.multiplyAdds(n, T(0.5), T(0.25), got.data());
    plain_.multiplyAdds(n, T(0.5), T(0.25), wanted.data());
    return difference(got, wanted, 1.0);
  }

  double rows(size_t n) {
    const size_t degree = n / 3 + 1;
    const std::vector<T> w = sequence<T>(n * degree, 1), x = sequence<T>(n, 2);
    std::vector<uint32_t> columns(n * degree);
    std::vector<size_t> starts(n + 1);
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<uint32_t>(i * 7 % n);
    for (size_t i = 0; i <= n; ++i) starts[i] = i * degree;
    std::vector<T> got = sequence<T>(n, 3), wanted = got;
    tested_.rows(w.data(), columns.data(), starts.data(), n, x.data(), got.data());
    plain_.rows(w.data(), columns.data(), starts.data(), n, x.data(), wanted.data());
    return difference(got, wanted, 1.0 + degree / 4.0);
  }

  double cycle(size_t n) {
    const std::vector<T> x = sequence<T>(n, 2);
    std::vector<T> got = sequence<T>(n, 3), wanted = got;
    tested_.cycle(T(0.9), n, x.data(), got.data());
    plain_.cycle(T(0.9), n, x.data(), wanted.data());
    return difference(got, wanted, 1.0);
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
