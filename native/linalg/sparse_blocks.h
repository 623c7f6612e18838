// A block-sparse matrix: 8 or 16 consecutive rows share their columns, so one broadcast of x[column] meets contiguous
// weights and an index costs two bytes a block of rows. At most 65,536 columns.
#pragma once

#include <algorithm>
#include <utility>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "simd/kernels.h"

namespace dtesn {

template <class T>
class SparseBlocks final : public LinearOperator<T> {
 public:
  // fillColumns(b, columns) writes the `degree` columns of block b; fillWeights(b, weights) its degree x blockRows
  // weights, column by column. Rows past the last one are cleared.
  template <class FillColumns, class FillWeights>
  SparseBlocks(size_t rows, size_t cols, size_t blockRows, size_t degree, FillColumns fillColumns,
               FillWeights fillWeights)
      : LinearOperator<T>(rows, cols),
        blockRows_(blockRows),
        degree_(degree),
        blocks_((rows + blockRows - 1) / blockRows),
        columns_(blocks_ * degree),
        weights_(blocks_ * degree * blockRows) {
    for (size_t b = 0; b < blocks_; ++b) {
      fillColumns(b, columns_.data() + b * degree);
      fillWeights(b, weights_.data() + b * degree * blockRows);
    }
    for (size_t i = rows; i < paddedRows(); ++i) {
      for (size_t j = 0; j < degree; ++j) *weight(i, j) = 0;
    }
  }

  // The weights of a drawn matrix times `factor`.
  SparseBlocks(SparseBlocks drawn, T factor)
      : LinearOperator<T>(drawn.rows(), drawn.cols()),
        blockRows_(drawn.blockRows_),
        degree_(drawn.degree_),
        blocks_(drawn.blocks_),
        columns_(std::move(drawn.columns_)),
        weights_(std::move(drawn.weights_)) {
    for (size_t i = 0; i < weights_.size(); ++i) weights_[i] *= factor;
  }

  size_t paddedRows() const override { return blocks_ * blockRows_; }
  size_t blockRows() const { return blockRows_; }
  size_t degree() const { return degree_; }
  const AlignedArray<uint16_t>& columns() const { return columns_; }
  const AlignedArray<T>& weights() const { return weights_; }

  void accumulate(const T* x, T* y, Sweep sweep) const override {
    const auto kernel = blockRows_ == 8 ? kernels<T>().blocks8 : kernels<T>().blocks16;
    kernel(weights_.data(), columns_.data(), degree_, blocks_, x, y, sweep);
  }

  size_t workOfMany(size_t count) const override { return workOfBlocks(count, this->cols()); }

  void accumulateMany(size_t count, const T* const* xs, T* const* ys, T* work, Sweep sweep) const override {
    const auto kernel = blockRows_ == 8 ? kernels<T>().blocks8Many : kernels<T>().blocks16Many;
    kernel(weights_.data(), columns_.data(), degree_, blocks_, this->cols(), count, xs, ys, work, sweep);
  }

  void product(const double* x, double* y) const override {
    const size_t whole = this->rows() / blockRows_;
    productOf(0, whole, x, y);
    if (whole == blocks_) return;
    double last[16];
    productOf(whole, 1, x, last);
    std::copy_n(last, this->rows() - whole * blockRows_, y + whole * blockRows_);
  }

  void transposed(const double* x, double* y) const override {
    for (size_t k = 0; k < this->cols(); ++k) y[k] = 0;
    for (size_t i = 0; i < this->rows(); ++i) {
      for (size_t j = 0; j < degree_; ++j) y[column(i, j)] += static_cast<double>(*weight(i, j)) * x[i];
    }
  }

  void unpack(T* dense) const override {
    for (size_t i = 0; i < this->rows(); ++i) {
      for (size_t j = 0; j < degree_; ++j) dense[i * this->cols() + column(i, j)] = *weight(i, j);
    }
  }

  size_t bytes() const override { return weights_.size() * sizeof(T) + columns_.size() * sizeof(uint16_t); }

 private:
  // y = A x for `count` blocks.
  void productOf(size_t first, size_t count, const double* x, double* y) const {
    kernels<T>().exactBlocks(weights_.data() + first * degree_ * blockRows_, columns_.data() + first * degree_, degree_,
                             count, blockRows_, x, y);
  }

  size_t column(size_t i, size_t j) const { return columns_[i / blockRows_ * degree_ + j]; }
  T* weight(size_t i, size_t j) const {
    return weights_.data() + (i / blockRows_ * degree_ + j) * blockRows_ + i % blockRows_;
  }

  size_t blockRows_, degree_, blocks_;
  AlignedArray<uint16_t> columns_;
  AlignedArray<T> weights_;
};

}  // namespace dtesn
