// Progress and cancellation of a long run through two 32-bit words on shared memory:
// words[0] is set from outside to stop, words[1] counts the steps done.
#pragma once

#include <atomic>
#include <cstdint>

namespace dtesn {

class Control {
 public:
  Control() = default;
  explicit Control(int32_t* words) : words_(reinterpret_cast<std::atomic<int32_t>*>(words)) {
    static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t), "a word of shared memory must be an atomic");
  }

  // Called after each step; looks at the words every 32 steps.
  bool goOn(size_t stepsDone) const {
    if (words_ == nullptr || stepsDone % 32 != 0) return true;
    words_[1].store(static_cast<int32_t>(stepsDone), std::memory_order_relaxed);
    return words_[0].load(std::memory_order_relaxed) == 0;
  }

  void finish(size_t stepsDone) const {
    if (words_ != nullptr) words_[1].store(static_cast<int32_t>(stepsDone), std::memory_order_relaxed);
  }

 private:
  std::atomic<int32_t>* words_ = nullptr;
};

}  // namespace dtesn
