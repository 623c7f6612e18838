// Measures of given matrices.
#include <napi.h>

#include "addon/exports.h"
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

}  // namespace

void exportLinalg(Napi::Env env, Napi::Object exports) {
  exports.Set("spectralRadius", Napi::Function::New<radiusOfMatrix>(env, "spectralRadius"));
}

}  // namespace dtesn::addon
