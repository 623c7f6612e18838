#include "readout/recursive_least_squares.h"

#include <algorithm>
#include <cmath>

namespace dtesn {
namespace {

constexpr size_t kPartial = 8;  // of the symmetric kernel, a row

double dot(const double* a, const double* b, size_t n) {
  double lane[8] = {};
  for (size_t i = 0; i < n; i += 8) {
    for (size_t l = 0; l < 8; ++l) lane[l] += a[i + l] * b[i + l];
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

void addScaled(double factor, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

}  // namespace

RecursiveLeastSquares::RecursiveLeastSquares(const ReadoutShape& shape, double ridge, double forgetting)
    : shape_(shape),
      forgetting_(forgetting),
      inverse_(stripsOf(shape.features() + shape.intercept), stripsOf(shape.features() + shape.intercept)),
      pending_(inverse_.width() * kPending * kStripWidth),
      signed_(kPending * kStripWidth),
      x_(inverse_.width() * kStripWidth),
      y_(x_.size()),
      partial_(x_.size() * kPartial),
      weights_(shape.outputs * x_.size()) {
  for (size_t i = 0; i < columns(); ++i) inverse_.at(i, i) = 1 / ridge;
  trace_ = static_cast<double>(columns()) / ridge;
  mostTrace_ = kMostGrowth * trace_;
  if (shape.intercept) x_[shape.features()] = 1;
}

template <class T>
size_t RecursiveLeastSquares::update(FeatureRows<T> features, const double* targets, size_t rows, double* predictions) {
  for (size_t t = 0; t < rows; ++t, targets += shape_.outputs, predictions += shape_.outputs) {
    const FeatureRows<T> x = features.from(shape_, t);
    std::copy_n(x.states, shape_.states, x_.data());
    std::copy_n(x.inputs, shape_.inputs, x_.data() + shape_.states);
    if (!step(targets, predictions)) return t;
  }
  return rows;
}

template size_t RecursiveLeastSquares::update<float>(FeatureRows<float>, const double*, size_t, double*);
template size_t RecursiveLeastSquares::update<double>(FeatureRows<double>, const double*, size_t, double*);

bool RecursiveLeastSquares::step(const double* target, double* prediction) {
  const size_t n = x_.size();
  multiply();
  const double spread = dot(x_.data(), y_.data(), n), divisor = forgetting_ + spread;
  if (!(spread >= 0 && std::isfinite(divisor))) return false;
  forget(spread);
  for (size_t m = 0; m < shape_.outputs; ++m) {
    double* const w = weights_.data() + m * n;
    prediction[m] = dot(w, x_.data(), n);
    addScaled((target[m] - prediction[m]) / divisor, y_.data(), w, n);
  }
  if (waiting_ == kPending) subtractPending();
  return true;
}

void RecursiveLeastSquares::forget(double spread) {
  const double divisor = forgetting_ + spread;
  if (forgetting_ == 1) return append(1 / (scale_ * divisor));
  const double square = dot(y_.data(), y_.data(), y_.size());
  const double everywhere = (trace_ - square / divisor) / forgetting_;
  if (everywhere <= mostTrace_) {
    append(1 / (scale_ * divisor));
    scale_ /= forgetting_;
    trace_ = everywhere;
    return;
  }
  const double lost = 1 - forgetting_, share = (1 - lost / spread) / divisor;
  const double drift = lost * lost / dot(x_.data(), x_.data(), x_.size());
  const double along = trace_ - share * square + drift * static_cast<double>(columns());
  if (!(along <= 2 * mostTrace_)) return;  // also where x is nothing and the share no number
  append(share / scale_);
  for (size_t i = 0; i < columns(); ++i) inverse_.at(i, i) += drift / scale_;
  trace_ = along;
}

// R <- R - share y y'
void RecursiveLeastSquares::append(double share) {
  const double factor = std::sqrt(std::fabs(share));
  for (size_t j = 0; j < inverse_.width(); ++j) {
    double* const q = pending(j) + waiting_ * kStripWidth;
    for (size_t k = 0; k < kStripWidth; ++k) q[k] = factor * y_[j * kStripWidth + k];
  }
  signs_[waiting_++] = share < 0 ? -1 : 1;
}

// y = s (R x - sum_i ±(q_i' x) q_i)
void RecursiveLeastSquares::multiply() {
  const TrainingKernels& kernels = trainingKernels();
  std::fill_n(y_.data(), y_.size(), 0.0);
  std::fill_n(partial_.data(), partial_.size(), 0.0);
  double factors[kPending] = {};
  for (size_t j = 0; j < inverse_.width(); ++j) {
    const double* const part = x_.data() + j * kStripWidth;
    kernels.symmetric(inverse_.strip(j), j * kStripWidth, x_.data(), part, partial_.data(),
                      y_.data() + j * kStripWidth);
    for (size_t i = 0; i < waiting_; ++i) factors[i] += dot(pending(j) + i * kStripWidth, part, kStripWidth);
  }
  for (size_t i = 0; i < waiting_; ++i) factors[i] *= -signs_[i];
  for (size_t j = 0; j < inverse_.width(); ++j) {
    double* const y = y_.data() + j * kStripWidth;
    for (size_t t = 0; t < kStripWidth && j + 1 < inverse_.width(); ++t) {  // no strip stands right of the last
      const double* const p = partial_.data() + (j * kStripWidth + t) * kPartial;
      y[t] += ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
    }
    for (size_t i = 0; i < waiting_; ++i) addScaled(factors[i], pending(j) + i * kStripWidth, y, kStripWidth);
    for (size_t t = 0; t < kStripWidth; ++t) y[t] *= scale_;
  }
}

// A sign is exact, so that elements (i, j) and (j, i) of the tiles on the diagonal are sums of equal products.
void RecursiveLeastSquares::subtractPending() {
  const TrainingKernels& kernels = trainingKernels();
  for (size_t i = 0; i < inverse_.height(); ++i) {
    for (size_t t = 0; t < waiting_; ++t) {
      for (size_t k = 0; k < kStripWidth; ++k)
        signed_[t * kStripWidth + k] = signs_[t] * pending(i)[t * kStripWidth + k];
    }
    for (size_t j = i; j < inverse_.width(); ++j) {
      kernels.outer(signed_.data(), pending(j), waiting_, scale_, -scale_, inverse_.tile(i, j));
    }
  }
  waiting_ = 0;
  scale_ = 1;
  trace_ = 0;
  for (size_t i = 0; i < columns(); ++i) trace_ += inverse_.at(i, i);
}

double RecursiveLeastSquares::inverse(size_t row, size_t column) const {
  const size_t i = row / kStripWidth, j = column / kStripWidth;
  double value = i <= j ? inverse_.at(row, column) : inverse_.at(column, row);
  for (size_t t = 0; t < waiting_; ++t) {
    const double* const q = pending(i) + t * kStripWidth + row % kStripWidth;
    const double* const r = pending(j) + t * kStripWidth + column % kStripWidth;
    value -= signs_[t] * (*q * *r);
  }
  return scale_ * value;
}

void RecursiveLeastSquares::save(double* numbers) const {
  *numbers++ = scale_;
  *numbers++ = trace_;
  *numbers++ = static_cast<double>(waiting_);
  numbers = std::copy_n(signs_, kPending, numbers);
  numbers = std::copy_n(pending_.data(), pending_.size(), numbers);
  numbers = std::copy_n(inverse_.strip(0), inverse_.bytes() / sizeof(double), numbers);
  std::copy_n(weights_.data(), weights_.size(), numbers);
}

bool RecursiveLeastSquares::restore(const double* numbers) {
  const double* const end = numbers + savedSize();
  if (!std::all_of(numbers, end, [](double value) { return std::isfinite(value); })) return false;
  const double scale = numbers[0], trace = numbers[1], waiting = numbers[2];
  if (!(scale > 0 && trace > 0 && waiting >= 0 && waiting < kPending && waiting == std::floor(waiting))) return false;
  const auto terms = static_cast<size_t>(waiting);
  if (!std::all_of(numbers + 3, numbers + 3 + terms, [](double sign) { return sign == 1 || sign == -1; })) return false;
  scale_ = scale;
  trace_ = trace;
  waiting_ = terms;
  const double* from = numbers + 3;
  const auto take = [&from](double* to, size_t count) {
    std::copy_n(from, count, to);
    from += count;
  };
  take(signs_, kPending);
  take(pending_.data(), pending_.size());
  take(inverse_.strip(0), inverse_.bytes() / sizeof(double));
  take(weights_.data(), weights_.size());
  // R is positive definite, and padded with zeros.
  for (size_t i = 0; i < x_.size(); ++i) {
    const double diagonal = inverse_.at(i, i);
    if (i < columns() ? diagonal <= 0 : diagonal != 0) return false;
  }
  return true;
}

void RecursiveLeastSquares::weights(double* weights, double* bias) const {
  for (size_t m = 0; m < shape_.outputs; ++m) {
    const double* const w = weights_.data() + m * x_.size();
    for (size_t i = 0; i < shape_.features(); ++i) weights[i * shape_.outputs + m] = w[i];
    bias[m] = shape_.intercept ? w[shape_.features()] : 0;
  }
}

}  // namespace dtesn
