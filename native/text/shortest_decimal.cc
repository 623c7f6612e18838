#include "text/shortest_decimal.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace dtesn {
namespace {

constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kMostExact = 22;
// The digits that every f32 can be told apart by.
constexpr int kMostDigits = 9;
// Decimal exponents of the first digit within which a number is written without an exponent.
constexpr int kLeastPlain = -6, kMostPlain = 8;

// x 10^power, to a few roundings of f64.
double scaledBy(double x, int power) {
  for (; power > kMostExact; power -= kMostExact) x *= kPowers[kMostExact];
  for (; power < -kMostExact; power += kMostExact) x /= kPowers[kMostExact];
  return power >= 0 ? x * kPowers[power] : x / kPowers[-power];
}

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

Decimal shortestOf(float value) {
  const double x = value;
  const int binary = binaryExponent(x);
  int exponent = (binary * 1233) >> 12;  // log10(2) = .30103 = 1233 / 4096
  double scaled = scaledBy(x, kMostDigits - 1 - exponent);
  if (scaled >= kPowers[kMostDigits]) scaled /= 10, ++exponent;
  // What still rounds to x, with room for the roundings of `scaled`.
  const double above = scaled * (halfStep(binary) / x) * (1 - 1e-6);
  const bool isPower = binary > -126 && (bitsOf(x) << 12) == 0;
  const double below = isPower ? above / 2 : above;
  Decimal found{static_cast<uint32_t>(scaled + 0.5), kMostDigits, exponent};
  for (int count = kMostDigits - 1; count >= 1; --count) {
    const double unit = kPowers[kMostDigits - count];
    const double digits = static_cast<uint32_t>(scaled / unit + 0.5);
    const double off = digits * unit - scaled;
    if (off > above || -off > below) break;
    found.digits = static_cast<uint32_t>(digits), found.count = count;
  }
  if (found.digits == static_cast<uint32_t>(kPowers[found.count])) found.digits /= 10, ++found.exponent;
  for (; found.digits % 10 == 0; --found.count) found.digits /= 10;
  return found;
}

void writeDigits(uint32_t digits, int count, char* out) {
  for (; count > 0; digits /= 10) out[--count] = static_cast<char>('0' + digits % 10);
}

char* writeZeros(int count, char* out) {
  std::memset(out, '0', static_cast<size_t>(count));
  return out + count;
}

char* writeWithExponent(const Decimal& decimal, char* out) {
  writeDigits(decimal.digits, decimal.count, out + 1);
  out[0] = out[1];
  out[1] = '.';
  out += decimal.count == 1 ? 1 : decimal.count + 1;
  *out++ = 'e';
  if (decimal.exponent < 0) *out++ = '-';
  const int size = std::abs(decimal.exponent), places = size < 10 ? 1 : 2;
  writeDigits(static_cast<uint32_t>(size), places, out);
  return out + places;
}

char* writePlain(const Decimal& decimal, char* out) {
  const int whole = decimal.exponent + 1;  // digits before the point
  if (whole <= 0) {
    *out++ = '0';
    *out++ = '.';
    out = writeZeros(-whole, out);
    writeDigits(decimal.digits, decimal.count, out);
    return out + decimal.count;
  }
  writeDigits(decimal.digits, decimal.count, out);
  if (decimal.count <= whole) return writeZeros(whole - decimal.count, out + decimal.count);
  std::memmove(out + whole + 1, out + whole, static_cast<size_t>(decimal.count - whole));
  out[whole] = '.';
  return out + decimal.count + 1;
}

}  // namespace

char* writeShortest(float value, char* out) {
  if (!std::isfinite(value)) return static_cast<char*>(std::memcpy(out, "null", 4)) + 4;
  if (value == 0) return writeZeros(1, out);
  if (value < 0) *out++ = '-';
  const Decimal decimal = shortestOf(std::fabs(value));
  const bool isPlain = decimal.exponent >= kLeastPlain && decimal.exponent <= kMostPlain;
  return isPlain ? writePlain(decimal, out) : writeWithExponent(decimal, out);
}

}  // namespace dtesn
