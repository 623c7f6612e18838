#include "readout/orthogonal_factor.h"

#include <cmath>
#include <limits>

namespace dtesn {
namespace {

// Whether a diagonal element of R is lost in the rounding of its column.
bool isDependent(const Trapezoid& r, size_t column) {
  double square = 0;
  for (size_t row = 0; row <= column; ++row) square += r.at(row, column) * r.at(row, column);
  const double rounding = static_cast<double>(r.height() * kStripWidth) * std::numeric_limits<double>::epsilon();
  return !(std::fabs(r.at(column, column)) > rounding * std::sqrt(square));
}

}  // namespace

OrthogonalFactor::OrthogonalFactor(const ReadoutShape& shape)
    : LeastSquares(shape, kBlockRows), qr_(Trapezoid(height(), width()), kBlockRows) {}

Trapezoid OrthogonalFactor::eliminate(double ridge, const Interruption& interruption) const {
  StreamingQr augmented(qr_.factor().copy(), kBlockRows);
  const size_t features = shape().features();
  for (size_t done = 0; ridge > 0 && done < features; done += kBlockRows) {
    const size_t some = std::min(features - done, kBlockRows), first = (1 + done) / kStripWidth;
    std::fill(augmented.block(first), augmented.block(width()), 0.0);
    for (size_t t = 0; t < some; ++t) {
      const size_t column = 1 + done + t;
      augmented.block(column / kStripWidth)[t * kStripWidth + column % kStripWidth] = std::sqrt(ridge);
    }
    augmented.absorb(some, first, interruption);
  }
  for (size_t column = shape().intercept ? 0 : 1; column <= features; ++column) {
    if (isDependent(augmented.factor(), column)) return Trapezoid(0, 0);
  }
  return augmented.factor().copy();
}

}  // namespace dtesn
