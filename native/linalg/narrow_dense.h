// A dense f32 matrix with narrow weights (narrow.h); vectors and sums stay f32. Packed in panels like packed_dense.h,
// with two or four consecutive columns of a row in one 32-bit word; an int8 q is stored as 128 + q.
#pragma once

#include <cmath>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "linalg/narrow.h"
#include "simd/kernels.h"

namespace dtesn {

class NarrowDense final : public LinearOperator<float> {
 public:
  NarrowDense(const LinearOperator<float>& wide, Precision precision)
      : LinearOperator<float>(wide.rows(), wide.cols()),
        columnsAWord_(precision == Precision::bf16 ? 2 : 4),
        words_(roundUp(wide.rows(), kGroup) * ((wide.cols() + columnsAWord_ - 1) / columnsAWord_)),
        scales_(precision == Precision::bf16 ? 0 : roundUp(wide.rows(), kGroup)) {
    AlignedArray<float> dense(rows() * cols());
    wide.unpack(dense.data());
    if (!isBf16()) std::fill_n(words_.data(), words_.size(), 0x80808080u);
    for (size_t i = 0; i < rows(); ++i) {
      const float* row = dense.data() + i * cols();
      if (!isBf16()) scales_[i] = scaleOf(row);
      for (size_t k = 0; k < cols(); ++k) put(i, k, isBf16() ? toBf16(row[k]) : 128u + toInt8(row[k], scales_[i]));
    }
  }

  size_t paddedRows() const override { return roundUp(rows(), kGroup); }

  void accumulate(const float* x, float* y, Sweep sweep) const override {
    const size_t groups = paddedRows() / kGroup;
    const NarrowKernels& k = narrowKernels();
    if (isBf16()) return k.bf16Panels(words_.data(), groups, cols(), x, y, sweep);
    k.int8Panels(words_.data(), scales_.data(), groups, cols(), x, y, sweep);
  }

  void product(const double* x, double* y) const override {
    for (size_t i = 0; i < rows(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < cols(); ++k) sum += weight(i, k) * x[k];
      y[i] = sum;
    }
  }

  void transposed(const double* x, double* y) const override {
    for (size_t k = 0; k < cols(); ++k) y[k] = 0;
    for (size_t i = 0; i < rows(); ++i) {
      for (size_t k = 0; k < cols(); ++k) y[k] += weight(i, k) * x[i];
    }
  }

  void unpack(float* dense) const override {
    for (size_t i = 0; i < rows(); ++i) {
      for (size_t k = 0; k < cols(); ++k) *dense++ = static_cast<float>(weight(i, k));
    }
  }

  size_t bytes() const override { return words_.size() * sizeof(uint32_t) + scales_.size() * sizeof(float); }

 private:
  static constexpr size_t kGroup = groupRows<float>();
  static constexpr size_t kPanelRows = kPanelGroups * kGroup;

  bool isBf16() const { return columnsAWord_ == 2; }

  float scaleOf(const float* row) const {
    float largest = 0;
    for (size_t k = 0; k < cols(); ++k) largest = std::max(largest, std::fabs(row[k]));
    return int8Scale(largest);
  }

  // The word of element (i, k).
  uint32_t& word(size_t i, size_t k) const {
    const size_t first = i / kPanelRows * kPanelRows;
    const size_t width = std::min(kPanelRows, paddedRows() - first);
    const size_t wordsARow = (cols() + columnsAWord_ - 1) / columnsAWord_;
    return words_[first * wordsARow + k / columnsAWord_ * width + (i - first)];
  }

  size_t shift(size_t k) const { return k % columnsAWord_ * (32 / columnsAWord_); }

  void put(size_t i, size_t k, uint32_t bits) {
    const uint32_t mask = (isBf16() ? 0xffffu : 0xffu) << shift(k);
    uint32_t& place = word(i, k);
    place = (place & ~mask) | bits << shift(k);
  }

  double weight(size_t i, size_t k) const {
    const uint32_t bits = word(i, k) >> shift(k);
    if (!isBf16()) return static_cast<double>(static_cast<int>(bits & 0xff) - 128) * scales_[i];
    return fromBf16(static_cast<uint16_t>(bits));
  }

  size_t columnsAWord_;
  AlignedArray<uint32_t> words_;
  AlignedArray<float> scales_;  // one a row; none for bf16
};

}  // namespace dtesn
