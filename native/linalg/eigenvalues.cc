#include "linalg/eigenvalues.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/fixed_order.h"

namespace dtesn {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kTiny = std::numeric_limits<double>::min() / kEpsilon;
constexpr size_t kStepsPerEigenvalue = 30;  // on average; defective ones take more, their neighbours fewer

// The power of two that brings c f nearest to r / f.
double balancingFactor(double column, double row) {
  double factor = 1;
  while (column * factor < row / factor / 2 && factor < 1e150) factor *= 2;
  while (column * factor > row / factor * 2 && factor > 1e-150) factor /= 2;
  return factor;
}

// The reflection I - tau v v' that maps x to a multiple of the first unit vector; v replaces x. Returns that multiple.
double reflect(double* x, size_t n, double& tau) {
  const double rest = norm(x + 1, n - 1);
  tau = 0;
  if (rest == 0) return x[0];
  const double length = modulus(x[0], rest);
  const double image = x[0] > 0 ? -length : length;
  tau = (image - x[0]) / image;
  const double scale = 1 / (x[0] - image);
  for (size_t i = 1; i < n; ++i) x[i] *= scale;
  x[0] = 1;
  return image;
}

struct Reflection3 {
  double x, y, z;  // row weights
  double q, r;     // column weights, the first is 1
};

// Applied to rows k .. k + size - 1 (from the left) and to columns (from the right).
template <int size>
void applyLeft(double* h, size_t stride, size_t k, size_t from, size_t right, const Reflection3& f) {
  double* h0 = h + k * stride;
  double* h1 = h0 + stride;
  double* h2 = h1 + stride;
  for (size_t j = from; j < right; ++j) {
    double t = h0[j] + f.q * h1[j];
    if (size == 3) t += f.r * h2[j];
    h0[j] -= t * f.x;
    h1[j] -= t * f.y;
    if (size == 3) h2[j] -= t * f.z;
  }
}

template <int size>
void applyRight(double* h, size_t stride, size_t k, size_t top, size_t bottom, const Reflection3& f) {
  for (size_t i = top; i < bottom; ++i) {
    double* row = h + i * stride + k;
    double t = f.x * row[0] + f.y * row[1];
    if (size == 3) t += f.z * row[2];
    row[0] -= t;
    row[1] -= t * f.q;
    if (size == 3) row[2] -= t * f.r;
  }
}

// Where the active block that ends at `hi` begins: above it the subdiagonal is negligible, and is set to zero.
size_t activeFrom(double* h, size_t stride, size_t hi, double scale) {
  size_t k = hi;
  for (; k > 0; --k) {
    const double below = std::fabs(h[k * stride + k - 1]);
    double diagonal = std::fabs(h[k * stride + k]) + std::fabs(h[(k - 1) * stride + k - 1]);
    if (diagonal == 0) diagonal = scale;
    if (below <= kTiny || below <= kEpsilon * diagonal) break;
  }
  if (k > 0) h[k * stride + k - 1] = 0;
  return k;
}

void pushPair(std::vector<Eigenvalue>& out, double a, double b, double c, double d) {
  const double p = 0.5 * (a - d);
  const double discriminant = p * p + b * c;
  const double root = std::sqrt(std::fabs(discriminant));
  if (discriminant < 0) {
    out.push_back({d + p, root});
    out.push_back({d + p, -root});
    return;
  }
  const double z = p + (p < 0 ? -root : root);
  out.push_back({d + z, 0});
  out.push_back({z == 0 ? d : d - b * c / z, 0});
}

// The eigenvalues of the last 2 x 2 block, or an exceptional pair where ten steps brought nothing.
DoubleShift chooseShift(const double* h, size_t stride, size_t lo, size_t hi, int steps) {
  const double* last = h + hi * stride + hi;
  const double* above = last - stride;
  if (steps % 10 != 0) return {last[0], above[-1], last[-1] * above[0]};
  const double* first = h + lo * stride + lo;
  const bool fromTop = steps % 20 != 0;
  const double s = fromTop ? std::fabs(first[stride]) + std::fabs(first[2 * stride + 1])
                           : std::fabs(last[-1]) + std::fabs(above[-2]);
  const double centre = 0.75 * s + (fromTop ? first[0] : last[0]);
  return {centre, centre, -0.4375 * s * s};
}

}  // namespace

void balance(double* a, size_t n) {
  bool changed = true;
  for (int sweep = 0; changed && sweep < 20; ++sweep) {
    changed = false;
    for (size_t i = 0; i < n; ++i) {
      double column = 0, row = 0;
      for (size_t j = 0; j < n; ++j) {
        if (j == i) continue;
        column += a[j * n + i] * a[j * n + i];
        row += a[i * n + j] * a[i * n + j];
      }
      column = std::sqrt(column);
      row = std::sqrt(row);
      if (column == 0 || row == 0) continue;
      const double factor = balancingFactor(column, row);
      if (column * factor + row / factor >= 0.95 * (column + row)) continue;
      changed = true;
      for (size_t j = 0; j < n; ++j) a[i * n + j] /= factor;
      for (size_t j = 0; j < n; ++j) a[j * n + i] *= factor;
    }
  }
}

void reduceToHessenberg(double* a, size_t n, const Interruption& interruption) {
  std::vector<double> v(n), sums(n);
  for (size_t k = 0; k + 2 < n; ++k) {
    interruption.check();
    const size_t below = k + 1, size = n - below;
    for (size_t i = 0; i < size; ++i) v[i] = a[(below + i) * n + k];
    double tau = 0;
    const double image = reflect(v.data(), size, tau);
    a[below * n + k] = image;
    for (size_t i = 1; i < size; ++i) a[(below + i) * n + k] = 0;
    if (tau == 0) continue;
    std::fill(sums.begin(), sums.end(), 0);
    for (size_t i = 0; i < size; ++i) addScaled(v[i], a + (below + i) * n + below, sums.data(), size);
    for (size_t i = 0; i < size; ++i) addScaled(-tau * v[i], sums.data(), a + (below + i) * n + below, size);
    for (size_t i = 0; i < n; ++i) {
      double* row = a + i * n + below;
      addScaled(-tau * dot(row, v.data(), size), v.data(), row, size);
    }
  }
}

void doubleShiftStep(double* h, size_t stride, size_t lo, size_t hi, size_t top, size_t right, DoubleShift shift,
                     double* basis, size_t basisRows) {
  const double* corner = h + lo * stride + lo;
  const double a = corner[0], below = corner[stride], d = corner[stride + 1];
  double p = ((a - shift.x) * (a - shift.y) - shift.w) / below + corner[1];
  double q = (a - shift.x) + (d - shift.y);
  double r = hi > lo + 1 ? corner[2 * stride + 1] : 0;
  for (size_t k = lo; k < hi; ++k) {
    const bool three = k + 2 <= hi;
    if (k > lo) {
      p = h[k * stride + k - 1];
      q = h[(k + 1) * stride + k - 1];
      r = three ? h[(k + 2) * stride + k - 1] : 0;
    }
    const double scale = std::fabs(p) + std::fabs(q) + std::fabs(r);
    if (scale == 0) continue;
    p /= scale;
    q /= scale;
    r /= scale;
    const double length = std::sqrt(p * p + q * q + r * r);
    const double s = p < 0 ? -length : length;
    if (k > lo) {
      h[k * stride + k - 1] = -s * scale;
      h[(k + 1) * stride + k - 1] = 0;
      if (three) h[(k + 2) * stride + k - 1] = 0;
    }
    p += s;
    const Reflection3 f{p / s, q / s, r / s, q / p, r / p};
    const size_t bottom = std::min(hi, k + 3) + 1;
    if (three) {
      applyLeft<3>(h, stride, k, k, right, f);
      applyRight<3>(h, stride, k, top, bottom, f);
      if (basis) applyRight<3>(basis, stride, k, 0, basisRows, f);
    } else {
      applyLeft<2>(h, stride, k, k, right, f);
      applyRight<2>(h, stride, k, top, bottom, f);
      if (basis) applyRight<2>(basis, stride, k, 0, basisRows, f);
    }
  }
}

std::vector<Eigenvalue> hessenbergEigenvalues(double* h, size_t n, size_t stride, const Interruption& interruption) {
  double scale = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i > 0 ? i - 1 : 0; j < n; ++j) scale = std::max(scale, std::fabs(h[i * stride + j]));
  }
  std::vector<Eigenvalue> found;
  found.reserve(n);
  size_t budget = kStepsPerEigenvalue * std::max<size_t>(n, 10);
  int steps = 0;
  for (size_t left = n; left > 0;) {
    interruption.check();
    const size_t hi = left - 1;
    const size_t lo = activeFrom(h, stride, hi, scale);
    const double* last = h + hi * stride + hi;
    if (lo == hi) {
      found.push_back({last[0], 0});
      left -= 1;
      steps = 0;
    } else if (lo + 1 == hi) {
      const double* above = last - stride;
      pushPair(found, above[-1], above[0], last[-1], last[0]);
      left -= 2;
      steps = 0;
    } else {
      if (budget-- == 0) return {};
      ++steps;
      doubleShiftStep(h, stride, lo, hi, lo, hi + 1, chooseShift(h, stride, lo, hi, steps));
    }
  }
  return found;
}

double largestModulus(const std::vector<Eigenvalue>& eigenvalues) {
  double largest = -1;
  for (const Eigenvalue& value : eigenvalues) largest = std::max(largest, modulus(value.re, value.im));
  return largest;
}

}  // namespace dtesn
