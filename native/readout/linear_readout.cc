#include "readout/linear_readout.h"

namespace dtesn {
namespace {

template <class T>
double dotOf(const T* x, const double* w, size_t n) {
  double lane[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (size_t l = 0; l < 8; ++l) lane[l] += static_cast<double>(x[i + l]) * w[i + l];
  }
  for (size_t l = 0; i < n; ++i, ++l) lane[l] += static_cast<double>(x[i]) * w[i];
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace

LinearReadout::LinearReadout(const ReadoutShape& shape, const double* weights, const double* bias)
    : shape_(shape), weights_(shape.features() * shape.outputs), bias_(shape.outputs) {
  const size_t features = shape.features();
  for (size_t i = 0; i < features; ++i) {
    for (size_t m = 0; m < shape.outputs; ++m) weights_[m * features + i] = weights[i * shape.outputs + m];
  }
  std::copy_n(bias, shape.outputs, bias_.data());
}

template <class T>
void LinearReadout::apply(FeatureRows<T> features, size_t rows, double* out) const {
  for (size_t t = 0; t < rows; ++t) {
    const FeatureRows<T> x = features.from(shape_, t);
    const double* w = weights_.data();
    for (size_t m = 0; m < shape_.outputs; ++m, w += shape_.features()) {
      *out++ = bias_[m] + dotOf(x.states, w, shape_.states) + dotOf(x.inputs, w + shape_.states, shape_.inputs);
    }
  }
}

template void LinearReadout::apply<float>(FeatureRows<float>, size_t, double*) const;
template void LinearReadout::apply<double>(FeatureRows<double>, size_t, double*) const;

}  // namespace dtesn
