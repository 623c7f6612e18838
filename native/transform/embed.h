// Token ids to seeded pseudo-random features, without a table. Two passes: one reads the ids, one writes the features.
//
//     feature f of token k = scale·(2^-23·(w >> 8) - 1),  w = word f mod 4 of block ⌊f/4⌋ of the Philox stream k
//
// Expanded from the last token to the first, so that no id is overwritten before it is read. Ids are whole numbers in
// [0, 2^32); f32 holds them exactly up to 2^24.
#pragma once

#include "random/philox.h"
#include "transform/program.h"

namespace dtesn {

// The first step that holds no token id; `steps` when all do.
template <class T>
inline size_t firstNonToken(const T* data, size_t steps) {
  for (size_t t = 0; t < steps; ++t) {
    const T v = data[t];
    if (!(v >= 0 && v < T(4294967296.0)) || static_cast<T>(static_cast<uint32_t>(v)) != v) return t;
  }
  return steps;
}

// Precondition: firstNonToken() found none.
template <class T>
inline void embed(T* data, size_t steps, size_t features, uint64_t seed, double scale) {
  for (size_t t = steps; t-- > 0;) {
    const PhiloxStream stream(seed, static_cast<uint32_t>(data[t]), Purpose::embedding);
    T* const row = data + t * features;
    for (size_t f = 0; f < features; f += 4) {
      const Philox4 words = stream.block(f / 4);
      const size_t width = features - f < 4 ? features - f : 4;
      for (size_t l = 0; l < width; ++l) row[f + l] = static_cast<T>(scale * PhiloxStream::toSymmetric(words[l]));
    }
  }
}

}  // namespace dtesn
