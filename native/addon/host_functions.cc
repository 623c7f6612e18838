// Calls of the operating system: FileLock, sendDatagram, openFileLimit, mapLargeBlocks.
#include <napi.h>

#include <memory>
#include <system_error>

#include "addon/exports.h"
#include "addon/view.h"
#include "host/datagram.h"
#include "host/file_lock.h"
#include "host/large_blocks.h"
#include "host/open_file_limit.h"

namespace dtesn::addon {
namespace {

std::string text(const Napi::Value& value, const char* argument) {
  if (!value.IsString()) {
    failArgument(value.Env(), std::string("Expected a string for ") + argument + butReceived(value));
  }
  return value.As<Napi::String>().Utf8Value();
}

// A call that fails becomes an error with the reason in the system's words.
template <class Body>
auto called(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::system_error& error) {
    fail<Napi::Error>(env, "ERR_DTESN_SYSTEM", error.what());
  }
}

// new FileLock(path, text): held, release()
class FileLockObject final : public Napi::ObjectWrap<FileLockObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "FileLock",
                       {InstanceMethod("release", &FileLockObject::release),
                        InstanceAccessor("held", &FileLockObject::held, nullptr)});
  }

  explicit FileLockObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FileLockObject>(info) {
    const std::string path = text(info[0], "path"), content = text(info[1], "text");
    lock_ = called(info.Env(), [&] { return FileLock::take(path, content); });
    if (lock_) Ref();  // a lock that was not released is not collected
  }

 private:
  Napi::Value held(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), lock_ != nullptr); }

  Napi::Value release(const Napi::CallbackInfo& info) {
    if (lock_) Unref();
    lock_.reset();
    return info.Env().Undefined();
  }

  std::unique_ptr<FileLock> lock_;
};

Napi::Value send(const Napi::CallbackInfo& info) {
  const std::string address = text(info[0], "address"), content = text(info[1], "text");
  return Napi::Boolean::New(info.Env(), called(info.Env(), [&] { return sendDatagram(address, content); }));
}

Napi::Value limit(const Napi::CallbackInfo& info) {
  const OpenFileLimit found = openFileLimit();
  if (!found.isKnown) return info.Env().Null();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("soft", found.soft);
  result.Set("hard", found.hard);
  return result;
}

// Blocks of glibc are mapped from 64 KiB on: smaller ones are too many for a mapping each.
Napi::Value mapBlocks(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), mapLargeBlocks(65536)); }

}  // namespace

void exportHost(Napi::Env env, Napi::Object exports) {
  exports.Set("FileLock", FileLockObject::define(env));
  exports.Set("sendDatagram", Napi::Function::New<send>(env, "sendDatagram"));
  exports.Set("openFileLimit", Napi::Function::New<limit>(env, "openFileLimit"));
  exports.Set("mapLargeBlocks", Napi::Function::New<mapBlocks>(env, "mapLargeBlocks"));
}

}  // namespace dtesn::addon
