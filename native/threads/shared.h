// Shared ownership across threads: an object that counts its owners, and a pointer to it. std::shared_ptr would raise
// the C library that the binary needs.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace dtesn {

class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  virtual ~Counted() = default;

  void hold() const { owners_.fetch_add(1, std::memory_order_relaxed); }

  void release() const {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // False once the last owner is gone: the object is being destroyed.
  bool holdIfOwned() const {
    size_t owners = owners_.load(std::memory_order_relaxed);
    while (owners != 0) {
      if (owners_.compare_exchange_weak(owners, owners + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

 private:
  mutable std::atomic<size_t> owners_{0};
};

template <class Object>
class Shared {
 public:
  Shared() = default;
  explicit Shared(const Object* object) : object_(object) {
    if (object_ != nullptr) object_->hold();
  }
  Shared(const Shared& other) : Shared(other.object_) {}
  Shared(Shared&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Shared() {
    if (object_ != nullptr) object_->release();
  }

  // Takes over one hold that was already counted.
  static Shared adopt(const Object* object) {
    Shared shared;
    shared.object_ = object;
    return shared;
  }

  const Object* get() const { return object_; }
  const Object& operator*() const { return *object_; }
  const Object* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  const Object* object_ = nullptr;
};

}  // namespace dtesn
