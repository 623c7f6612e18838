// A real matrix A (rows x cols) in the storage its structure allows. It never changes: what is scaled is scaled while
// it is made.
//
//   accumulate   y += A x            in T, by the SIMD kernels; y has paddedRows elements, the padding stays zero, and
//                                    after them `workElements` that hold nothing before and nothing after
//   accumulateMany                   the same for many series, with workOfMany elements to work in; numbers do not
//                                    depend on how the series are grouped
//   product      y  = A x            in f64, in one fixed order of plain loops: the same bits on every machine, so that
//   transposed   y  = A' x           what is scaled by a measured radius or norm is the same everywhere
#pragma once

#include <cstddef>

#include "simd/kernels.h"

namespace dtesn {

template <class T>
class LinearOperator {
 public:
  LinearOperator(size_t rows, size_t cols) : rows_(rows), cols_(cols) {}
  virtual ~LinearOperator() = default;

  size_t rows() const { return rows_; }
  size_t cols() const { return cols_; }
  virtual size_t paddedRows() const = 0;
  virtual size_t workElements() const { return 0; }
  virtual void accumulate(const T* x, T* y, Sweep sweep = Sweep::forwards) const = 0;
  virtual size_t workOfMany(size_t /*count*/) const { return 0; }
  virtual void accumulateMany(size_t count, const T* const* xs, T* const* ys, T* /*work*/,
                              Sweep sweep = Sweep::forwards) const {
    for (size_t s = 0; s < count; ++s) accumulate(xs[s], ys[s], sweep);
  }
  virtual void product(const double* x, double* y) const = 0;
  virtual void transposed(const double* x, double* y) const = 0;
  // Writes the rows x cols matrix, row-major, into zeroed memory.
  virtual void unpack(T* dense) const = 0;
  // Bytes of weights and indices that one product reads.
  virtual size_t bytes() const = 0;

 private:
  size_t rows_, cols_;
};

}  // namespace dtesn
