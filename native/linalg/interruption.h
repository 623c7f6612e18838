// Lets a long computation be ended from another thread: it calls check() between its parts, which throws Interrupted
// once one of the two flags is set. Without flags it never ends early.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>

namespace dtesn {

struct Interrupted : std::exception {
  const char* what() const noexcept override { return "The computation was interrupted"; }
};

class Interruption {
 public:
  Interruption() = default;
  Interruption(const std::atomic<int32_t>* cancel, const std::atomic<bool>* closing)
      : cancel_(cancel), closing_(closing) {}

  void check() const {
    if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed) != 0) throw Interrupted();
    if (closing_ != nullptr && closing_->load(std::memory_order_relaxed)) throw Interrupted();
  }

 private:
  const std::atomic<int32_t>* cancel_ = nullptr;
  const std::atomic<bool>* closing_ = nullptr;
};

}  // namespace dtesn
