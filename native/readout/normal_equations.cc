#include "readout/normal_equations.h"

#include "linalg/cholesky.h"

namespace dtesn {

NormalEquations::NormalEquations(const ReadoutShape& shape)
    : LeastSquares(shape, kBlockRows), gram_(height(), width()), block_(width() * kBlockRows * kStripWidth) {}

void NormalEquations::addBlock(size_t rows, const Interruption& interruption) {
  const TrainingKernels& kernels = trainingKernels();
  for (size_t j = 0; j < width(); ++j) {
    interruption.check();
    const size_t tiles = std::min(j + 1, height());
    for (size_t i = 0; i < tiles; ++i) kernels.outer(block(i), block(j), rows, 1, 1, gram_.tile(i, j));
  }
}

Trapezoid NormalEquations::eliminate(double ridge, const Interruption& interruption) const {
  Trapezoid system = gram_.copy();
  const size_t columns = height() * kStripWidth, features = shape().features();
  for (size_t i = 1; i <= features; ++i) system.at(i, i) += ridge;
  // Columns of nothing stand for themselves.
  if (!shape().intercept) system.at(0, 0) = 1;
  for (size_t i = 1 + features; i < columns; ++i) system.at(i, i) = 1;
  return cholesky(system, interruption) == columns ? std::move(system) : Trapezoid(0, 0);
}

}  // namespace dtesn
