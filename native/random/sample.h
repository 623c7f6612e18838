// `degree` distinct columns of `cols`, ascending, from a counter-based stream.
//
// Floyd's algorithm: for j = cols - degree, ..., cols - 1 a column t <= j is drawn, and taken if it is new; if not, j
// is. Source: Bentley & Floyd (1987), "A sample of brilliance", CACM 30(9).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "random/philox.h"

namespace dtesn {

// A whole number below `bound` (< 2^32) from one word; the bias is below bound / 2^32.
inline uint64_t below(uint64_t bound, uint32_t word) { return (bound * word) >> 32; }

// Keeps the sample sorted as it grows: O(degree^2) and independent of cols.
template <class Index>
void sampleFew(const PhiloxStream& stream, uint64_t position, size_t cols, size_t degree, Index* out) {
  for (size_t taken = 0; taken < degree; ++taken) {
    const size_t top = cols - degree + taken;
    const Index drawn = static_cast<Index>(below(top + 1, stream.word(position + taken)));
    size_t at = taken;
    while (at > 0 && out[at - 1] >= drawn) --at;
    const bool known = at < taken && out[at] == drawn;
    if (known) at = taken;  // top itself is new and larger than everything so far
    for (size_t i = taken; i > at; --i) out[i] = out[i - 1];
    out[at] = known ? static_cast<Index>(top) : drawn;
  }
}

// Marks the sample in a set of all columns and reads it out: O(cols + degree).
template <class Index>
void sampleMany(const PhiloxStream& stream, uint64_t position, size_t cols, size_t degree, Index* out) {
  std::vector<bool> taken(cols);
  std::vector<uint32_t> words(degree);
  stream.fillWords(position, degree, words.data());
  for (size_t j = 0; j < degree; ++j) {
    const size_t top = cols - degree + j, drawn = below(top + 1, words[j]);
    taken[taken[drawn] ? top : drawn] = true;
  }
  for (size_t k = 0; k < cols; ++k) {
    if (taken[k]) *out++ = static_cast<Index>(k);
  }
}

// Positions [row cols, row cols + degree) of the stream belong to this row, whichever way is shorter.
template <class Index>
void sampleColumns(const PhiloxStream& stream, size_t row, size_t cols, size_t degree, Index* out) {
  const uint64_t position = static_cast<uint64_t>(row) * cols;
  if (degree * 16 > cols) {
    sampleMany(stream, position, cols, degree, out);
  } else {
    sampleFew(stream, position, cols, degree, out);
  }
}

}  // namespace dtesn
