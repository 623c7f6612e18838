#include "linalg/period.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "linalg/fixed_order.h"

namespace dtesn {
namespace {

// Steps from row 0 to each row.
std::vector<size_t> distances(Span<const double> a, size_t n) {
  std::vector<size_t> distance(n, n), queue(1, 0);
  distance[0] = 0;
  for (size_t next = 0; next < queue.size(); ++next) {
    const size_t i = queue[next];
    for (size_t k = 0; k < n; ++k) {
      if (a[i * n + k] == 0 || distance[k] != n) continue;
      distance[k] = distance[i] + 1;
      queue.push_back(k);
    }
  }
  return distance;
}

// mantissa 2^exponent with the mantissa in [0.5, 1).
struct Scaled {
  double mantissa;
  int exponent;
};

Scaled scaled(double value, int exponent) {
  int shift = 0;
  const double mantissa = std::frexp(value, &shift);
  return {mantissa, exponent + shift};
}

Scaled power(double base, size_t h) {
  Scaled result{0.5, 1}, square = scaled(base, 0);
  for (; h > 0; h /= 2) {
    if (h % 2 == 1) result = scaled(result.mantissa * square.mantissa, result.exponent + square.exponent);
    square = scaled(square.mantissa * square.mantissa, 2 * square.exponent);
  }
  return result;
}

}  // namespace

int normalise(std::vector<double>& elements) {
  double largest = 0;
  for (double value : elements) largest = std::max(largest, std::fabs(value));
  if (largest == 0) return 0;
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (double& value : elements) value = std::ldexp(value, -exponent);
  return exponent;
}

Classes periodicClasses(Span<const double> a, size_t n) {
  const std::vector<size_t> distance = distances(a, n);
  size_t period = 0;
  for (size_t i = 0; i < n && period != 1; ++i) {
    for (size_t k = 0; k < n; ++k) {
      if (a[i * n + k] == 0) continue;
      const size_t there = distance[i] + 1, direct = distance[k];
      period = std::gcd(period, there > direct ? there - direct : direct - there);
    }
  }
  Classes classes;
  classes.rows.resize(std::max<size_t>(period, 1));
  for (size_t i = 0; i < n; ++i) classes.rows[distance[i] % classes.rows.size()].push_back(i);
  return classes;
}

ScaledMatrix productAround(Span<const double> a, size_t n, const Classes& classes, const Interruption& interruption) {
  const auto& rows = classes.rows;
  const size_t h = rows.size();
  const auto smaller = [](const auto& x, const auto& y) { return x.size() < y.size(); };
  const size_t start = static_cast<size_t>(std::min_element(rows.begin(), rows.end(), smaller) - rows.begin());
  const size_t size = rows[start].size();
  ScaledMatrix product{std::vector<double>(size * size), size, 0};
  for (size_t i = 0; i < size; ++i) product.elements[i * size + i] = 1;
  // From the right: the last factor maps the start to the class before it.
  for (size_t step = 1; step <= h; ++step) {
    const auto& to = rows[(start + h - step) % h];
    const auto& from = rows[(start + h - step + 1) % h];
    std::vector<double> next(to.size() * size);
    for (size_t i = 0; i < to.size(); ++i) {
      interruption.check();
      for (size_t k = 0; k < from.size(); ++k) {
        addScaled(a[to[i] * n + from[k]], product.elements.data() + k * size, next.data() + i * size, size);
      }
    }
    product.elements = std::move(next);
    product.exponent += normalise(product.elements);
  }
  return product;
}

double root(double mantissa, int exponent, size_t h) {
  if (mantissa == 0) return 0;
  const Scaled target = scaled(mantissa, exponent);
  const int degree = static_cast<int>(h);
  const int whole = target.exponent >= 0 ? target.exponent / degree : -((-target.exponent + degree - 1) / degree);
  const int rest = target.exponent - whole * degree;
  // Newton for y^h = mantissa 2^rest from above, where it falls steadily.
  double y = 1 + static_cast<double>(rest) / static_cast<double>(degree);
  for (;;) {
    const Scaled now = power(y, h);
    const double ratio = std::ldexp(target.mantissa / now.mantissa, rest - now.exponent);
    const double next = y * (1 + (ratio - 1) / static_cast<double>(degree));
    if (!(next < y)) return std::ldexp(y, whole);
    y = next;
  }
}

}  // namespace dtesn
