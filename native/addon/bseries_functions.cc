// Elementary differentials of x' = -a∘x + tanh(W x + w) for given weights, and the Taylor coefficients they sum to.
#include <napi.h>

#include <algorithm>

#include "addon/differential_order.h"
#include "addon/exports.h"
#include "addon/view.h"
#include "bseries/differentials.h"
#include "linalg/packed_dense.h"

namespace dtesn::addon {
namespace {

template <class T>
Span<const T> constant(Span<T> span) {
  return Span<const T>(span.data, span.size);
}

// elementaryDifferentials(weights: n x n, state: n, drive: n, decay: n, order, out: trees x n)
template <class T>
Napi::Value elementaryDifferentials(const Napi::CallbackInfo& info) {
  const Span<T> state = view<T>(info[1], "state");
  const size_t n = state.size;
  const Span<T> weights = view<T>(info[0], "weights", n * n);
  const Span<T> drive = view<T>(info[2], "drive", n);
  const Span<T> decay = view<T>(info[3], "decay", n);
  const int order = differentialOrder(info[4]);
  guarded(info.Env(), [&] {
    Differentials<T> stage(n, order);
    const Span<T> out = view<T>(info[5], "out", stage.trees() * n);
    const PackedDense<T> packed(n, n, [&](size_t i, T* row) { std::copy_n(weights.data + i * n, n, row); });
    const AlignedArray<T> padded(packed.paddedRows());
    const auto map = [&](const T* x, T* y) {
      std::fill_n(padded.data(), padded.size(), T(0));
      packed.accumulate(x, padded.data(), Sweep::forwards);
      std::copy_n(padded.data(), n, y);
    };
    const auto shrink = [&](const T* x, T* y) {
      for (size_t i = 0; i < n; ++i) y[i] = -decay[i] * x[i];
    };
    const Segment whole{n, Activation::tanh};
    stage.evaluate({map, shrink, {&whole, 1}, constant(drive), {}}, constant(state), out);
  });
  return info.Env().Undefined();
}

// taylorCoefficients(differentials: trees x units, units, order, out: order x units)
template <class T>
Napi::Value taylor(const Napi::CallbackInfo& info) {
  const size_t units = count(info[1], "units");
  const int order = differentialOrder(info[2]);
  guarded(info.Env(), [&] {
    const TreeTable table = treeTable(order);
    const Span<T> differentials = view<T>(info[0], "differentials", table.size() * units);
    taylorCoefficients(table, units, constant(differentials),
                       view<T>(info[3], "out", static_cast<size_t>(order) * units));
  });
  return info.Env().Undefined();
}

}  // namespace

void exportBSeries(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto callback) {
    exports.Set(name, Napi::Function::New(env, callback, name));
  };
  add("elementaryDifferentials32", elementaryDifferentials<float>);
  add("elementaryDifferentials64", elementaryDifferentials<double>);
  add("taylorCoefficients32", taylor<float>);
  add("taylorCoefficients64", taylor<double>);
}

}  // namespace dtesn::addon
