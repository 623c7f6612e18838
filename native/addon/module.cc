// The module: one line a room. No mutable globals; state lives in the objects of each environment.
#include <napi.h>

#include "addon/environment.h"
#include "addon/exports.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new dtesn::addon::Environment());
  dtesn::addon::exportSimd(env, exports);
  dtesn::addon::exportLimits(env, exports);
  dtesn::addon::exportNetwork(env, exports);
  dtesn::addon::exportReadout(env, exports);
  dtesn::addon::exportTransform(env, exports);
  dtesn::addon::exportHost(env, exports);
  dtesn::addon::exportLinalg(env, exports);
  dtesn::addon::exportTrees(env, exports);
  dtesn::addon::exportBSeries(env, exports);
  dtesn::addon::exportText(env, exports);
  return exports;
}

NODE_API_MODULE(dtesn, init)
