// Numbers as text.
#include <napi.h>

#include <cstdint>
#include <stdexcept>

#include "addon/exports.h"
#include "addon/view.h"
#include "text/shortest_decimal.h"

namespace dtesn::addon {
namespace {

// decimals(values, out, at) -> the end: each in its shortest form, with commas between, written to out[at ...], which
// has room for kDecimalChars + 1 each.
Napi::Value decimals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Span<float> values = view<float>(info[0], "values");
  const Span<uint8_t> out = view<uint8_t>(info[1], "out");
  const size_t at = count(info[2], "at");
  return guarded(env, [&]() -> Napi::Value {
    if (at > out.size || (out.size - at) / (kDecimalChars + 1) < values.size) {
      throw std::invalid_argument("Expected more room for the text of the numbers");
    }
    char* const begin = reinterpret_cast<char*>(out.data);
    char* end = begin + at;
    for (size_t i = 0; i < values.size; ++i) {
      if (i > 0) *end++ = ',';
      end = writeShortest(values[i], end);
    }
    return Napi::Number::New(env, static_cast<double>(end - begin));
  });
}

}  // namespace

void exportText(Napi::Env env, Napi::Object exports) {
  exports.Set("decimals", Napi::Function::New<decimals>(env, "decimals"));
}

}  // namespace dtesn::addon
