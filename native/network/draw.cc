#include "network/draw.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "linalg/cycle.h"
#include "linalg/hadamard.h"
#include "linalg/narrow_blocks.h"
#include "linalg/narrow_dense.h"
#include "linalg/orthogonal.h"
#include "linalg/packed_dense.h"
#include "linalg/permutation.h"
#include "linalg/sparse_blocks.h"
#include "linalg/sparse_rows.h"
#include "linalg/spectral_radius.h"
#include "random/sample.h"

namespace dtesn {
namespace {

size_t degreeOf(const RecurrentSpec& spec) {
  const auto degree = static_cast<size_t>(std::lround(spec.density * static_cast<double>(spec.units)));
  return std::min(std::max<size_t>(degree, 1), spec.units);
}

template <class T>
PackedDense<T> uniform(size_t rows, size_t cols, double scaling, const PhiloxStream& stream,
                       const Interruption& interruption) {
  return PackedDense<T>(rows, cols, [&](size_t i, T* row) {
    interruption.check();
    stream.fillSymmetric(static_cast<uint64_t>(i) * cols, cols, row);
    for (size_t k = 0; k < cols; ++k) row[k] *= static_cast<T>(scaling);
  });
}

template <class T>
SparseRows<T> drawSparse(const RecurrentSpec& spec, const PhiloxStream& weights, const PhiloxStream& structure,
                         const Interruption& interruption) {
  const size_t n = spec.units, degree = degreeOf(spec);
  return SparseRows<T>(n, n, degree, [&](size_t i, uint32_t* columns, T* w) {
    interruption.check();
    sampleColumns(structure, i, n, degree, columns);
    for (size_t j = 0; j < degree; ++j) w[j] = static_cast<T>(weights.symmetric(i * n + columns[j]));
  });
}

template <class T>
SparseBlocks<T> drawBlocks(const RecurrentSpec& spec, const PhiloxStream& weights, const PhiloxStream& structure,
                           const Interruption& interruption) {
  const size_t n = spec.units, degree = degreeOf(spec), rows = spec.blockRows;
  return SparseBlocks<T>(
      n, n, rows, degree, [&](size_t b, uint16_t* columns) { sampleColumns(structure, b, n, degree, columns); },
      [&](size_t b, T* w) {
        interruption.check();
        weights.fillSymmetric(static_cast<uint64_t>(b) * rows * degree, rows * degree, w);
      });
}

// Of the dominant pair. The radius of a random matrix is then right to about a tenth of it (test/network).
constexpr double kResidual = 1e-3;

template <class T>
std::vector<double> elementsOf(const LinearOperator<T>& w) {
  std::vector<T> dense(w.rows() * w.cols());
  w.unpack(dense.data());
  return std::vector<double>(dense.begin(), dense.end());
}

template <class T>
double radiusOf(const LinearOperator<T>& w, const RecurrentSpec& spec, const Interruption& interruption) {
  RadiusOptions options;
  options.interruption = interruption;
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

// Rounded to 24 bits: the last bits of a measured radius never reach the weights.
template <class T, class Drawn>
Drawn scaled(Drawn drawn, const RecurrentSpec& spec, const Interruption& interruption) {
  const auto factor = static_cast<float>(spec.spectralRadius / radiusOf<T>(drawn, spec, interruption));
  return Drawn(std::move(drawn), static_cast<T>(factor));
}

Operator<float> stored(PackedDense<float> w, Precision precision) {
  if (precision == Precision::own) return std::make_unique<PackedDense<float>>(std::move(w));
  return std::make_unique<NarrowDense>(w, precision);
}

Operator<float> stored(SparseBlocks<float> w, Precision precision) {
  if (precision == Precision::own) return std::make_unique<SparseBlocks<float>>(std::move(w));
  if (precision == Precision::int8) return std::make_unique<NarrowBlocks<int8_t>>(w);
  return std::make_unique<NarrowBlocks<uint16_t>>(w);
}

Operator<double> stored(PackedDense<double> w, Precision) {
  return std::make_unique<PackedDense<double>>(std::move(w));
}

Operator<double> stored(SparseBlocks<double> w, Precision) {
  return std::make_unique<SparseBlocks<double>>(std::move(w));
}

}  // namespace

template <class T>
Operator<T> drawRecurrent(const RecurrentSpec& spec, const Interruption& interruption) {
  const size_t n = spec.units;
  const PhiloxStream weights(spec.seed, spec.stream, Purpose::recurrent);
  const PhiloxStream structure(spec.seed, spec.stream, Purpose::structure);
  const auto radius = static_cast<T>(spec.spectralRadius);
  switch (spec.topology) {
    case Topology::cycle:
      return std::make_unique<Cycle<T>>(n, radius);
    case Topology::permutation:
      return std::make_unique<Permutation<T>>(n, radius, structure);
    case Topology::hadamard:
      return std::make_unique<Hadamard<T>>(n, radius, structure);
    case Topology::sparse:
      return std::make_unique<SparseRows<T>>(
          scaled<T>(drawSparse<T>(spec, weights, structure, interruption), spec, interruption));
    case Topology::blockSparse:
      return stored(scaled<T>(drawBlocks<T>(spec, weights, structure, interruption), spec, interruption),
                    spec.precision);
    case Topology::dense:
      break;
  }
  return stored(scaled<T>(uniform<T>(n, n, 1, weights, interruption), spec, interruption), spec.precision);
}

template <class T>
Operator<T> drawDense(size_t rows, size_t cols, double scaling, const PhiloxStream& stream,
                      const Interruption& interruption) {
  return std::make_unique<PackedDense<T>>(uniform<T>(rows, cols, scaling, stream, interruption));
}

template <class T>
Operator<T> drawAntisymmetric(size_t n, double scaling, double diffusion, const PhiloxStream& stream,
                              const Interruption& interruption) {
  return std::make_unique<PackedDense<T>>(n, n, [&](size_t i, T* row) {
    interruption.check();
    for (size_t k = 0; k < n; ++k) {
      const double difference = stream.symmetric(i * n + k) - stream.symmetric(k * n + i);
      row[k] = static_cast<T>(i == k ? -diffusion : difference * scaling);
    }
  });
}

template <class T>
Operator<T> drawOrthogonal(size_t n, const PhiloxStream& stream, const Interruption& interruption) {
  const AlignedArray<double> q = orthogonal(n, stream, interruption);
  return std::make_unique<PackedDense<T>>(n, n, [&](size_t i, T* row) {
    for (size_t k = 0; k < n; ++k) row[k] = static_cast<T>(q[i * n + k]);
  });
}

template <class T>
Operator<T> denseOf(size_t rows, size_t cols, Span<const T> values, Precision precision) {
  return stored(PackedDense<T>(rows, cols, [&](size_t i, T* row) { std::copy_n(values.data + i * cols, cols, row); }),
                precision);
}

template <class T>
Operator<T> nonZerosOf(size_t rows, size_t cols, Span<const T> values) {
  return std::make_unique<SparseRows<T>>(rows, cols, values);
}

template Operator<float> drawRecurrent<float>(const RecurrentSpec&, const Interruption&);
template Operator<float> drawDense<float>(size_t, size_t, double, const PhiloxStream&, const Interruption&);
template Operator<float> drawAntisymmetric<float>(size_t, double, double, const PhiloxStream&, const Interruption&);
template Operator<float> drawOrthogonal<float>(size_t, const PhiloxStream&, const Interruption&);
template Operator<float> denseOf<float>(size_t, size_t, Span<const float>, Precision);
template Operator<float> nonZerosOf<float>(size_t, size_t, Span<const float>);
template Operator<double> drawRecurrent<double>(const RecurrentSpec&, const Interruption&);
template Operator<double> drawDense<double>(size_t, size_t, double, const PhiloxStream&, const Interruption&);
template Operator<double> drawAntisymmetric<double>(size_t, double, double, const PhiloxStream&, const Interruption&);
template Operator<double> drawOrthogonal<double>(size_t, const PhiloxStream&, const Interruption&);
template Operator<double> denseOf<double>(size_t, size_t, Span<const double>, Precision);
template Operator<double> nonZerosOf<double>(size_t, size_t, Span<const double>);

}  // namespace dtesn
