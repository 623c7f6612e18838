// Long work off the caller's thread: jobs wait in one line, and up to `threads` threads of ours take them.
//
// Threads are started when jobs come and sleep when there are none. Where the system refuses a thread the others do its
// work; submit() throws std::system_error only where there is none at all.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "threads/gate.h"

namespace dtesn {

class JobQueue {
 public:
  using Job = std::function<void()>;

  JobQueue() = default;
  ~JobQueue() { stop(); }
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // A job must not throw.
  void submit(Job job, size_t threads);
  // Drops the jobs that wait and returns when those at work are done.
  void stop();

 private:
  void work();
  bool take(Job& job);

  std::mutex mutex_;
  Gate arrived_;
  std::deque<Job> waiting_;
  std::vector<std::unique_ptr<std::thread>> threads_;
  size_t idle_ = 0;
  bool stopped_ = false;
};

}  // namespace dtesn
