// One computation off the JavaScript thread, whose promise resolves to a number.
//
//   start(env, {what it reads and writes}, [=] { ... return number; }, [=](Napi::Env) { ... })
//
// The body touches no JavaScript; where it is interrupted the number is 0. `after` runs on the JavaScript thread when
// the body has ended, however it ended, before the promise is settled; not where the environment ends first.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/environment.h"
#include "addon/pending.h"
#include "addon/view.h"
#include "network/control.h"

namespace dtesn::addon {

class Task final : public LongWork {
 public:
  using Body = std::function<double()>;
  using After = std::function<void(Napi::Env)>;

  static Napi::Promise start(Napi::Env env, std::vector<Napi::Value> held, Body body, After after) {
    auto task = std::make_unique<Task>(Pending(env, std::move(held)), std::move(body), std::move(after));
    const Napi::Promise promise = task->pending_.promise();
    environment(env).run(env, std::move(task));
    return promise;
  }

  Task(Pending pending, Body body, After after)
      : pending_(std::move(pending)), body_(std::move(body)), after_(std::move(after)) {}

  size_t parts() const override { return 1; }
  void work(size_t) override { result_ = body_(); }
  void settle(Napi::Env env, const Failure& failure) override {
    after_(env);
    pending_.settle(env, failure, result_);
  }
  void abandon() override { pending_.abandon(); }

 private:
  Pending pending_;
  Body body_;
  After after_;
  double result_ = 0;
};

// The words of a long run: an Int32Array [cancel, progress] on shared memory.
inline Control controlOf(const Napi::Value& words) {
  return Control(view<int32_t>(words, "control", 2).data, &environment(words.Env()).closing());
}

// Whether other threads work on an object, and whether it was closed: an object that is closed while they do lets go of
// what it has when they are done.
class Occupancy {
 public:
  void check(Napi::Env env, const std::string& object) const {
    if (closed_) fail<Napi::Error>(env, "ERR_DTESN_CLOSED", "Expected an open " + object + " but it was closed");
    if (busy_) {
      fail<Napi::Error>(env, "ERR_DTESN_BUSY",
                        "Expected an idle " + object + " but an asynchronous call is under way: await it first");
    }
  }

  void claim() { busy_ = true; }
  // Both return whether the object is to let go of what it has.
  bool unclaim() {
    busy_ = false;
    return closed_;
  }
  bool close() {
    closed_ = true;
    return !busy_;
  }

 private:
  bool busy_ = false, closed_ = false;  // of the JavaScript thread
};

}  // namespace dtesn::addon
