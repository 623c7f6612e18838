#include "text/shortest_decimal.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace dtesn {
namespace {

// 10^i at kPowers[i - kLeastPower]; the last ones are those of the least f32.
constexpr int kLeastPower = -31;
constexpr double kPowers[] = {
    1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17,
    1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,
    1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,
    1e14,  1e15,  1e16,  1e17,  1e18,  1e19,  1e20,  1e21,  1e22,  1e23,  1e24,  1e25,  1e26,  1e27,  1e28,
    1e29,  1e30,  1e31,  1e32,  1e33,  1e34,  1e35,  1e36,  1e37,  1e38,  1e39,  1e40,  1e41,  1e42,  1e43,
    1e44,  1e45,  1e46,  1e47,  1e48,  1e49,  1e50,  1e51,  1e52,  1e53,  1e54,
};
constexpr uint32_t kWholePowers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
// The digits that every f32 can be told apart by.
constexpr int kMostDigits = 9;
// Decimal exponents of the first digit within which a number is written without an exponent.
constexpr int kLeastPlain = -6, kMostPlain = 8;

double powerOfTen(int power) { return kPowers[power - kLeastPower]; }

// value = digits 10^(exponent - count + 1), the first of the `count` digits not 0.
struct Decimal {
  uint32_t digits;
  int count, exponent;
};

uint64_t bitsOf(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

double powerOfTwo(int exponent) {
  const uint64_t bits = static_cast<uint64_t>(exponent + 1023) << 52;
  double x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

int binaryExponent(double x) { return static_cast<int>(bitsOf(x) >> 52) - 1023; }

// The distance from x to the next f32, halved: what lies nearer rounds to x. Below a power of two it is half of that.
double halfStep(int exponent) { return powerOfTwo((exponent < -126 ? -126 : exponent) - 24); }

struct Rounded {
  uint32_t digits;
  bool holds;  // They read back as the value.
};

// The first digits of `scaled`, the value with nine digits before the point, without the last ones.
Rounded rounded(double scaled, double above, double below, int without) {
  const uint32_t digits = static_cast<uint32_t>(scaled * powerOfTen(-without) + 0.5);
  const double off = digits * powerOfTen(without) - scaled;
  const bool holds = static_cast<int>(off <= above) & static_cast<int>(-off <= below);
  return {digits, holds};
}

// Which count of digits is the least changes from number to number, so the first ones are found without a branch, which
// would be mispredicted in half of the numbers.
Decimal shortestOf(float value) {
  const double x = value;
  const int binary = binaryExponent(x);
  int exponent = (binary * 1233) >> 12;  // log10(2) = .30103 = 1233 / 4096
  exponent += x * powerOfTen(kMostDigits - 1 - exponent) >= powerOfTen(kMostDigits);
  const double scale = powerOfTen(kMostDigits - 1 - exponent);
  const double scaled = x * scale;
  // What still rounds to x, with room for the roundings of `scaled`.
  const double above = halfStep(binary) * scale * (1 - 1e-6);
  const bool isPower = binary > -126 && (bitsOf(x) << 12) == 0;
  const double below = isPower ? above / 2 : above;
  const Rounded one = rounded(scaled, above, below, 1), two = rounded(scaled, above, below, 2),
                three = rounded(scaled, above, below, 3);
  const uint32_t digits[] = {static_cast<uint32_t>(scaled + 0.5), one.digits, two.digits, three.digits};
  int without = one.holds * (1 + two.holds * (1 + three.holds));
  Decimal found{digits[without], kMostDigits - without, exponent};
  if (without == 3) {
    while (++without < kMostDigits) {
      const Rounded next = rounded(scaled, above, below, without);
      if (!next.holds) break;
      found.digits = next.digits, found.count = kMostDigits - without;
    }
  }
  if (found.digits == kWholePowers[found.count]) found.digits /= 10, ++found.exponent;
  return found;
}

// Nine digits, the last ones 0 where there are fewer: one, and eight by three divisions that run side by side in the
// parts of a word.
void writeDigits(const Decimal& decimal, char* out) {
  const uint32_t nine = decimal.digits * kWholePowers[kMostDigits - decimal.count];
  const uint32_t first = nine / 100000000, eight = nine % 100000000;
  const uint64_t fours = (eight / 10000) | static_cast<uint64_t>(eight % 10000) << 32;
  const uint64_t hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
  const uint64_t tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  const uint64_t text = (tens | (twos - 10 * tens) << 8) + 0x3030303030303030;
  out[0] = static_cast<char>('0' + first);
  std::memcpy(out + 1, &text, sizeof text);
}

char* writeWithExponent(const Decimal& decimal, char* out) {
  writeDigits(decimal, out + 1);
  out[0] = out[1];
  out[1] = '.';
  out += decimal.count == 1 ? 1 : decimal.count + 1;
  *out++ = 'e';
  if (decimal.exponent < 0) *out++ = '-';
  const int size = std::abs(decimal.exponent);
  if (size >= 10) *out++ = static_cast<char>('0' + size / 10);
  *out++ = static_cast<char>('0' + size % 10);
  return out;
}

char* writePlain(const Decimal& decimal, char* out) {
  const int whole = decimal.exponent + 1;  // digits before the point
  if (whole <= 0) {
    std::memcpy(out, "0.00000", 7);
    out += 2 - whole;
    writeDigits(decimal, out);
    return out + decimal.count;
  }
  if (decimal.count <= whole) {
    writeDigits(decimal, out);
    return out + whole;
  }
  writeDigits(decimal, out + 1);
  for (int i = 0; i < whole; ++i) out[i] = out[i + 1];
  out[whole] = '.';
  return out + decimal.count + 1;
}

}  // namespace

char* writeShortest(float value, char* out) {
  if (!std::isfinite(value)) return static_cast<char*>(std::memcpy(out, "null", 4)) + 4;
  if (value == 0) return *out = '0', out + 1;
  *out = '-';
  out += value < 0;
  const Decimal decimal = shortestOf(std::fabs(value));
  const bool isPlain = decimal.exponent >= kLeastPlain && decimal.exponent <= kMostPlain;
  return isPlain ? writePlain(decimal, out) : writeWithExponent(decimal, out);
}

}  // namespace dtesn
