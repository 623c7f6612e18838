#include "linalg/hessenberg_vector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "linalg/fixed_order.h"

namespace dtesn {
namespace {

// U of H - θ I, real and imaginary parts apart.
class Upper {
 public:
  Upper(const double* h, size_t n, size_t stride, Eigenvalue theta) : n_(n), re_(n * n), im_(n * n) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = i > 0 ? i - 1 : 0; j < n; ++j) {
        re_[i * n + j] = h[i * stride + j];
        size_ = std::max(size_, std::fabs(h[i * stride + j]));
      }
      re_[i * n + i] -= theta.re;
      im_[i * n + i] -= theta.im;
    }
    for (size_t k = 0; k + 1 < n; ++k) eliminate(k);
  }

  ComplexVector solveOnes() const {
    ComplexVector y{std::vector<double>(n_), std::vector<double>(n_)};
    for (size_t i = n_; i-- > 0;) {
      const double *re = re_.data() + i * n_, *im = im_.data() + i * n_;
      double sumRe = 1, sumIm = 0;
      for (size_t j = i + 1; j < n_; ++j) {
        sumRe -= re[j] * y.re[j] - im[j] * y.im[j];
        sumIm -= re[j] * y.im[j] + im[j] * y.re[j];
      }
      double pivotRe = re[i], pivotIm = im[i];
      const double least = std::numeric_limits<double>::epsilon() * size_;
      if (modulus(pivotRe, pivotIm) < least) {
        pivotRe = least;
        pivotIm = 0;
      }
      const double square = pivotRe * pivotRe + pivotIm * pivotIm;
      y.re[i] = (sumRe * pivotRe + sumIm * pivotIm) / square;
      y.im[i] = (sumIm * pivotRe - sumRe * pivotIm) / square;
    }
    return y;
  }

 private:
  void eliminate(size_t k) {
    double *re = re_.data() + k * n_, *im = im_.data() + k * n_;
    double *belowRe = re + n_, *belowIm = im + n_;
    if (modulus(belowRe[k], belowIm[k]) > modulus(re[k], im[k])) {
      std::swap_ranges(re + k, re + n_, belowRe + k);
      std::swap_ranges(im + k, im + n_, belowIm + k);
    }
    const double square = re[k] * re[k] + im[k] * im[k];
    if (square == 0) return;
    const double factorRe = (belowRe[k] * re[k] + belowIm[k] * im[k]) / square;
    const double factorIm = (belowIm[k] * re[k] - belowRe[k] * im[k]) / square;
    for (size_t j = k; j < n_; ++j) {
      belowRe[j] -= factorRe * re[j] - factorIm * im[j];
      belowIm[j] -= factorRe * im[j] + factorIm * re[j];
    }
  }

  size_t n_;
  double size_ = 0;
  std::vector<double> re_, im_;
};

}  // namespace

ComplexVector hessenbergVector(const double* h, size_t n, size_t stride, Eigenvalue theta) {
  ComplexVector y = Upper(h, n, stride, theta).solveOnes();
  const double length = modulus(norm(y.re.data(), n), norm(y.im.data(), n));
  for (size_t i = 0; i < n; ++i) {
    y.re[i] /= length;
    y.im[i] /= length;
  }
  return y;
}

}  // namespace dtesn
