// The native memory of a JavaScript object, reported to the garbage collector, so that objects without references
// are collected before the memory runs out.
#pragma once

#include <napi.h>

#include <cstdint>

namespace dtesn::addon {

class ExternalMemory {
 public:
  explicit ExternalMemory(Napi::Env env) : env_(env) {}
  ~ExternalMemory() { giveBack(env_); }
  ExternalMemory(const ExternalMemory&) = delete;
  ExternalMemory& operator=(const ExternalMemory&) = delete;

  void take(Napi::Env env, size_t bytes) {
    bytes_ += static_cast<int64_t>(bytes);
    Napi::MemoryManagement::AdjustExternalMemory(env, static_cast<int64_t>(bytes));
  }

  void giveBack(Napi::Env env) {
    if (bytes_ != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
    bytes_ = 0;
  }

 private:
  Napi::Env env_;
  int64_t bytes_ = 0;
};

}  // namespace dtesn::addon
