// A sparse matrix in compressed rows (CSR).
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "simd/kernels.h"
#include "simd/rounded.h"

namespace dtesn {

template <class T>
class SparseRows final : public LinearOperator<T> {
 public:
  // `degree` entries a row: fillRow(i, columns, weights).
  template <class FillRow>
  SparseRows(size_t rows, size_t cols, size_t degree, FillRow fillRow)
      : LinearOperator<T>(rows, cols), starts_(rows + 1), columns_(rows * degree), weights_(rows * degree) {
    for (size_t i = 0; i < rows; ++i) {
      starts_[i + 1] = starts_[i] + degree;
      fillRow(i, columns_.data() + starts_[i], weights_.data() + starts_[i]);
    }
  }

  // The non-zeros of a row-major matrix.
  SparseRows(size_t rows, size_t cols, Span<const T> dense)
      : LinearOperator<T>(rows, cols), starts_(rows + 1), columns_(countNonZeros(dense)), weights_(columns_.size()) {
    size_t next = 0;
    for (size_t i = 0; i < rows; ++i) {
      for (size_t k = 0; k < cols; ++k) {
        if (dense[i * cols + k] == 0) continue;
        columns_[next] = static_cast<uint32_t>(k);
        weights_[next++] = dense[i * cols + k];
      }
      starts_[i + 1] = next;
    }
  }

  // Compressed rows as they are given: offsets has rows + 1 elements, columns ascend in each row.
  SparseRows(size_t rows, size_t cols, Span<const uint32_t> offsets, Span<const uint32_t> columns, Span<const T> values)
      : LinearOperator<T>(rows, cols),
        starts_(offsets.begin(), offsets.end()),
        columns_(columns.size),
        weights_(values.size) {
    std::copy(columns.begin(), columns.end(), columns_.data());
    std::copy(values.begin(), values.end(), weights_.data());
  }

  // The weights of a drawn matrix times `factor`.
  SparseRows(SparseRows drawn, T factor)
      : LinearOperator<T>(drawn.rows(), drawn.cols()),
        starts_(std::move(drawn.starts_)),
        columns_(std::move(drawn.columns_)),
        weights_(std::move(drawn.weights_)) {
    for (size_t i = 0; i < weights_.size(); ++i) weights_[i] *= factor;
  }

  size_t paddedRows() const override { return this->rows(); }

  void accumulate(const T* x, T* y, Sweep) const override {
    kernels<T>().rows(weights_.data(), columns_.data(), starts_.data(), this->rows(), x, y);
  }

  size_t workOfMany(size_t count) const override { return workOfRows(count, this->cols()); }

  void accumulateMany(size_t count, const T* const* xs, T* const* ys, T* work, Sweep) const override {
    kernels<T>().rowsMany(weights_.data(), columns_.data(), starts_.data(), this->rows(), this->cols(), count, xs, ys,
                          work);
  }

  void product(const double* x, double* y) const override {
    for (size_t i = 0; i < this->rows(); ++i) {
      double sum[4] = {0, 0, 0, 0};
      size_t k = starts_[i];
      const size_t end = starts_[i + 1];
      for (; k + 4 <= end; k += 4) {
        for (size_t s = 0; s < 4; ++s) sum[s] += roundedProduct(k + s, x);
      }
      for (; k < end; ++k) sum[0] += roundedProduct(k, x);
      y[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  }

  void transposed(const double* x, double* y) const override {
    for (size_t k = 0; k < this->cols(); ++k) y[k] = 0;
    for (size_t i = 0; i < this->rows(); ++i) {
      for (size_t k = starts_[i]; k < starts_[i + 1]; ++k) y[columns_[k]] += static_cast<double>(weights_[k]) * x[i];
    }
  }

  void unpack(T* dense) const override {
    for (size_t i = 0; i < this->rows(); ++i) {
      for (size_t k = starts_[i]; k < starts_[i + 1]; ++k) dense[i * this->cols() + columns_[k]] += weights_[k];
    }
  }

  size_t bytes() const override {
    return weights_.size() * (sizeof(T) + sizeof(uint32_t)) + starts_.size() * sizeof(size_t);
  }

 private:
  double roundedProduct(size_t k, const double* x) const {
    double product = static_cast<double>(weights_[k]) * x[columns_[k]];
    DTESN_ROUNDED(product);
    return product;
  }

  static size_t countNonZeros(Span<const T> dense) {
    size_t count = 0;
    for (const T& value : dense) count += value != 0;
    return count;
  }

  std::vector<size_t> starts_;
  AlignedArray<uint32_t> columns_;
  AlignedArray<T> weights_;
};

}  // namespace dtesn
