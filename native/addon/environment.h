// What an environment (the main thread, or a worker) has of its own: the pool of threads for its batches.
#pragma once

#include <napi.h>

#include <memory>
#include <thread>

#include "reservoir/thread_pool.h"

namespace dtesn::addon {

class Environment {
 public:
  // Made when first needed: one thread a core unless setThreads said otherwise.
  ThreadPool& pool() {
    if (!pool_) pool_ = std::make_unique<ThreadPool>(threads_);
    return *pool_;
  }

  void setThreads(size_t threads) {
    threads_ = threads;
    if (pool_) pool_->resize(threads);
  }

 private:
  size_t threads_ = std::max(1u, std::thread::hardware_concurrency());
  std::unique_ptr<ThreadPool> pool_;
};

inline Environment& environment(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

}  // namespace dtesn::addon
