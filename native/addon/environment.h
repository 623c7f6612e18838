// What an environment (the main thread, or a worker) has of its own: the pool of threads for its batches.
#pragma once

#include <napi.h>

#include <memory>

#include "reservoir/thread_pool.h"

namespace dtesn::addon {

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

 private:
  size_t threads_ = allowedCpus();
  std::unique_ptr<ThreadPool> pool_;
};

inline Environment& environment(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

}  // namespace dtesn::addon
