#include "readout/least_squares.h"

#include <cmath>

namespace dtesn {

LeastSquares::LeastSquares(const ReadoutShape& shape, size_t blockRows)
    : shape_(shape), blockRows_(blockRows), featureShifts_(shape.features()), outputShifts_(shape.outputs) {
  kept_.reserve(blockRows);
}

template <class T>
size_t LeastSquares::add(FeatureRows<T> features, const double* targets, const double* weights, size_t rows,
                         const Interruption& interruption) {
  size_t counted = 0;
  for (size_t done = 0; done < rows; done += blockRows_) {
    const size_t some = std::min(rows - done, blockRows_);
    const FeatureRows<T> x = features.from(shape_, done);
    const double* const y = targets + done * shape_.outputs;
    kept_.clear();
    for (size_t t = 0; t < some; ++t) {
      const double* const row = y + t * shape_.outputs;
      if (std::any_of(row, row + shape_.outputs, [](double value) { return std::isnan(value); })) continue;
      kept_.push_back({t, weights == nullptr ? 1 : std::sqrt(weights[done + t])});
    }
    if (kept_.empty()) continue;
    if (shape_.intercept) {
      if (!shifted_) shiftBy(x, y);
      for (size_t t = 0; t < kept_.size(); ++t) block(0)[t * kStripWidth] = kept_[t].scale;
    }
    pack(x.states, shape_.states, 1, featureShifts_.data());
    pack(x.inputs, shape_.inputs, 1 + shape_.states, featureShifts_.data() + shape_.states);
    pack(y, shape_.outputs, height() * kStripWidth, outputShifts_.data());
    addBlock(kept_.size(), interruption);
    counted += kept_.size();
  }
  return counted;
}

template size_t LeastSquares::add<float>(FeatureRows<float>, const double*, const double*, size_t, const Interruption&);
template size_t LeastSquares::add<double>(FeatureRows<double>, const double*, const double*, size_t,
                                          const Interruption&);

template <class T>
void LeastSquares::shiftBy(FeatureRows<T> features, const double* targets) {
  const auto rows = static_cast<double>(kept_.size());
  double* const inputShifts = featureShifts_.data() + shape_.states;
  for (const Kept& kept : kept_) {
    const FeatureRows<T> x = features.from(shape_, kept.row);
    for (size_t i = 0; i < shape_.states; ++i) featureShifts_[i] += x.states[i] / rows;
    for (size_t i = 0; i < shape_.inputs; ++i) inputShifts[i] += x.inputs[i] / rows;
    for (size_t m = 0; m < shape_.outputs; ++m) outputShifts_[m] += targets[kept.row * shape_.outputs + m] / rows;
  }
  shifted_ = true;
}

// Writes the rows that count, row-major numbers less their shifts, into the strips from column `from` on.
template <class T>
void LeastSquares::pack(const T* rows, size_t columns, size_t from, const double* shifts) {
  for (size_t done = 0; done < columns;) {
    const size_t column = from + done, place = column % kStripWidth;
    const size_t some = std::min(columns - done, kStripWidth - place);
    double* to = block(column / kStripWidth) + place;
    const double* const shift = shifts + done;
    for (const Kept& kept : kept_) {
      const T* const in = rows + kept.row * columns + done;
      for (size_t k = 0; k < some; ++k) to[k] = kept.scale * (static_cast<double>(in[k]) - shift[k]);
      to += kStripWidth;
    }
    done += some;
  }
}

double LeastSquares::solve(double ridge, const Prefixes& prefixes, const Interruption& interruption) const {
  const Trapezoid system = eliminate(ridge, interruption);
  if (system.height() == 0) return 0;
  const size_t outputs = shape_.outputs;
  const AlignedArray<double> solution(1 + shape_.features());
  double* weights = prefixes.weights;
  double* bias = prefixes.bias;
  double* errors = prefixes.errors;
  for (const size_t features : prefixes.features) {
    for (size_t m = 0; m < outputs; ++m) {
      substitute(system, features, m, solution.data());
      bias[m] = outputShifts_[m] + (shape_.intercept ? solution[0] : 0);
      double penalty = 0;
      for (size_t i = 0; i < features; ++i) {
        weights[i * outputs + m] = solution[1 + i];
        bias[m] -= featureShifts_[i] * solution[1 + i];
        penalty += ridge * solution[1 + i] * solution[1 + i];
      }
      if (errors == nullptr) continue;
      double square = 0;
      const size_t column = height() * kStripWidth + m;
      for (size_t row = 1 + features; row < system.height() * kStripWidth && row <= column; ++row) {
        square += system.at(row, column) * system.at(row, column);
      }
      errors[m] = square > penalty ? square - penalty : 0;
    }
    weights += features * outputs;
    bias += outputs;
    if (errors != nullptr) errors += outputs;
  }
  return conditionOf(system);
}

void LeastSquares::substitute(const Trapezoid& system, size_t features, size_t output, double* right) const {
  const size_t first = shape_.intercept ? 0 : 1, columns = 1 + features;
  const size_t column = height() * kStripWidth + output;
  for (size_t row = first; row < columns; ++row) right[row] = system.at(row, column);
  for (size_t strip = stripsOf(columns); strip-- > 0;) {
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
}

// Of U without the intercept, by a few steps of power and of inverse iteration on U' U.
double LeastSquares::conditionOf(const Trapezoid& system) const {
  constexpr size_t kSteps = 4;
  const size_t columns = 1 + shape_.features();
  const AlignedArray<double> x(columns), y(columns);
  const auto normalise = [&](double norm) {
    for (size_t i = 1; i < columns; ++i) x[i] = y[i] / norm;
  };
  const auto norm = [&] {
    double square = 0;
    for (size_t i = 1; i < columns; ++i) square += y[i] * y[i];
    return std::sqrt(square);
  };
  double largest = 0, smallest = 0;
  for (size_t i = 1; i < columns; ++i) y[i] = i % 2 == 0 ? 1 : -0.7;
  normalise(norm());
  for (size_t step = 0; step < kSteps; ++step) {  // y = U' U x
    std::fill_n(y.data(), columns, 0.0);
    const AlignedArray<double> z(columns);
    for (size_t c = 1; c < columns; ++c) {
      for (size_t r = 1; r <= c; ++r) z[r] += system.at(r, c) * x[c];
    }
    for (size_t c = 1; c < columns; ++c) {
      for (size_t r = 1; r <= c; ++r) y[c] += system.at(r, c) * z[r];
    }
    largest = std::sqrt(norm());
    normalise(norm());
  }
  for (size_t i = 1; i < columns; ++i) y[i] = i % 3 == 0 ? 1 : -0.7;
  normalise(norm());
  for (size_t step = 0; step < kSteps; ++step) {  // U' U y = x
    for (size_t c = 1; c < columns; ++c) {
      y[c] = x[c];
      for (size_t r = 1; r < c; ++r) y[c] -= system.at(r, c) * y[r];
      y[c] /= system.at(c, c);
    }
    for (size_t c = columns; c-- > 1;) {
      y[c] /= system.at(c, c);
      for (size_t r = 1; r < c; ++r) y[r] -= system.at(r, c) * y[c];
    }
    smallest = 1 / std::sqrt(norm());
    normalise(norm());
  }
  return largest / smallest;
}

}  // namespace dtesn
