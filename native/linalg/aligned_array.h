// A fixed-size array on a 64-byte boundary, zeroed: weights and scratch of the kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <utility>

#include "simd/memory.h"
#include "simd/span.h"

namespace dtesn {

template <class T>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(size_t size) : data_(allocate(size)), size_(size) { std::fill_n(data_, size, T()); }
  AlignedArray(AlignedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedArray& operator=(AlignedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedArray() { freeKernelMemory(data_, size_ * sizeof(T)); }

  T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) const { return data_[i]; }
  Span<T> span() const { return Span<T>(data_, size_); }

 private:
  static T* allocate(size_t size) {
    if (size > std::numeric_limits<size_t>::max() / sizeof(T) / 2) throw std::bad_alloc();
    return static_cast<T*>(allocateKernelMemory(size * sizeof(T)));
  }

  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace dtesn
