// Rooted trees as typed arrays.
#include <napi.h>

#include <string>
#include <vector>

#include "addon/exports.h"
#include "addon/view.h"
#include "trees/rooted_trees.h"

namespace dtesn::addon {
namespace {

int orderUpTo(const Napi::Value& value, int limit) {
  const size_t order = count(value, "order");
  if (order < 1 || order > static_cast<size_t>(limit)) {
    fail<Napi::RangeError>(value.Env(), "ERR_DTESN_ARGUMENT",
                           "Expected a whole number from 1 to " + std::to_string(limit) + " for order");
  }
  return static_cast<int>(order);
}

template <class Array, class T>
Array arrayOf(Napi::Env env, const std::vector<T>& values) {
  Array array = Array::New(env, values.size());
  for (size_t i = 0; i < values.size(); ++i) array[i] = static_cast<std::decay_t<decltype(array[i])>>(values[i]);
  return array;
}

Napi::Value countTreesOfOrder(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(countTrees(orderUpTo(info[0], kMaxTreeOrder))));
}

Napi::Value tableOfTrees(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int order = orderUpTo(info[0], kMaxTableOrder);
  const TreeTable table = guarded(env, [order] { return treeTable(order); });
  Napi::Object result = Napi::Object::New(env);
  result.Set("first", arrayOf<Napi::Int32Array>(env, table.first));
  result.Set("order", arrayOf<Napi::Int32Array>(env, table.order));
  result.Set("start", arrayOf<Napi::Int32Array>(env, table.start));
  result.Set("levels", arrayOf<Napi::Uint8Array>(env, table.levels));
  result.Set("symmetry", arrayOf<Napi::Float64Array>(env, table.symmetry));
  result.Set("density", arrayOf<Napi::Float64Array>(env, table.density));
  result.Set("alpha", arrayOf<Napi::Float64Array>(env, table.alpha));
  result.Set("parent", arrayOf<Napi::Int32Array>(env, table.parent));
  result.Set("left", arrayOf<Napi::Int32Array>(env, table.left));
  result.Set("right", arrayOf<Napi::Int32Array>(env, table.right));
  return result;
}

}  // namespace

void exportTrees(Napi::Env env, Napi::Object exports) {
  exports.Set("countTrees", Napi::Function::New<countTreesOfOrder>(env, "countTrees"));
  exports.Set("treeTable", Napi::Function::New<tableOfTrees>(env, "treeTable"));
}

}  // namespace dtesn::addon
