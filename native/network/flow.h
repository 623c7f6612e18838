// The flow x' = L x + f(W x + w), w = W_in u + b, whose Euler step a network takes. Rows of closed gates are zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simd/activation.h"

namespace dtesn {

// work: workSize() elements that a call may write to.
template <class T>
class Flow {
 public:
  virtual ~Flow() = default;
  virtual size_t workSize() const = 0;
  virtual void couple(const T* x, const uint8_t* gates, T* y, T* work) const = 0;  // y = W x
  virtual void drive(const T* u, const uint8_t* gates, T* w, T* work) const = 0;   // w
  virtual void decay(const T* x, const uint8_t* gates, T* y, T* work) const = 0;   // y = L x
  virtual void mask(const uint8_t* gates, T* open) const = 0;                      // 1 where a unit flows, else 0
  virtual std::vector<Segment> segments() const = 0;
};

}  // namespace dtesn
