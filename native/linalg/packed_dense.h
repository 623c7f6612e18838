// A dense matrix packed once in the panels of simd/kernels.h.
#pragma once

#include <algorithm>
#include <utility>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "simd/kernels.h"

namespace dtesn {

template <class T>
class PackedDense final : public LinearOperator<T> {
 public:
  // fillRow(i, row) writes the `cols` weights of row i.
  template <class FillRow>
  PackedDense(size_t rows, size_t cols, FillRow fillRow)
      : LinearOperator<T>(rows, cols),
        groups_((rows + groupRows<T>() - 1) / groupRows<T>()),
        weights_(groups_ * groupRows<T>() * cols) {
    // A few rows at a time: each line of the panel is written once.
    AlignedArray<T> some(groupRows<T>() * cols);
    for (size_t first = 0; first < rows; first += groupRows<T>()) {
      const size_t count = std::min(groupRows<T>(), rows - first);
      for (size_t i = 0; i < count; ++i) fillRow(first + i, some.data() + i * cols);
      T* to = at(first, 0);
      const size_t stride = panelRows(first);
      for (size_t k = 0; k < cols; ++k, to += stride) {
        for (size_t i = 0; i < count; ++i) to[i] = some[i * cols + k];
      }
    }
  }

  // The weights of a drawn matrix times `factor`.
  PackedDense(PackedDense drawn, T factor)
      : LinearOperator<T>(drawn.rows(), drawn.cols()), groups_(drawn.groups_), weights_(std::move(drawn.weights_)) {
    for (size_t i = 0; i < weights_.size(); ++i) weights_[i] *= factor;
  }

  size_t paddedRows() const override { return groups_ * groupRows<T>(); }

  void accumulate(const T* x, T* y, Sweep sweep) const override {
    kernels<T>().panels(weights_.data(), groups_, this->cols(), x, y, sweep);
  }

  void accumulateMany(size_t count, const T* const* xs, T* const* ys, T*, Sweep sweep) const override {
    kernels<T>().panelsMany(weights_.data(), groups_, this->cols(), count, xs, ys, sweep);
  }

  void product(const double* x, double* y) const override {
    const size_t first = this->rows() / kPanelRows * kPanelRows;
    productOf(0, first / groupRows<T>(), x, y);
    double last[kPanelRows];
    productOf(first, groups_ - first / groupRows<T>(), x, last);
    std::copy_n(last, this->rows() - first, y + first);
  }

  void transposed(const double* x, double* y) const override {
    for (size_t k = 0; k < this->cols(); ++k) y[k] = 0;
    for (size_t first = 0; first < this->rows(); first += panelRows(first)) {
      const size_t stride = panelRows(first);
      const size_t count = rowsHere(first);
      const T* w = at(first, 0);
      for (size_t k = 0; k < this->cols(); ++k, w += stride) {
        double sum = 0;
        for (size_t i = 0; i < count; ++i) sum += static_cast<double>(w[i]) * x[first + i];
        y[k] += sum;
      }
    }
  }

  void unpack(T* dense) const override {
    for (size_t i = 0; i < this->rows(); ++i) {
      for (size_t k = 0; k < this->cols(); ++k) *dense++ = *at(i, k);
    }
  }

  size_t bytes() const override { return weights_.size() * sizeof(T); }

 private:
  static constexpr size_t kPanelRows = kPanelGroups * groupRows<T>();

  // y = A x for the panels from row `first` on.
  void productOf(size_t first, size_t groups, const double* x, double* y) const {
    kernels<T>().exactPanels(weights_.data() + first * this->cols(), groups, this->cols(), x, y);
  }

  // Rows the panel of row i stores, padding included: the distance between two columns.
  size_t panelRows(size_t i) const {
    const size_t first = i / kPanelRows * kPanelRows;
    const size_t left = paddedRows() - first;
    return left < kPanelRows ? left : kPanelRows;
  }

  size_t rowsHere(size_t first) const {
    const size_t left = this->rows() - first;
    return left < kPanelRows ? left : kPanelRows;
  }

  T* at(size_t i, size_t k) const {
    const size_t first = i / kPanelRows * kPanelRows;
    return weights_.data() + first * this->cols() + k * panelRows(i) + (i - first);
  }

  size_t groups_;
  AlignedArray<T> weights_;
};

}  // namespace dtesn
