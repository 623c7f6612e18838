#include "readout/orthogonal_factor.h"

#include <cmath>
#include <limits>
#include <utility>

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

OrthogonalFactor::OrthogonalFactor(const ReadoutShape& shape, size_t folds)
    : LeastSquares(shape, kBlockRows), qr_(Trapezoid(width(), width()), kBlockRows) {
  for (size_t fold = 0; fold < folds; ++fold) {
    others_.push_back(fold == 0 ? Trapezoid(0, 0) : Trapezoid(width(), width()));
  }
}

void OrthogonalFactor::enter(size_t fold) {
  if (fold == fold_) return;
  others_[fold_] = qr_.exchange(std::move(others_[fold]));
  fold_ = fold;
}

Trapezoid OrthogonalFactor::merged(size_t without, const Interruption& interruption) const {
  constexpr size_t kStrips = kBlockRows / kStripWidth;
  StreamingQr all(Trapezoid(width(), width()), kBlockRows);
  bool isFirst = true;
  for (size_t fold = 0; fold < others_.size(); ++fold) {
    if (fold == without) continue;
    const Trapezoid& one = factor(fold);
    if (std::exchange(isFirst, false)) {
      all.exchange(one.copy());
      continue;
    }
    for (size_t first = 0; first < width(); first += kStrips) {
      const size_t strips = std::min(kStrips, width() - first);
      for (size_t j = first; j < width(); ++j) {
        std::fill_n(all.block(j), kBlockRows * kStripWidth, 0.0);
        std::copy_n(one.tile(first, j), std::min(strips, j + 1 - first) * kTile, all.block(j));
        if (j >= first + strips) continue;
        double* const diagonal = all.block(j) + (j - first) * kTile;
        for (size_t row = 0; row < kStripWidth; ++row) std::fill_n(diagonal + row * kStripWidth, row, 0.0);
      }
      all.absorb(strips * kStripWidth, first, interruption);
    }
  }
  return all.exchange(Trapezoid(0, 0));
}

Trapezoid OrthogonalFactor::withRidge(Trapezoid factor, double ridge, const Interruption& interruption) const {
  StreamingQr augmented(std::move(factor), kBlockRows);
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
  return augmented.exchange(Trapezoid(0, 0));
}

Trapezoid OrthogonalFactor::eliminate(double ridge, const Interruption& interruption) const {
  return withRidge(merged(others_.size(), interruption), ridge, interruption);
}

void OrthogonalFactor::validate(const std::vector<double>& ridges, const std::vector<size_t>& prefixes, double* errors,
                                const Interruption& interruption) const {
  const size_t outputs = shape().outputs, padded = height() * kStripWidth;
  const AlignedArray<double> solution(1 + shape().features());
  for (size_t fold = 0; fold < others_.size(); ++fold) {
    const Trapezoid rest = merged(fold, interruption);
    const Trapezoid& left = factor(fold);
    for (const double ridge : ridges) {
      const Trapezoid system = withRidge(rest.copy(), ridge, interruption);
      for (const size_t features : prefixes) {
        for (size_t m = 0; m < outputs; ++m, ++errors) {
          *errors = std::numeric_limits<double>::quiet_NaN();
          if (system.height() == 0) continue;
          solution[0] = 0;
          substitute(system, features, m, solution.data());
          *errors = 0;
          for (size_t row = 0; row <= padded + m; ++row) {
            double difference = left.at(row, padded + m);
            for (size_t c = row; c <= features; ++c) difference -= left.at(row, c) * solution[c];
            *errors += difference * difference;
          }
        }
      }
    }
  }
}

bool OrthogonalFactor::spectrum(const Spectrum& spectrum, const Interruption& interruption) const {
  const Trapezoid all = merged(others_.size(), interruption);
  const size_t features = shape().features(), outputs = shape().outputs, padded = height() * kStripWidth;
  const size_t length = features + outputs;
  const AlignedArray<double> rows(features * length);
  for (size_t i = 0; i < features; ++i) {
    for (size_t c = i; c < features; ++c) rows[i * length + c] = all.at(1 + i, 1 + c);
    for (size_t m = 0; m < outputs; ++m) rows[i * length + features + m] = all.at(1 + i, padded + m);
  }
  orthogonaliseRows(rows.data(), features, length, features, length, interruption);
  for (size_t i = 0; i < features; ++i) {
    const double* const row = rows.data() + i * length;
    std::copy_n(row, features, spectrum.vectors + i * features);
    std::copy_n(row + features, outputs, spectrum.coefficients + i * outputs);
    spectrum.squares[i] = 0;
    for (size_t c = 0; c < features; ++c) spectrum.squares[i] += row[c] * row[c];
  }
  const double ones = shape().intercept ? all.at(0, 0) : 1;
  for (size_t i = 0; i < features; ++i) {
    spectrum.means[i] = shape().intercept ? shiftOf(1 + i) + all.at(0, 1 + i) / ones : 0;
  }
  for (size_t m = 0; m < outputs; ++m) {
    spectrum.outputMeans[m] = shape().intercept ? outputShift(m) + all.at(0, padded + m) / ones : 0;
    spectrum.rest[m] = 0;
    for (size_t row = 1 + features; row <= padded + m; ++row) {
      spectrum.rest[m] += all.at(row, padded + m) * all.at(row, padded + m);
    }
  }
  return true;
}

}  // namespace dtesn
