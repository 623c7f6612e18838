#include "linalg/qr.h"

#include <cmath>
#include <utility>

namespace dtesn {

StreamingQr::StreamingQr(Trapezoid factor, size_t rows)
    : factor_(std::move(factor)),
      rows_(rows),
      block_(factor_.width() * rows * kStripWidth),
      turned_(rows * kStripWidth),
      t_(kTile),
      product_(kTile),
      reflected_(kTile) {}

void StreamingQr::absorb(size_t rows, size_t first, const Interruption& interruption) {
  const size_t whole = roundUp(rows, kStripWidth);
  for (size_t j = first; j < factor_.width(); ++j) {
    std::fill(block(j) + rows * kStripWidth, block(j) + whole * kStripWidth, 0.0);
  }
  for (size_t i = first; i < factor_.height(); ++i) {
    interruption.check();
    factorPanel(factor_.tile(i, i), block(i), whole);
    for (size_t j = i + 1; j < factor_.width(); ++j) updateStrip(factor_.tile(i, j), block(j), block(i), whole);
  }
}

// Column by column: the pass over the rows that applies a reflection gathers the dots of the next column with all
// others, which are its norm, its row of V' V for T, and what it does to the columns to come. The columns of V are
// scaled to a unit on top at the end: scaling them by the way would cost digits.
void StreamingQr::factorPanel(double* r, double* v, size_t rows) {
  alignas(64) double weights[kStripWidth] = {}, dots[kStripWidth];
  double scales[kStripWidth] = {};
  const TrainingKernels& kernels = trainingKernels();
  std::fill_n(t_.data(), kTile, 0.0);
  kernels.reflect(v, rows, weights, 0, 0, dots);
  for (size_t i = 0; i < kStripWidth; ++i) {
    double* const row = r + i * kStripWidth;
    const double alpha = row[i], square = dots[i];
    std::fill_n(weights, kStripWidth, 0.0);
    if (square > 0) {
      const double norm = std::sqrt(alpha * alpha + square);
      const double beta = alpha > 0 ? -norm : norm;
      const double scale = 1 / (alpha - beta), tau = (beta - alpha) / beta;
      scales[i] = scale;
      for (size_t k = i + 1; k < kStripWidth; ++k) {
        const double change = tau * (row[k] + scale * dots[k]);
        row[k] -= change;
        weights[k] = scale * change;
      }
      row[i] = beta;
      t_[i * kStripWidth + i] = tau;
      for (size_t k = 0; k < i; ++k) {
        double sum = 0;
        for (size_t l = k; l < i; ++l) sum += t_[k * kStripWidth + l] * scales[l] * dots[l];
        t_[k * kStripWidth + i] = -tau * scale * sum;
      }
    }
    kernels.reflect(v, rows, weights, i, i + 1 < kStripWidth ? i + 1 : i, dots);
  }
  for (size_t tile = 0; tile < rows; tile += kStripWidth) {
    for (size_t t = 0; t < kStripWidth; ++t) {
      double* const row = v + (tile + t) * kStripWidth;
      for (size_t i = 0; i < kStripWidth; ++i) turned_[(tile + i) * kStripWidth + t] = row[i] *= scales[i];
    }
  }
}

// [r; b] -= [I; V] T' (r + V' b)
void StreamingQr::updateStrip(double* r, double* b, const double* v, size_t rows) {
  const TrainingKernels& kernels = trainingKernels();
  std::copy_n(r, kTile, product_.data());
  kernels.outer(v, b, rows, 1, 1, product_.data());
  kernels.outer(t_.data(), product_.data(), kStripWidth, 0, 1, reflected_.data());
  for (size_t i = 0; i < kTile; ++i) r[i] -= reflected_[i];
  for (size_t tile = 0; tile < rows; tile += kStripWidth) {
    kernels.outer(turned_.data() + tile * kStripWidth, reflected_.data(), kStripWidth, 1, -1, b + tile * kStripWidth);
  }
}

}  // namespace dtesn
