#include "readout/spectrum.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/aligned_array.h"
#include "linalg/fixed_order.h"

namespace dtesn {
namespace {

constexpr size_t kMostSweeps = 40;

}  // namespace

void orthogonaliseRows(double* rows, size_t count, size_t stride, size_t columns, size_t length,
                       const Interruption& interruption) {
  const double tolerance = std::numeric_limits<double>::epsilon() * std::sqrt(static_cast<double>(columns));
  const AlignedArray<double> squares(count);
  // Rows that are nothing but rounding beside the largest have no directions to part.
  double largest = 0;
  for (size_t p = 0; p < count; ++p) largest = std::max(largest, dot(rows + p * stride, rows + p * stride, columns));
  const double share = std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(count, columns));
  const double floor = largest * share * share;
  bool rotated = true;
  for (size_t sweep = 0; rotated && sweep < kMostSweeps; ++sweep) {
    rotated = false;
    for (size_t p = 0; p < count; ++p) squares[p] = dot(rows + p * stride, rows + p * stride, columns);
    for (size_t p = 0; p + 1 < count; ++p) {
      interruption.check();
      double* const a = rows + p * stride;
      for (size_t q = p + 1; q < count; ++q) {
        if (squares[p] <= floor && squares[q] <= floor) continue;
        double* const b = rows + q * stride;
        const double across = dot(a, b, columns);
        if (!(std::fabs(across) > tolerance * std::sqrt(squares[p]) * std::sqrt(squares[q]))) continue;
        rotated = true;
        const double zeta = (squares[q] - squares[p]) / (2 * across);
        const double tangent = (zeta < 0 ? -1 : 1) / (std::fabs(zeta) + modulus(1, zeta));
        const double cosine = 1 / std::sqrt(1 + tangent * tangent), sine = cosine * tangent;
        for (size_t i = 0; i < length; ++i) {
          const double x = a[i], y = b[i];
          a[i] = cosine * x - sine * y;
          b[i] = sine * x + cosine * y;
        }
        squares[p] -= tangent * across;
        squares[q] += tangent * across;
        // What is left of a much smaller row is known by its numbers only.
        if (squares[p] < 0.5 * squares[q] * tangent * tangent) squares[p] = dot(a, a, columns);
        if (squares[q] < 0.5 * squares[p] * tangent * tangent) squares[q] = dot(b, b, columns);
      }
    }
  }
}

}  // namespace dtesn
