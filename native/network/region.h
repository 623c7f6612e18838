// One region of units: what drives it, and the law by which the drive moves it.
//
//   drive = W x + W_in u + b
//   leaky   x' = (1 - rate) C x + rate f(drive)          C the identity where there is no carry
//   euler   x' = C x + rate f(drive)
//
// x has `units` elements, drive has driveSize (room for the kernels' last panel and their work), rate one value a unit;
// f may differ from segment to segment of the units.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "linalg/aligned_array.h"
#include "linalg/linear_operator.h"
#include "simd/activation.h"
#include "simd/kernels.h"

namespace dtesn {

enum class Law { leaky, euler };

template <class T>
using Operator = std::unique_ptr<const LinearOperator<T>>;

template <class T>
struct Region {
  Operator<T> recurrent;
  Operator<T> input;     // null where no input reaches this region
  Operator<T> carry;     // null for the identity
  AlignedArray<T> bias;  // paddedUnits
  AlignedArray<T> rate;  // paddedUnits
  Law law = Law::leaky;
  std::vector<Segment> segments;  // all of the units

  size_t units() const { return recurrent->rows(); }
  // Sixteen: the rows of a dense group in f32 and of the larger sparse block, the furthest that any storage pads.
  static size_t paddedUnits(size_t units) { return roundUp(units, 16); }
  // Elements of a drive: the padded units and what the products with x work in.
  size_t driveSize() const {
    return paddedUnits(units()) + std::max(recurrent->workElements(), carry ? carry->workElements() : 0);
  }
  size_t workOfMany(size_t count) const {
    return std::max(
        {recurrent->workOfMany(count), input ? input->workOfMany(count) : 0, carry ? carry->workOfMany(count) : 0});
  }

  void beginDrive(const T* u, T* drive) const {
    std::memcpy(drive, bias.data(), bias.size() * sizeof(T));
    if (input) input->accumulate(u, drive);
  }

  void beginDrives(size_t count, const T* const* us, T* const* drives, T* work) const {
    for (size_t s = 0; s < count; ++s) std::memcpy(drives[s], bias.data(), bias.size() * sizeof(T));
    if (input) input->accumulateMany(count, us, drives, work);
  }

  // The one kernel that moves a leaky region of tanh units; null for other regions. Loops over steps or states ask
  // once: the weights drive the region's own fields out of the first cache.
  using Move = void (*)(const T* drive, const T* rate, size_t n, T* x);
  Move wholeMove() const {
    const bool isWhole = law == Law::leaky && segments.size() == 1 && segments[0].activation == Activation::tanh;
    return isWhole ? kernels<T>().leakyTanh : nullptr;
  }

  // carried: driveSize elements, where there is a carry.
  void update(T* drive, T* carried, T* x) const {
    if (carry) {
      std::memset(carried, 0, driveSize() * sizeof(T));
      carry->accumulate(x, carried);
      std::memcpy(x, carried, units() * sizeof(T));
    }
    if (const Move whole = wholeMove()) return whole(drive, rate.data(), units(), x);
    move(drive, x);
  }

  void updateMany(size_t count, T* const* drives, T* const* carried, const T* const* from, T* const* xs,
                  T* work) const {
    if (carry) {
      for (size_t s = 0; s < count; ++s) std::memset(carried[s], 0, driveSize() * sizeof(T));
      carry->accumulateMany(count, from, carried, work);
      for (size_t s = 0; s < count; ++s) std::memcpy(xs[s], carried[s], units() * sizeof(T));
    }
    if (const Move whole = wholeMove()) {
      const size_t n = units();
      for (size_t s = 0; s < count; ++s) whole(drives[s], rate.data(), n, xs[s]);
      return;
    }
    for (size_t s = 0; s < count; ++s) move(drives[s], xs[s]);
  }

  // f(drive), in place.
  void activate(T* drive) const {
    size_t begin = 0;
    for (const Segment& segment : segments) {
      if (const auto map = mapOf(segment.activation)) map(drive + begin, segment.end - begin);
      begin = segment.end;
    }
  }

  size_t bytes() const {
    return recurrent->bytes() + (input ? input->bytes() : 0) + (carry ? carry->bytes() : 0) +
           (bias.size() + rate.size()) * sizeof(T);
  }

 private:
  void move(T* drive, T* x) const {
    const Kernels<T>& k = kernels<T>();
    activate(drive);
    (law == Law::leaky ? k.leakyIdentity : k.euler)(drive, rate.data(), units(), x);
  }

  static void (*mapOf(Activation activation))(T*, size_t) {
    const Kernels<T>& k = kernels<T>();
    switch (activation) {
      case Activation::tanh:
        return k.mapTanh;
      case Activation::sigmoid:
        return k.mapSigmoid;
      case Activation::relu:
        return k.mapRelu;
      case Activation::sine:
        return k.mapSine;
      case Activation::softplus:
        return k.mapSoftplus;
      case Activation::identity:
        break;
    }
    return nullptr;
  }
};

}  // namespace dtesn
