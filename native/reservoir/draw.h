// Regions drawn from a seed or made from given weights.
//
//   W      U(-1, 1) on the places the topology leaves, scaled to the spectral radius asked for, then rounded to a
//          narrow precision; cycle, permutation and hadamard have their radius by construction
//   W_in   U(-1, 1) inputScaling, dense        b   U(-1, 1) biasScaling
//
// Every number comes from Philox4x32-10 by (seed, stream, purpose, position): see docs/random.md. Element (i, k) of W
// and W_in is at position i cols + k.
#pragma once

#include <cstdint>
#include <memory>

#include "linalg/linear_operator.h"
#include "linalg/narrow.h"
#include "linalg/philox.h"
#include "reservoir/region.h"
#include "simd/span.h"

namespace dtesn {

enum class Topology { dense, sparse, blockSparse, cycle, permutation, hadamard };

struct RegionSpec {
  size_t units = 0;
  size_t inputs = 0;  // 0: no input reaches this region
  double spectralRadius = 0.9;
  double inputScaling = 1;
  double biasScaling = 0;
  Topology topology = Topology::dense;
  double density = 1;
  size_t blockRows = 8;
  Precision precision = Precision::own;  // of W; a narrow one is dense or block-sparse, and f32 otherwise
  uint64_t seed = 0;
  uint32_t stream = 0;
};

// Throws std::runtime_error where the drawn matrix has no spectral radius to scale.
template <class T>
Region<T> drawRegion(const RegionSpec& spec, Span<const T> leak);

template <class T>
struct GivenWeights {
  size_t units = 0;
  size_t inputs = 0;
  Span<const T> recurrent;  // units x units, row-major
  Span<const T> input;      // units x inputs
  Span<const T> bias;       // units, or empty
  bool sparse = false;
  Precision precision = Precision::own;
  Activation activation = Activation::tanh;
};

template <class T>
Region<T> givenRegion(const GivenWeights<T>& weights, Span<const T> leak);

// A dense rows x cols matrix of U(-1, 1) `scaling`.
template <class T>
std::unique_ptr<LinearOperator<T>> drawDense(size_t rows, size_t cols, double scaling, const PhiloxStream& stream);

}  // namespace dtesn
