// Networks, states and tables of streams of both dtypes.
#include "addon/network_object.h"

#include "addon/exports.h"
#include "addon/stream_table_object.h"

namespace dtesn::addon {

void exportNetwork(Napi::Env env, Napi::Object exports) {
  exports.Set("Network32", NetworkObject<float>::define(env, "Network32"));
  exports.Set("Network64", NetworkObject<double>::define(env, "Network64"));
  exports.Set("State32", StateObject<float>::define(env, "State32"));
  exports.Set("State64", StateObject<double>::define(env, "State64"));
  exports.Set("StreamTable32", StreamTableObject<float>::define(env, "StreamTable32"));
  exports.Set("StreamTable64", StreamTableObject<double>::define(env, "StreamTable64"));
}

}  // namespace dtesn::addon
