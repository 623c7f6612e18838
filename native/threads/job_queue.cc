#include "threads/job_queue.h"

#include <system_error>
#include <utility>

namespace dtesn {

void JobQueue::submit(Job job, size_t threads) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_ <= waiting_.size() && threads_.size() < threads) {
      try {
        threads_.push_back(std::make_unique<std::thread>([this] { work(); }));
        ++idle_;
      } catch (const std::system_error&) {
        if (threads_.empty()) throw;
      }
    }
    waiting_.push_back(std::move(job));
  }
  arrived_.openForOne();
}

void JobQueue::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    waiting_.clear();
  }
  arrived_.open();
  for (auto& thread : threads_) thread->join();
  threads_.clear();
}

bool JobQueue::take(Job& job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_ || waiting_.empty()) return false;
  job = std::move(waiting_.front());
  waiting_.pop_front();
  --idle_;
  return true;
}

void JobQueue::work() {
  for (;;) {
    const uint64_t seen = arrived_.count();
    Job job;
    while (take(job)) {
      job();
      job = nullptr;
      const std::lock_guard<std::mutex> lock(mutex_);
      ++idle_;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopped_) return;
    }
    arrived_.waitAsleep(seen);
  }
}

}  // namespace dtesn
