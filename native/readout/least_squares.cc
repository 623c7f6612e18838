#include "readout/least_squares.h"

namespace dtesn {

LeastSquares::LeastSquares(const ReadoutShape& shape, size_t blockRows)
    : shape_(shape), blockRows_(blockRows), featureShifts_(shape.features()), outputShifts_(shape.outputs) {}

template <class T>
void LeastSquares::add(FeatureRows<T> features, const double* targets, size_t rows, const Interruption& interruption) {
  for (size_t done = 0; done < rows; done += blockRows_) {
    const size_t some = std::min(rows - done, blockRows_);
    const FeatureRows<T> x = features.from(shape_, done);
    const double* const y = targets + done * shape_.outputs;
    if (shape_.intercept) {
      if (!shifted_) shiftBy(x, y, some);
      for (size_t t = 0; t < some; ++t) block(0)[t * kStripWidth] = 1;
    }
    pack(x.states, some, shape_.states, 1, featureShifts_.data());
    pack(x.inputs, some, shape_.inputs, 1 + shape_.states, featureShifts_.data() + shape_.states);
    pack(y, some, shape_.outputs, height() * kStripWidth, outputShifts_.data());
    addBlock(some, interruption);
  }
}

template void LeastSquares::add<float>(FeatureRows<float>, const double*, size_t, const Interruption&);
template void LeastSquares::add<double>(FeatureRows<double>, const double*, size_t, const Interruption&);

template <class T>
void LeastSquares::shiftBy(FeatureRows<T> features, const double* targets, size_t rows) {
  double* const inputShifts = featureShifts_.data() + shape_.states;
  for (size_t t = 0; t < rows; ++t) {
    const FeatureRows<T> x = features.from(shape_, t);
    for (size_t i = 0; i < shape_.states; ++i) featureShifts_[i] += x.states[i] / double(rows);
    for (size_t i = 0; i < shape_.inputs; ++i) inputShifts[i] += x.inputs[i] / double(rows);
    for (size_t m = 0; m < shape_.outputs; ++m) outputShifts_[m] += targets[t * shape_.outputs + m] / double(rows);
  }
  shifted_ = true;
}

// Writes row-major numbers, less their shifts, into the strips from column `from` on.
template <class T>
void LeastSquares::pack(const T* rows, size_t count, size_t columns, size_t from, const double* shifts) {
  for (size_t done = 0; done < columns;) {
    const size_t column = from + done, place = column % kStripWidth;
    const size_t some = std::min(columns - done, kStripWidth - place);
    double* to = block(column / kStripWidth) + place;
    const T* in = rows + done;
    const double* const shift = shifts + done;
    for (size_t t = 0; t < count; ++t, to += kStripWidth, in += columns) {
      for (size_t k = 0; k < some; ++k) to[k] = static_cast<double>(in[k]) - shift[k];
    }
    done += some;
  }
}

bool LeastSquares::solve(double ridge, double* weights, double* bias, const Interruption& interruption) const {
  const Trapezoid system = eliminate(ridge, interruption);
  if (system.height() == 0) return false;
  const size_t first = shape_.intercept ? 0 : 1, columns = 1 + shape_.features();
  // One output after the other; right[row] becomes w[row] from the last row up.
  AlignedArray<double> right(columns);
  for (size_t m = 0; m < shape_.outputs; ++m) {
    for (size_t row = first; row < columns; ++row) right[row] = system.at(row, system.height() * kStripWidth + m);
    for (size_t strip = system.height(); strip-- > 0;) {
      const size_t begin = std::max(strip * kStripWidth, first), end = std::min((strip + 1) * kStripWidth, columns);
      const double* const u = system.strip(strip);
      for (size_t k = end; k-- > begin;) {
        for (size_t c = k + 1; c < end; ++c) right[k] -= u[k * kStripWidth + c % kStripWidth] * right[c];
        right[k] /= u[k * kStripWidth + k % kStripWidth];
      }
      for (size_t row = first; row < strip * kStripWidth; ++row) {
        double sum = 0;
        for (size_t c = begin; c < end; ++c) sum += u[row * kStripWidth + c % kStripWidth] * right[c];
        right[row] -= sum;
      }
    }
    bias[m] = outputShifts_[m] + (shape_.intercept ? right[0] : 0);
    for (size_t i = 0; i < shape_.features(); ++i) {
      weights[i * shape_.outputs + m] = right[1 + i];
      bias[m] -= featureShifts_[i] * right[1 + i];
    }
  }
  return true;
}

}  // namespace dtesn
