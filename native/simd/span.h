// A non-owning view of memory, as C++20 has it (std::span): the argument of every algorithm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace dtesn {

template <class T>
struct Span {
  T* data = nullptr;
  size_t size = 0;

  Span() = default;
  Span(T* data_, size_t size_) : data(data_), size(size_) {}
  template <class Owner, class = decltype(std::declval<Owner&>().data())>
  Span(Owner& owner) : data(owner.data()), size(owner.size()) {}

  T& operator[](size_t i) const { return data[i]; }
  T* begin() const { return data; }
  T* end() const { return data + size; }
  Span slice(size_t from, size_t count) const { return Span(data + from, count); }
};

}  // namespace dtesn
