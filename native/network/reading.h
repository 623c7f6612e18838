// What a run keeps of every step: some numbers made of the features after the step and of its input.
#pragma once

#include <algorithm>
#include <cstddef>

namespace dtesn {

template <class T>
class Reading {
 public:
  virtual ~Reading() = default;
  virtual size_t outputs() const = 0;
  // out: outputs() elements. Allocates nothing.
  virtual void read(const T* features, const T* input, double* out) const = 0;
};

// The first features themselves, exact in f64.
template <class T>
class FirstFeatures final : public Reading<T> {
 public:
  explicit FirstFeatures(size_t count) : count_(count) {}
  size_t outputs() const override { return count_; }
  void read(const T* features, const T* /*input*/, double* out) const override { std::copy_n(features, count_, out); }

 private:
  size_t count_;
};

}  // namespace dtesn
