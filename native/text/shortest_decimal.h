// The shortest decimal that reads back as a given f32.
#pragma once

#include <cstddef>

namespace dtesn {

// Room for any: "-0.00000123456789" is the longest form, a sign, six zeros, a point and nine digits.
constexpr size_t kDecimalChars = 17;

// Writes `value` as JSON has it and returns the end: rounded to the fewest digits, at most nine, that round to `value`
// again, whether they are read as an f32 or as an f64 that is then rounded. "null" for a value that is not finite, "0"
// for both zeros.
char* writeShortest(float value, char* out);

}  // namespace dtesn
