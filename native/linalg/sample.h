// `degree` distinct columns of `cols`, ascending, from a counter-based stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "linalg/philox.h"

namespace dtesn {

// A whole number below `bound` (< 2^32) from one word; the bias is below bound / 2^32.
inline uint64_t below(uint64_t bound, uint32_t word) { return (bound * word) >> 32; }

// Selection sampling: each column is taken with the chance that leaves exactly `degree` in the end.
// Source: Knuth, TAOCP vol. 2, algorithm 3.4.2 S.
template <class Index>
void sampleDense(const PhiloxStream& stream, uint64_t position, size_t cols, size_t degree, Index* out) {
  size_t taken = 0;
  for (size_t k = 0; taken < degree; ++k) {
    if (below(cols - k, stream.word(position + k)) < degree - taken) out[taken++] = static_cast<Index>(k);
  }
}

// Floyd's algorithm, keeping the sample sorted: O(degree^2) and independent of cols.
// Source: Bentley & Floyd (1987), "A sample of brilliance", CACM 30(9).
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

// Positions [row cols, (row + 1) cols) of the stream belong to this row, whichever way is shorter.
template <class Index>
void sampleColumns(const PhiloxStream& stream, size_t row, size_t cols, size_t degree, Index* out) {
  const uint64_t position = static_cast<uint64_t>(row) * cols;
  if (degree * 16 > cols) {
    sampleDense(stream, position, cols, degree, out);
  } else {
    sampleFew(stream, position, cols, degree, out);
  }
}

}  // namespace dtesn
