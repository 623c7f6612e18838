// Numbers as text.
#include <napi.h>

#include <string>

#include "addon/exports.h"
#include "addon/view.h"
#include "text/shortest_decimal.h"

namespace dtesn::addon {
namespace {

// decimals(values) -> each in its shortest form, with commas between
Napi::Value decimals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Span<float> values = view<float>(info[0], "values");
  return guarded(env, [&]() -> Napi::Value {
    std::string text(values.size * (kDecimalChars + 1), '\0');
    char* out = &text[0];
    for (size_t i = 0; i < values.size; ++i) {
      if (i > 0) *out++ = ',';
      out = writeShortest(values[i], out);
    }
    napi_value made = nullptr;
    const napi_status status = napi_create_string_latin1(env, text.data(), out - text.data(), &made);
    NAPI_THROW_IF_FAILED(env, status, Napi::Value());
    return Napi::Value(env, made);
  });
}

}  // namespace

void exportText(Napi::Env env, Napi::Object exports) {
  exports.Set("decimals", Napi::Function::New<decimals>(env, "decimals"));
}

}  // namespace dtesn::addon
