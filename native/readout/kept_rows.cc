#include "readout/kept_rows.h"

#include <algorithm>

namespace dtesn {

KeptRows::KeptRows(const ReadoutShape& shape)
    : LeastSquares(shape, kBlockRows), block_(width() * kBlockRows * kStripWidth) {}

void KeptRows::addBlock(size_t rows, const Interruption& interruption) {
  interruption.check();
  const size_t padded = height() * kStripWidth, features = shape().features(), before = rows_.size();
  rows_.resize(before + rows * columns());  // whole blocks, or none where there is no memory for one
  double* to = rows_.data() + before;
  for (size_t t = 0; t < rows; ++t) {
    for (size_t c = 0; c < columns(); ++c) {
      const size_t column = c <= features ? c : padded + c - features - 1;
      *to++ = block(column / kStripWidth)[t * kStripWidth + column % kStripWidth];
    }
  }
}

bool KeptRows::spectrum(const Spectrum& spectrum, const Interruption& interruption) const {
  const size_t features = shape().features(), outputs = shape().outputs, count = rows();
  const size_t values = features + outputs, length = values + (spectrum.basis == nullptr ? 0 : count);
  const AlignedArray<double> means(values), centred(count * length);
  double ones = 0;
  for (size_t t = 0; t < count && shape().intercept; ++t) {
    const double* const row = rows_.data() + t * columns();
    for (size_t c = 0; c < values; ++c) means[c] += row[0] * row[1 + c];
    ones += row[0] * row[0];
  }
  for (size_t c = 0; c < values && ones > 0; ++c) means[c] /= ones;
  for (size_t t = 0; t < count; ++t) {
    const double* const row = rows_.data() + t * columns();
    for (size_t c = 0; c < values; ++c) centred[t * length + c] = row[1 + c] - row[0] * means[c];
    if (spectrum.basis != nullptr) centred[t * length + values + t] = 1;
  }
  orthogonaliseRows(centred.data(), count, length, features, length, interruption);
  for (size_t i = 0; i < count; ++i) {
    const double* const row = centred.data() + i * length;
    std::copy_n(row, features, spectrum.vectors + i * features);
    std::copy_n(row + features, outputs, spectrum.coefficients + i * outputs);
    if (spectrum.basis != nullptr) std::copy_n(row + values, count, spectrum.basis + i * count);
    spectrum.squares[i] = 0;
    for (size_t c = 0; c < features; ++c) spectrum.squares[i] += row[c] * row[c];
  }
  for (size_t i = 0; i < features; ++i) spectrum.means[i] = means[i] + (shape().intercept ? shiftOf(1 + i) : 0);
  for (size_t m = 0; m < outputs; ++m) {
    spectrum.outputMeans[m] = means[features + m] + (shape().intercept ? outputShift(m) : 0);
    spectrum.rest[m] = 0;
  }
  return true;
}

}  // namespace dtesn
