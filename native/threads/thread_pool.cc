#include "threads/thread_pool.h"

#include <algorithm>
#include <new>
#include <system_error>

#if defined(__linux__)
#include <sched.h>
#endif

namespace dtesn {

size_t allowedCpus() {
#if defined(__linux__)
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) return static_cast<size_t>(std::max(1, CPU_COUNT(&cpus)));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

std::unique_ptr<std::thread> ThreadPool::beginThread(std::function<void()> body) {
  return std::make_unique<std::thread>(std::move(body));
}

void ThreadPool::resize(size_t threads) {
  stop_.store(true, std::memory_order_relaxed);
  start_.open();
  for (auto& helper : helpers_) helper->join();
  helpers_.clear();
  stop_.store(false, std::memory_order_relaxed);
  for (size_t thread = 1; thread < threads; ++thread) {
    try {
      helpers_.reserve(thread);  // no thread without a place to be joined from
      helpers_.push_back(begin_(serve(thread)));
    } catch (const std::system_error&) {
      break;  // the system refuses another thread: on with those there are
    } catch (const std::bad_alloc&) {
      break;
    }
  }
}

std::function<void()> ThreadPool::serve(size_t thread) {
  const uint64_t seen = start_.count();
  return [this, thread, seen] {
    uint64_t last = seen;
    for (;;) {
      start_.wait(last);
      ++last;
      if (stop_.load(std::memory_order_relaxed)) return;
      takeParts(thread);
      working_.fetch_sub(1, std::memory_order_release);
    }
  };
}

void ThreadPool::run(size_t parts, const Work& work) {
  work_ = &work;
  parts_ = parts;
  next_.store(0, std::memory_order_relaxed);
  // One part runs on the calling thread; no other thread is woken.
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
