// What an environment (the main thread, or a worker) has of its own: the pool of threads for its batches, and the queue
// of its long runs.
//
// A long run never holds up the end of its environment: a clean-up hook stops what runs and drops what waits.
#pragma once

#include <napi.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "threads/job_queue.h"
#include "threads/thread_pool.h"

namespace dtesn::addon {

// How the work of other threads ended. Work that was interrupted has not failed: who ended it knows why.
struct Failure {
  enum class Kind { none, memory, other };
  Kind kind = Kind::none;
  std::string message;
};

// Work in parts, each done once on a thread of the queue, and what JavaScript gets of it.
class LongWork {
 public:
  virtual ~LongWork() = default;
  virtual size_t parts() const = 0;
  // Called from any thread; must not touch JavaScript.
  virtual void work(size_t part) = 0;
  // On the JavaScript thread, when all parts are done: settles the promise.
  virtual void settle(Napi::Env env, const Failure& failure) = 0;
  // The environment is gone: lets go of its handles without touching it.
  virtual void abandon() = 0;
};

// The address of a static of this library: another copy of it in the same process has another one, and what one has
// made the other must not unwrap.
uint64_t libraryIdentity();

class Environment {
 public:
  // Made when first needed: a thread for each CPU this process may run on unless setThreads said otherwise.
  ThreadPool& pool() {
    if (!pool_) pool_ = std::make_unique<ThreadPool>(threads_);
    return *pool_;
  }

  // Returns how many there are: fewer where the system refuses to begin so many.
  size_t setThreads(size_t threads) {
    threads_ = threads;
    if (pool_) pool_->resize(threads);
    return pool().size();
  }

  size_t threads() const { return pool_ ? pool_->size() : threads_; }

  // Set when this environment ends: long runs look at it.
  const std::atomic<bool>& closing() const { return closing_; }

  // Takes the work over and settles it later. Throws std::system_error where no thread can be had.
  void run(Napi::Env env, std::unique_ptr<LongWork> work);

 private:
  struct Entry {
    std::unique_ptr<LongWork> work;
    std::atomic<size_t> left;
    std::mutex mutex;  // of the failure
    Failure failure;
  };

  void open(Napi::Env env);
  void doPart(Entry& entry, size_t part);
  void settleFinished(Napi::Env env);
  void close();

  size_t threads_ = allowedCpus();
  std::unique_ptr<ThreadPool> pool_;
  JobQueue jobs_;
  std::atomic<bool> closing_{false};
  napi_threadsafe_function finished_ = nullptr;
  std::mutex mutex_;                            // of done_
  std::vector<Entry*> done_;                    // settled at the next turn
  std::vector<std::unique_ptr<Entry>> active_;  // of the JavaScript thread
};

inline Environment& environment(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

}  // namespace dtesn::addon
