// Measures of given matrices.
#include <napi.h>

#include "addon/exports.h"
#include "addon/task.h"
#include "addon/view.h"
#include "linalg/spectral_radius.h"

namespace dtesn::addon {
namespace {

// spectralRadius(matrix: n x n, n) -> { radius, residual, converged }
Napi::Value radiusOfMatrix(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const size_t n = count(info[1], "n");
  const Span<double> a = view<double>(info[0], "matrix", n * n);
  const SpectralRadius found =
      guarded(env, [&] { return spectralRadius(Span<const double>(a.data, a.size), n, RadiusOptions()); });
  Napi::Object result = Napi::Object::New(env);
  result.Set("radius", found.radius);
  result.Set("residual", found.residual);
  result.Set("converged", found.converged);
  return result;
}

// spectralRadiusAsync(matrix: n x n, n, found, control) -> Promise; found: radius, residual, and 1 where it converged
Napi::Value radiusOfMatrixAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const size_t n = count(info[1], "n");
  const Span<double> a = view<double>(info[0], "matrix", n * n);
  const Span<double> out = view<double>(info[2], "found", 3);
  const Control control = controlOf(info[3]);
  const auto body = [a, n, out, control] {
    RadiusOptions options;
    options.interruption = control.interruption();
    const SpectralRadius found = spectralRadius(Span<const double>(a.data, a.size), n, options);
    out[0] = found.radius;
    out[1] = found.residual;
    out[2] = found.converged ? 1 : 0;
    return found.radius;
  };
  return guarded(env, [&] { return Task::start(env, {info[0], info[2], info[3]}, body, [](Napi::Env) {}); });
}

}  // namespace

void exportLinalg(Napi::Env env, Napi::Object exports) {
  exports.Set("spectralRadius", Napi::Function::New<radiusOfMatrix>(env, "spectralRadius"));
  exports.Set("spectralRadiusAsync", Napi::Function::New<radiusOfMatrixAsync>(env, "spectralRadiusAsync"));
}

}  // namespace dtesn::addon
