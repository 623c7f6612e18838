// The upper trapezoid of a matrix of doubles: the triangle of its first `height` strips of columns, and as many rows of
// the strips right of it. What Gram matrices, Cholesky factors and R of QR have in common.
//
//   strip J: columns kStripWidth J .. kStripWidth (J + 1), rows 0 .. kStripWidth min(J + 1, height), row-major,
//   contiguous tile (I, J): kStripWidth x kStripWidth elements of strip J; those on the diagonal are stored whole
#pragma once

#include <algorithm>

#include "linalg/aligned_array.h"
#include "simd/kernels.h"

namespace dtesn {

constexpr size_t kTile = kStripWidth * kStripWidth;

constexpr size_t stripsOf(size_t columns) { return (columns + kStripWidth - 1) / kStripWidth; }

class Trapezoid {
 public:
  Trapezoid(size_t height, size_t width) : height_(height), width_(width), tiles_(kTile * before(width)) {}

  Trapezoid copy() const {
    Trapezoid same(height_, width_);
    std::copy_n(tiles_.data(), tiles_.size(), same.tiles_.data());
    return same;
  }

  // In strips.
  size_t height() const { return height_; }
  size_t width() const { return width_; }
  size_t bytes() const { return tiles_.size() * sizeof(double); }
  double* strip(size_t j) const { return tiles_.data() + kTile * before(j); }
  double* tile(size_t i, size_t j) const { return strip(j) + kTile * i; }
  double& at(size_t row, size_t column) const {
    return strip(column / kStripWidth)[row * kStripWidth + column % kStripWidth];
  }

 private:
  // Tiles of the strips left of strip j.
  size_t before(size_t j) const {
    return j < height_ ? j * (j + 1) / 2 : height_ * (height_ + 1) / 2 + (j - height_) * height_;
  }

  size_t height_, width_;
  AlignedArray<double> tiles_;
};

}  // namespace dtesn
