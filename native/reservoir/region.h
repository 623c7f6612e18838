// One region of reservoir units and its pure update:
//
//   drive = W x + W_in u + b            x' = (1 - leak) x + leak f(drive)          f = tanh or identity
//
// x has `units` elements, drive has driveSize (room for the kernels' last panel and their work), leak one value a unit.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "simd/kernels.h"

namespace dtesn {

enum class Activation { tanh, identity };

template <class T>
struct Region {
  std::unique_ptr<LinearOperator<T>> recurrent;
  std::unique_ptr<LinearOperator<T>> input;  // null where no input reaches this region
  AlignedArray<T> bias;                      // paddedUnits
  AlignedArray<T> leak;                      // paddedUnits
  Activation activation = Activation::tanh;

  size_t units() const { return recurrent->rows(); }
  // Sixteen: the rows of a dense group in f32 and of the larger sparse block, the furthest that any storage pads.
  static size_t paddedUnits(size_t units) { return roundUp(units, 16); }
  // Elements of a drive: the padded units and what the recurrent product works in.
  size_t driveSize() const { return paddedUnits(units()) + recurrent->workElements(); }
  size_t workOfMany(size_t count) const {
    return std::max(recurrent->workOfMany(count), input ? input->workOfMany(count) : 0);
  }

  void beginDrive(const T* u, T* drive) const {
    std::memcpy(drive, bias.data(), bias.size() * sizeof(T));
    if (input) input->accumulate(u, drive);
  }

  void beginDrives(size_t count, const T* const* us, T* const* drives, T* work) const {
    for (size_t s = 0; s < count; ++s) std::memcpy(drives[s], bias.data(), bias.size() * sizeof(T));
    if (input) input->accumulateMany(count, us, drives, work);
  }

  void update(const T* drive, T* x) const {
    const Kernels<T>& k = kernels<T>();
    (activation == Activation::tanh ? k.leakyTanh : k.leakyIdentity)(drive, leak.data(), units(), x);
  }

  size_t bytes() const {
    return recurrent->bytes() + (input ? input->bytes() : 0) + (bias.size() + leak.size()) * sizeof(T);
  }
};

}  // namespace dtesn
