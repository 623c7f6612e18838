// Progress and cancellation of a long run.
//
//   words    two 32-bit words on shared memory: [0] is set from outside to stop, [1] counts the steps done
//   closing  set when the environment that waits for the run ends
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "linalg/interruption.h"

namespace dtesn {

class Control {
 public:
  Control() = default;
  explicit Control(int32_t* words, const std::atomic<bool>* closing = nullptr)
      : words_(reinterpret_cast<std::atomic<int32_t>*>(words)), closing_(closing) {
    static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t), "a word of shared memory must be an atomic");
  }

  // Bytes that one step reads: where steps are long, every one looks at the words.
  void setStepBytes(size_t bytes) { period_ = bytes < kLongStep ? 32 : 1; }

  // Whether it is time to look, after so many steps: every 32 of a small network.
  bool due(size_t stepsDone) const { return words_ != nullptr && stepsDone % period_ == 0; }

  // Counts the steps since the last look; false when the run has to stop.
  bool report(size_t steps) const {
    if (words_ == nullptr) return true;
    words_[1].fetch_add(static_cast<int32_t>(steps), std::memory_order_relaxed);
    return words_[0].load(std::memory_order_relaxed) == 0 &&
           (closing_ == nullptr || !closing_->load(std::memory_order_relaxed));
  }

  size_t period() const { return period_; }

  // For what has no steps to stop between: ends it where the run has to stop, or only where its environment ends.
  Interruption interruption() const { return Interruption(words_, closing_); }
  Interruption ending() const { return Interruption(nullptr, closing_); }

 private:
  static constexpr size_t kLongStep = size_t{1} << 20;

  std::atomic<int32_t>* words_ = nullptr;
  const std::atomic<bool>* closing_ = nullptr;
  size_t period_ = 32;
};

}  // namespace dtesn
