#include "addon/environment.h"

#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "linalg/interruption.h"

namespace dtesn::addon {

uint64_t libraryIdentity() {
  static const char here = 0;
  return reinterpret_cast<uintptr_t>(&here);
}

void Environment::run(Napi::Env env, std::unique_ptr<LongWork> work) {
  open(env);
  auto entry = std::make_unique<Entry>();
  Entry* const raw = entry.get();
  const size_t parts = work->parts();
  raw->work = std::move(work);
  raw->left.store(parts, std::memory_order_relaxed);
  if (active_.empty()) napi_ref_threadsafe_function(env, finished_);
  active_.push_back(std::move(entry));
  for (size_t part = 0; part < parts; ++part) {
    try {
      jobs_.submit([this, raw, part] { doPart(*raw, part); }, threads_);
    } catch (...) {
      // Only the first job of all can fail, before any part is under way.
      active_.pop_back();
      if (active_.empty()) napi_unref_threadsafe_function(env, finished_);
      throw;
    }
  }
}

void Environment::open(Napi::Env env) {
  if (finished_ != nullptr) return;
  const auto settle = [](napi_env env, napi_value, void* context, void*) {
    if (env != nullptr) static_cast<Environment*>(context)->settleFinished(env);
  };
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "dtesn.run"),
                                                             0, 1, nullptr, nullptr, this, settle, &finished_);
  if (status != napi_ok) throw Napi::Error::New(env);
  napi_unref_threadsafe_function(env, finished_);
  // Hooks run in the opposite order: this one ends the threads before the function they call goes.
  napi_add_env_cleanup_hook(
      env, [](void* self) { static_cast<Environment*>(self)->close(); }, this);
}

void Environment::doPart(Entry& entry, size_t part) {
  const auto fail = [&entry](Failure::Kind kind, const char* message) {
    const std::lock_guard<std::mutex> lock(entry.mutex);
    entry.failure = {kind, message};
  };
  try {
    entry.work->work(part);
  } catch (const Interrupted&) {
  } catch (const std::bad_alloc& error) {
    fail(Failure::Kind::memory, error.what());
  } catch (const std::length_error& error) {
    fail(Failure::Kind::memory, error.what());
  } catch (const std::exception& error) {
    fail(Failure::Kind::other, error.what());
  }
  if (entry.left.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    done_.push_back(&entry);
  }
  napi_call_threadsafe_function(finished_, nullptr, napi_tsfn_nonblocking);
}

void Environment::settleFinished(Napi::Env env) {
  std::vector<Entry*> done;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    done.swap(done_);
  }
  Napi::HandleScope scope(env);
  for (Entry* entry : done) {
    const auto at = std::find_if(active_.begin(), active_.end(), [entry](const auto& a) { return a.get() == entry; });
    const std::unique_ptr<Entry> owned = std::move(*at);
    active_.erase(at);
    try {
      owned->work->settle(env, owned->failure);
    } catch (const Napi::Error&) {
      // A worker that is being terminated runs no JavaScript any more: its promise stays as it is.
    }
  }
  if (!done.empty() && active_.empty()) napi_unref_threadsafe_function(env, finished_);
}

void Environment::close() {
  closing_.store(true, std::memory_order_relaxed);
  jobs_.stop();
  for (auto& entry : active_) entry->work->abandon();
  active_.clear();
}

}  // namespace dtesn::addon
