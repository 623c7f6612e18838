// A block-sparse f32 matrix with narrow weights (narrow.h), W = uint16_t for bf16 or int8_t; vectors and sums stay f32.
// Blocks as in sparse_blocks.h.
#pragma once

#include <cmath>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "linalg/narrow.h"
#include "linalg/sparse_blocks.h"
#include "simd/kernels.h"

namespace dtesn {

template <class W>
class NarrowBlocks final : public LinearOperator<float> {
 public:
  explicit NarrowBlocks(const SparseBlocks<float>& wide)
      : LinearOperator<float>(wide.rows(), wide.cols()),
        blockRows_(wide.blockRows()),
        degree_(wide.degree()),
        columns_(wide.columns().size()),
        weights_(wide.weights().size()),
        scales_(kScaled ? wide.paddedRows() : 0) {
    std::copy_n(wide.columns().data(), columns_.size(), columns_.data());
    for (size_t i = 0; i < wide.paddedRows(); ++i) {
      const float* row = wide.weights().data() + place(i, 0);
      if (kScaled) scales_[i] = scaleOf(row);
      for (size_t j = 0; j < degree_; ++j) {
        const float weight = row[j * blockRows_];
        weights_[place(i, j)] = static_cast<W>(kScaled ? toInt8(weight, scales_[i]) : toBf16(weight));
      }
    }
  }

  size_t paddedRows() const override { return roundUp(rows(), blockRows_); }

  void accumulate(const float* x, float* y, Sweep sweep) const override {
    const NarrowKernels& k = narrowKernels();
    const size_t blocks = paddedRows() / blockRows_;
    if constexpr (kScaled) {
      k.int8Blocks(weights_.data(), scales_.data(), columns_.data(), degree_, blocks, blockRows_, x, y, sweep);
    } else {
      k.bf16Blocks(weights_.data(), columns_.data(), degree_, blocks, blockRows_, x, y, sweep);
    }
  }

  size_t workOfMany(size_t count) const override { return workOfBlocks(count, cols()); }

  void accumulateMany(size_t count, const float* const* xs, float* const* ys, float* work, Sweep sweep) const override {
    const NarrowKernels& k = narrowKernels();
    const size_t blocks = paddedRows() / blockRows_;
    if constexpr (kScaled) {
      k.int8BlocksMany(weights_.data(), scales_.data(), columns_.data(), degree_, blocks, blockRows_, cols(), count, xs,
                       ys, work, sweep);
    } else {
      k.bf16BlocksMany(weights_.data(), columns_.data(), degree_, blocks, blockRows_, cols(), count, xs, ys, work,
                       sweep);
    }
  }

  void product(const double* x, double* y) const override {
    for (size_t i = 0; i < rows(); ++i) {
      double sum = 0;
      for (size_t j = 0; j < degree_; ++j) sum += weight(i, j) * x[column(i, j)];
      y[i] = sum;
    }
  }

  void transposed(const double* x, double* y) const override {
    for (size_t k = 0; k < cols(); ++k) y[k] = 0;
    for (size_t i = 0; i < rows(); ++i) {
      for (size_t j = 0; j < degree_; ++j) y[column(i, j)] += weight(i, j) * x[i];
    }
  }

  void unpack(float* dense) const override {
    for (size_t i = 0; i < rows(); ++i) {
      for (size_t j = 0; j < degree_; ++j) dense[i * cols() + column(i, j)] = static_cast<float>(weight(i, j));
    }
  }

  size_t bytes() const override {
    return weights_.size() * sizeof(W) + columns_.size() * sizeof(uint16_t) + scales_.size() * sizeof(float);
  }

 private:
  static constexpr bool kScaled = sizeof(W) == 1;

  size_t place(size_t i, size_t j) const { return (i / blockRows_ * degree_ + j) * blockRows_ + i % blockRows_; }
  size_t column(size_t i, size_t j) const { return columns_[i / blockRows_ * degree_ + j]; }

  double weight(size_t i, size_t j) const {
    const W stored = weights_[place(i, j)];
    if constexpr (kScaled) return static_cast<double>(stored) * scales_[i];
    return fromBf16(static_cast<uint16_t>(stored));
  }

  float scaleOf(const float* row) const {
    float largest = 0;
    for (size_t j = 0; j < degree_; ++j) largest = std::max(largest, std::fabs(row[j * blockRows_]));
    return int8Scale(largest);
  }

  size_t blockRows_, degree_;
  AlignedArray<uint16_t> columns_;
  AlignedArray<W> weights_;
  AlignedArray<float> scales_;  // one a row; none for bf16
};

}  // namespace dtesn
