// f32 weights stored in two bytes (bf16) or one (int8).
//
//   bf16   the upper half of the f32, rounded to nearest even: relative error 2^-9 a weight
//   int8   q = round(w / s), |q| <= 127, one scale a row s = max |w| / 127: error s / 2 a weight
#pragma once

#include <cstdint>
#include <cstring>

namespace dtesn {

enum class Precision { own, bf16, int8 };

inline uint16_t toBf16(float weight) {
  uint32_t bits;
  std::memcpy(&bits, &weight, sizeof(bits));
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float fromBf16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float weight;
  std::memcpy(&weight, &bits, sizeof(weight));
  return weight;
}

inline float int8Scale(float largest) { return largest / 127; }

inline int8_t toInt8(float weight, float scale) {
  if (scale == 0) return 0;
  const float q = weight / scale;
  return static_cast<int8_t>(q + (q < 0 ? -0.5f : 0.5f));
}

}  // namespace dtesn
