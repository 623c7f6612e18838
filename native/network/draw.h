// Operators drawn from a seed or made of given weights.
//
//   W            U(-1, 1) on the places the topology leaves, scaled to the spectral radius asked for, then rounded to a
//                narrow precision; cycle, permutation and hadamard have their radius by construction
//   uniform      U(-1, 1) scaling, dense: W_in, biases, couplings
//   antisymmetric  (A - A') scaling - diffusion I with A of U(-1, 1), dense
//   orthogonal   uniform over all orthogonal matrices (Haar), dense
//
// Every number comes from Philox4x32-10 by (seed, stream, purpose, position): see docs/random.md. Element (i, k) of W
// and W_in is at position i cols + k. Drawing throws Interrupted where `interruption` says so.
#pragma once

#include <cstdint>

#include "linalg/interruption.h"
#include "linalg/narrow.h"
#include "network/region.h"
#include "random/philox.h"
#include "simd/span.h"

namespace dtesn {

enum class Topology { dense, sparse, blockSparse, cycle, permutation, hadamard };

struct RecurrentSpec {
  size_t units = 0;
  double spectralRadius = 0.9;
  Topology topology = Topology::dense;
  double density = 1;
  size_t blockRows = 8;
  Precision precision = Precision::own;  // a narrow one is dense or block-sparse, and f32 otherwise
  uint64_t seed = 0;
  uint32_t stream = 0;
};

// Throws std::runtime_error where the drawn matrix has no spectral radius to scale.
template <class T>
Operator<T> drawRecurrent(const RecurrentSpec& spec, const Interruption& interruption = {});

template <class T>
Operator<T> drawDense(size_t rows, size_t cols, double scaling, const PhiloxStream& stream,
                      const Interruption& interruption = {});

template <class T>
Operator<T> drawAntisymmetric(size_t n, double scaling, double diffusion, const PhiloxStream& stream,
                              const Interruption& interruption = {});

template <class T>
Operator<T> drawOrthogonal(size_t n, const PhiloxStream& stream, const Interruption& interruption = {});

// Given row-major weights, kept dense, in rows of their non-zeros, or narrow.
template <class T>
Operator<T> denseOf(size_t rows, size_t cols, Span<const T> values, Precision precision);
template <class T>
Operator<T> nonZerosOf(size_t rows, size_t cols, Span<const T> values);

}  // namespace dtesn
