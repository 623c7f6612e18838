#include "linalg/arnoldi.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "linalg/eigenvalues.h"
#include "linalg/fixed_order.h"
#include "linalg/hessenberg_vector.h"
#include "random/philox.h"
#include "simd/kernels.h"

namespace dtesn {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr size_t kSmallBasis = 40;
constexpr size_t kLargestBasis = 256;
constexpr size_t kBasisElements = size_t{1} << 25;
constexpr int kRestarts = 16;

size_t basisFor(size_t n) { return std::min({n, kLargestBasis, std::max(kSmallBasis, kBasisElements / n)}); }

// Random matrices are rarely done before: the eigenvalues of H cost more than the products up to here.
size_t firstCheckFor(size_t n) {
  return std::max(kSmallBasis, static_cast<size_t>(1.3 * std::sqrt(static_cast<double>(n))));
}

// Shifts for all but the `keep` eigenvalues of largest modulus: complex pairs as they are, real ones two by two.
std::vector<DoubleShift> unwantedShifts(std::vector<Eigenvalue> values, size_t keep) {
  std::sort(values.begin(), values.end(), [](const Eigenvalue& a, const Eigenvalue& b) {
    const double ma = modulus(a.re, a.im), mb = modulus(b.re, b.im);
    if (ma != mb) return ma < mb;
    return a.re != b.re ? a.re < b.re : a.im < b.im;
  });
  std::vector<DoubleShift> shifts;
  const Eigenvalue* single = nullptr;
  for (size_t i = 0; i + keep < values.size(); ++i) {
    const Eigenvalue& value = values[i];
    if (value.im != 0) {
      shifts.push_back({value.re, value.re, -value.im * value.im});
      ++i;
    } else if (single) {
      shifts.push_back({single->re, value.re, 0});
      single = nullptr;
    } else {
      single = &value;
    }
  }
  return shifts;
}

class Arnoldi {
 public:
  Arnoldi(size_t n, const Product& product, const RadiusOptions& options)
      : n_(n),
        capacity_(basisFor(n)),
        product_(product),
        interruption_(options.interruption),
        h_((capacity_ + 1) * capacity_),
        vector_(2 * n),
        image_(n) {
    basis_.reserve((capacity_ + 1) * n);  // memory is touched only as the basis grows
    basis_.resize(n);
    PhiloxStream(options.seed, 0, Purpose::krylov).fillSymmetric(0, n, row(0));
    const double length = norm(row(0), n);
    for (size_t i = 0; i < n; ++i) row(0)[i] /= length;
    for (size_t step = 0; step < options.powerSteps && powerStep(); ++step) continue;
  }

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  size_t products() const { return products_; }
  bool invariant() const { return invariant_; }

  void growTo(size_t target) {
    while (size_ < target && !invariant_) append();
  }

  std::vector<Eigenvalue> ritzValues() const {
    std::vector<double> copy(size_ * size_);
    for (size_t i = 0; i < size_; ++i) std::copy_n(h_.data() + i * capacity_, size_, copy.data() + i * size_);
    return hessenbergEigenvalues(copy.data(), size_, size_);
  }

  // What H says of the residual, which costs no product; where that is small enough, what A says.
  double residual(Eigenvalue theta, double tolerance) {
    const double length = modulus(theta.re, theta.im);
    const ComplexVector y = hessenbergVector(h_.data(), size_, capacity_, theta);
    const double estimate = h(size_, size_ - 1) * modulus(y.re[size_ - 1], y.im[size_ - 1]) / length;
    return estimate <= tolerance ? trueResidual(theta, y) / length : estimate;
  }

  // Keeps about half of the basis: the part that belongs to the θ of largest modulus.
  void restart(const std::vector<Eigenvalue>& values) {
    const std::vector<DoubleShift> shifts = unwantedShifts(values, size_ / 2);
    const size_t keep = size_ - 2 * shifts.size();
    std::vector<double> q(size_ * capacity_);
    for (size_t i = 0; i < size_; ++i) q[i * capacity_ + i] = 1;
    for (const DoubleShift& shift : shifts) {
      doubleShiftStep(h_.data(), capacity_, 0, size_ - 1, 0, size_, shift, q.data(), size_);
    }
    const double last = h(size_, size_ - 1) * q[(size_ - 1) * capacity_ + keep - 1];
    const double next = h(keep, keep - 1);
    rotateBasis(q, keep + 1);
    double* residual = row(keep);
    for (size_t i = 0; i < n_; ++i) residual[i] = next * residual[i] + last * row(size_)[i];
    size_ = keep;
    closeColumn();
  }

 private:
  double* row(size_t i) { return basis_.data() + i * n_; }
  double& h(size_t i, size_t j) { return h_[i * capacity_ + j]; }

  // Replaces the first vector by its image; false where that is nothing.
  bool powerStep() {
    interruption_.check();
    product_(row(0), image_.data());
    ++products_;
    const double length = norm(image_.data(), n_);
    if (length == 0) return false;
    for (size_t i = 0; i < n_; ++i) row(0)[i] = image_[i] / length;
    return true;
  }

  void append() {
    interruption_.check();
    basis_.resize(std::max(basis_.size(), (size_ + 2) * n_));
    double* w = row(size_ + 1);
    product_(row(size_), w);
    ++products_;
    for (size_t i = 0; i <= size_; ++i) h(i, size_) = 0;
    imageNorm_ = norm(w, n_);
    orthogonalise(w, size_ + 1);
    ++size_;
    closeColumn();
  }

  // Takes the first `count` basis vectors out of w, twice where cancellation was large.
  void orthogonalise(double* w, size_t count) {
    double before = imageNorm_;
    for (int pass = 0; pass < 3; ++pass) {
      for (size_t i = 0; i < count; ++i) {
        const double c = exact_.dot(row(i), w, n_);
        h(i, count - 1) += c;
        exact_.addScaled(-c, row(i), w, n_);
      }
      const double after = norm(w, n_);
      if (after > 0.7 * before) return;
      before = after;
    }
  }

  // Normalises the vector after the basis; where nothing is left of it the basis spans an invariant space.
  void closeColumn() {
    double* w = row(size_);
    const double length = norm(w, n_);
    largest_ = std::max(largest_, imageNorm_);
    invariant_ = length <= 10 * kEpsilon * largest_ || size_ == n_;
    h(size_, size_ - 1) = invariant_ ? 0 : length;
    for (size_t i = 0; i < n_ && !invariant_; ++i) w[i] /= length;
  }

  // The first `count` columns of V Q in place, a stretch of elements at a time.
  void rotateBasis(const std::vector<double>& q, size_t count) {
    constexpr size_t kStretch = 64;
    std::vector<double> rotated(count * kStretch);
    for (size_t from = 0; from < n_; from += kStretch) {
      const size_t length = std::min(kStretch, n_ - from);
      std::fill(rotated.begin(), rotated.end(), 0);
      for (size_t i = 0; i < size_; ++i) {
        for (size_t j = 0; j < count; ++j) {
          exact_.addScaled(q[i * capacity_ + j], row(i) + from, rotated.data() + j * kStretch, length);
        }
      }
      for (size_t j = 0; j < count; ++j) std::copy_n(rotated.data() + j * kStretch, length, row(j) + from);
    }
  }

  // ||A v - θ v|| for v = V y of unit length.
  double trueResidual(Eigenvalue theta, const ComplexVector& y) {
    double *re = vector_.data(), *im = re + n_;
    std::fill(vector_.begin(), vector_.end(), 0);
    for (size_t i = 0; i < size_; ++i) {
      exact_.addScaled(y.re[i], row(i), re, n_);
      exact_.addScaled(y.im[i], row(i), im, n_);
    }
    const double real = imageError(re, theta.re, re, -theta.im, im);
    return modulus(real, imageError(im, theta.re, im, theta.im, re));
  }

  // ||A x - a y - b z||
  double imageError(const double* x, double a, const double* y, double b, const double* z) {
    product_(x, image_.data());
    ++products_;
    addScaled(-a, y, image_.data(), n_);
    addScaled(-b, z, image_.data(), n_);
    return norm(image_.data(), n_);
  }

  size_t n_, capacity_, size_ = 0, products_ = 0;
  bool invariant_ = false;
  double imageNorm_ = 0, largest_ = 0;
  const Product& product_;
  const Interruption interruption_;
  const ExactKernels& exact_ = exactKernels();
  std::vector<double> basis_, h_, vector_, image_;
};

Eigenvalue dominant(const std::vector<Eigenvalue>& values) {
  return *std::max_element(values.begin(), values.end(), [](const Eigenvalue& a, const Eigenvalue& b) {
    return modulus(a.re, a.im) < modulus(b.re, b.im);
  });
}

}  // namespace

SpectralRadius arnoldiRadius(size_t n, const Product& product, const RadiusOptions& options) {
  Arnoldi arnoldi(n, product, options);
  double radius = 0, residual = 1;
  const size_t firstCheck = firstCheckFor(n);
  for (int restarts = 0; restarts <= kRestarts;) {
    const size_t size = arnoldi.size();
    arnoldi.growTo(std::min(arnoldi.capacity(), std::max(firstCheck, size + size / 6)));
    const std::vector<Eigenvalue> values = arnoldi.ritzValues();
    if (values.empty()) break;
    const Eigenvalue theta = dominant(values);
    radius = modulus(theta.re, theta.im);
    if (arnoldi.invariant()) return {radius, 0, arnoldi.products(), true};
    residual = arnoldi.residual(theta, options.tolerance);
    if (residual <= options.tolerance) return {radius, residual, arnoldi.products(), true};
    if (arnoldi.size() == arnoldi.capacity()) {
      arnoldi.restart(values);
      ++restarts;
    }
  }
  return {radius, residual, arnoldi.products(), false};
}

}  // namespace dtesn
