#include "linalg/cholesky.h"

#include <cmath>
#include <limits>

namespace dtesn {
namespace {

// The factor of one tile; the first column whose pivot is not above its floor, or kStripWidth.
size_t factorTile(double* u, const double* floors) {
  for (size_t i = 0; i < kStripWidth; ++i) {
    for (size_t k = 0; k < i; ++k) {
      for (size_t j = i; j < kStripWidth; ++j)
        u[i * kStripWidth + j] -= u[k * kStripWidth + i] * u[k * kStripWidth + j];
    }
    const double pivot = u[i * kStripWidth + i];
    if (!(pivot > floors[i])) return i;
    const double inverse = 1 / std::sqrt(pivot);
    for (size_t j = i; j < kStripWidth; ++j) u[i * kStripWidth + j] *= inverse;
  }
  return kStripWidth;
}

// b = u'^-1 b
void substitute(const double* u, double* b) {
  for (size_t i = 0; i < kStripWidth; ++i) {
    double* row = b + i * kStripWidth;
    for (size_t k = 0; k < i; ++k) {
      const double weight = u[k * kStripWidth + i];
      for (size_t j = 0; j < kStripWidth; ++j) row[j] -= weight * b[k * kStripWidth + j];
    }
    const double inverse = 1 / u[i * kStripWidth + i];
    for (size_t j = 0; j < kStripWidth; ++j) row[j] *= inverse;
  }
}

}  // namespace

size_t cholesky(Trapezoid& matrix, const Interruption& interruption) {
  const size_t columns = matrix.height() * kStripWidth;
  const TrainingKernels& kernels = trainingKernels();
  // A pivot is what n subtractions leave of the diagonal; their rounding errors walk at random.
  AlignedArray<double> floors(columns);
  const double rounding = 4 * std::sqrt(static_cast<double>(columns)) * std::numeric_limits<double>::epsilon();
  for (size_t i = 0; i < columns; ++i) floors[i] = rounding * matrix.at(i, i);
  for (size_t i = 0; i < matrix.height(); ++i) {
    for (size_t j = i; j < matrix.width(); ++j) {
      interruption.check();
      kernels.outer(matrix.strip(i), matrix.strip(j), i * kStripWidth, 1, -1, matrix.tile(i, j));
    }
    double* const pivots = matrix.tile(i, i);
    const size_t done = factorTile(pivots, floors.data() + i * kStripWidth);
    if (done < kStripWidth) return i * kStripWidth + done;
    for (size_t j = i + 1; j < matrix.width(); ++j) substitute(pivots, matrix.tile(i, j));
  }
  return columns;
}

}  // namespace dtesn
