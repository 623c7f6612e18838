#include "threads/thread_pool.h"

namespace dtesn {

void ThreadPool::resize(size_t threads) {
  stop_.store(true, std::memory_order_relaxed);
  start_.open();
  for (auto& helper : helpers_) helper->join();
  helpers_.clear();
  stop_.store(false, std::memory_order_relaxed);
  for (size_t thread = 1; thread < threads; ++thread) {
    const uint64_t seen = start_.count();
    helpers_.push_back(std::make_unique<std::thread>([this, thread, seen] {
      uint64_t last = seen;
      for (;;) {
        start_.wait(last);
        ++last;
        if (stop_.load(std::memory_order_relaxed)) return;
        takeParts(thread);
        working_.fetch_sub(1, std::memory_order_release);
      }
    }));
  }
}

void ThreadPool::run(size_t parts, const Work& work) {
  work_ = &work;
  parts_ = parts;
  next_.store(0, std::memory_order_relaxed);
  // One part needs nobody else, and nobody else is woken for it.
  if (parts > 1 && !helpers_.empty()) {
    working_.store(helpers_.size(), std::memory_order_relaxed);
    start_.open();
    takeParts(0);
    while (working_.load(std::memory_order_acquire) != 0) Gate::pause();
  } else {
    takeParts(0);
  }
}

void ThreadPool::takeParts(size_t thread) {
  for (size_t part = next_.fetch_add(1, std::memory_order_relaxed); part < parts_;
       part = next_.fetch_add(1, std::memory_order_relaxed)) {
    (*work_)(part, thread);
  }
}

}  // namespace dtesn
