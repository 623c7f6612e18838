// A persistent pool of threads that share one job at a time: the caller works too, idle threads sleep.
//
//   pool.run(parts, [&](size_t part, size_t thread) { ... });     each part once; returns when all are done
//
// Parts are claimed one by one, so results must not depend on which thread takes which. A waiting thread spins for a
// moment before it sleeps: waking costs tens of microseconds, a step of a small batch less.
//
// Where the system refuses a thread (a limit of processes), the pool has those that were begun: size() tells.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "threads/gate.h"

namespace dtesn {

// CPUs that this process may run on, at least one: those of its affinity where the system has one. A quota of CPU time
// is not among them: the caller reads that quota and sets the threads.
size_t allowedCpus();

class ThreadPool {
 public:
  using Work = std::function<void(size_t part, size_t thread)>;

  // Begins a thread or throws std::system_error.
  using Begin = std::unique_ptr<std::thread> (*)(std::function<void()> body);
  static std::unique_ptr<std::thread> beginThread(std::function<void()> body);

  explicit ThreadPool(size_t threads, Begin begin = beginThread) : begin_(begin) { resize(threads); }
  ~ThreadPool() { resize(1); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Threads that work on a job, the caller's among them.
  size_t size() const { return helpers_.size() + 1; }
  void resize(size_t threads);

  void run(size_t parts, const Work& work);

 private:
  std::function<void()> serve(size_t thread);
  void takeParts(size_t thread);

  const Begin begin_;
  std::vector<std::unique_ptr<std::thread>> helpers_;
  Gate start_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> next_{0};     // the part to claim
  std::atomic<size_t> working_{0};  // helpers still at the job
  size_t parts_ = 0;
  const Work* work_ = nullptr;
};

}  // namespace dtesn
