#include "reservoir/draw.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "linalg/cycle.h"
#include "linalg/hadamard.h"
#include "linalg/narrow_blocks.h"
#include "linalg/narrow_dense.h"
#include "linalg/packed_dense.h"
#include "linalg/permutation.h"
#include "linalg/sample.h"
#include "linalg/sparse_blocks.h"
#include "linalg/sparse_rows.h"
#include "linalg/spectral_radius.h"

namespace dtesn {
namespace {

size_t degreeOf(const RegionSpec& spec) {
  const auto degree = static_cast<size_t>(std::lround(spec.density * static_cast<double>(spec.units)));
  return std::min(std::max<size_t>(degree, 1), spec.units);
}

template <class T>
std::unique_ptr<LinearOperator<T>> drawSparse(const RegionSpec& spec, const PhiloxStream& weights,
                                              const PhiloxStream& structure) {
  const size_t n = spec.units, degree = degreeOf(spec);
  return std::make_unique<SparseRows<T>>(n, n, degree, [&](size_t i, uint32_t* columns, T* w) {
    sampleColumns(structure, i, n, degree, columns);
    for (size_t j = 0; j < degree; ++j) w[j] = static_cast<T>(weights.symmetric(i * n + columns[j]));
  });
}

template <class T>
std::unique_ptr<LinearOperator<T>> drawBlocks(const RegionSpec& spec, const PhiloxStream& weights,
                                              const PhiloxStream& structure) {
  const size_t n = spec.units, degree = degreeOf(spec), rows = spec.blockRows;
  return std::make_unique<SparseBlocks<T>>(
      n, n, rows, degree, [&](size_t b, uint16_t* columns) { sampleColumns(structure, b, n, degree, columns); },
      [&](size_t b, T* w) { weights.fillSymmetric(static_cast<uint64_t>(b) * rows * degree, rows * degree, w); });
}

template <class T>
std::unique_ptr<LinearOperator<T>> drawRecurrent(const RegionSpec& spec) {
  const PhiloxStream weights(spec.seed, spec.stream, Purpose::recurrent);
  const PhiloxStream structure(spec.seed, spec.stream, Purpose::structure);
  switch (spec.topology) {
    case Topology::cycle:
      return std::make_unique<Cycle<T>>(spec.units, T(1));
    case Topology::permutation:
      return std::make_unique<Permutation<T>>(spec.units, T(1), structure);
    case Topology::hadamard:
      return std::make_unique<Hadamard<T>>(spec.units, T(1), structure);
    case Topology::sparse:
      return drawSparse<T>(spec, weights, structure);
    case Topology::blockSparse:
      return drawBlocks<T>(spec, weights, structure);
    case Topology::dense:
      break;
  }
  return drawDense<T>(spec.units, spec.units, 1, weights);
}

// Of the dominant pair. The radius of a random matrix is then right to about a tenth of it (test/reservoir).
constexpr double kResidual = 1e-3;

// Of these every eigenvalue has modulus 1 before they are scaled.
bool isUnitary(Topology topology) {
  return topology == Topology::cycle || topology == Topology::permutation || topology == Topology::hadamard;
}

template <class T>
std::vector<double> elementsOf(const LinearOperator<T>& w) {
  std::vector<T> dense(w.rows() * w.cols());
  w.unpack(dense.data());
  return std::vector<double>(dense.begin(), dense.end());
}

template <class T>
double radiusOf(const LinearOperator<T>& w, const RegionSpec& spec) {
  RadiusOptions options;
  options.tolerance = kResidual;
  options.seed = spec.seed;
  options.powerSteps = static_cast<size_t>(2.4 * std::sqrt(static_cast<double>(spec.units)));
  const Product product = [&w](const double* x, double* y) { w.product(x, y); };
  const std::vector<double> elements = spec.units > kDenseUnits ? std::vector<double>() : elementsOf(w);
  const SpectralRadius found = elements.empty()
                                   ? spectralRadius(spec.units, product, options)
                                   : spectralRadius(Span<const double>(elements), spec.units, product, options);
  if (!(found.radius > 1e-9)) {
    throw std::runtime_error("The drawn recurrent matrix is nilpotent and cannot be scaled: raise density or units");
  }
  if (!found.converged) throw std::runtime_error("The spectral radius of the drawn matrix did not converge");
  return found.radius;
}

std::unique_ptr<LinearOperator<float>> inPrecision(std::unique_ptr<LinearOperator<float>> w, Topology topology,
                                                   Precision precision) {
  if (precision == Precision::own) return w;
  if (topology != Topology::blockSparse) return std::make_unique<NarrowDense>(*w, precision);
  const auto& blocks = static_cast<const SparseBlocks<float>&>(*w);
  if (precision == Precision::int8) return std::make_unique<NarrowBlocks<int8_t>>(blocks);
  return std::make_unique<NarrowBlocks<uint16_t>>(blocks);
}

std::unique_ptr<LinearOperator<double>> inPrecision(std::unique_ptr<LinearOperator<double>> w, Topology, Precision) {
  return w;
}

template <class T>
AlignedArray<T> copyOf(Span<const T> values, size_t size) {
  AlignedArray<T> copy(size);
  std::copy(values.begin(), values.end(), copy.data());
  return copy;
}

}  // namespace

template <class T>
std::unique_ptr<LinearOperator<T>> drawDense(size_t rows, size_t cols, double scaling, const PhiloxStream& stream) {
  return std::make_unique<PackedDense<T>>(rows, cols, [&](size_t i, T* row) {
    stream.fillSymmetric(static_cast<uint64_t>(i) * cols, cols, row);
    for (size_t k = 0; k < cols; ++k) row[k] *= static_cast<T>(scaling);
  });
}

template <class T>
Region<T> drawRegion(const RegionSpec& spec, Span<const T> leak) {
  Region<T> region;
  region.recurrent = drawRecurrent<T>(spec);
  if (isUnitary(spec.topology)) {
    region.recurrent->scale(static_cast<T>(spec.spectralRadius));
  } else {
    // Rounded to 24 bits: the last bits of a measured radius never reach the weights.
    const auto factor = static_cast<float>(spec.spectralRadius / radiusOf<T>(*region.recurrent, spec));
    region.recurrent->scale(static_cast<T>(factor));
  }
  region.recurrent = inPrecision(std::move(region.recurrent), spec.topology, spec.precision);
  if (spec.inputs > 0) {
    const PhiloxStream stream(spec.seed, spec.stream, Purpose::input);
    region.input = drawDense<T>(spec.units, spec.inputs, spec.inputScaling, stream);
  }
  region.bias = AlignedArray<T>(Region<T>::paddedUnits(spec.units));
  const PhiloxStream bias(spec.seed, spec.stream, Purpose::bias);
  bias.fillSymmetric(0, spec.units, region.bias.data());
  for (size_t i = 0; i < spec.units; ++i) region.bias[i] *= static_cast<T>(spec.biasScaling);
  region.leak = copyOf(leak, Region<T>::paddedUnits(spec.units));
  return region;
}

template <class T>
Region<T> givenRegion(const GivenWeights<T>& given, Span<const T> leak) {
  const size_t n = given.units, inputs = given.inputs;
  Region<T> region;
  if (given.sparse) {
    region.recurrent = std::make_unique<SparseRows<T>>(n, n, given.recurrent);
  } else {
    region.recurrent = std::make_unique<PackedDense<T>>(
        n, n, [&](size_t i, T* row) { std::copy_n(given.recurrent.data + i * n, n, row); });
  }
  region.recurrent = inPrecision(std::move(region.recurrent), Topology::dense, given.precision);
  region.input = std::make_unique<PackedDense<T>>(
      n, inputs, [&](size_t i, T* row) { std::copy_n(given.input.data + i * inputs, inputs, row); });
  region.bias = copyOf(given.bias, Region<T>::paddedUnits(n));
  region.leak = copyOf(leak, Region<T>::paddedUnits(n));
  region.activation = given.activation;
  return region;
}

template std::unique_ptr<LinearOperator<float>> drawDense<float>(size_t, size_t, double, const PhiloxStream&);
template std::unique_ptr<LinearOperator<double>> drawDense<double>(size_t, size_t, double, const PhiloxStream&);
template Region<float> drawRegion<float>(const RegionSpec&, Span<const float>);
template Region<double> drawRegion<double>(const RegionSpec&, Span<const double>);
template Region<float> givenRegion<float>(const GivenWeights<float>&, Span<const float>);
template Region<double> givenRegion<double>(const GivenWeights<double>&, Span<const double>);

}  // namespace dtesn
