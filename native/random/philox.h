// Philox4x32-10, a counter-based generator: the same (seed, stream, index) gives the same number on every platform,
// in any order and on any thread.
//
//   key     = (low, high) word of the 64-bit seed
//   counter = (low, high) word of the block index, stream, purpose
//
// Source: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC'11.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dtesn {

using Philox4 = std::array<uint32_t, 4>;

// What a stream of numbers is drawn for: keeps the draws of one seed apart.
enum class Purpose : uint32_t {
  recurrent = 0,
  input = 1,
  bias = 2,
  structure = 3,
  embedding = 4,
  krylov = 5,
  coupling = 6,
  feedback = 7,
  orthogonal = 8
};

inline Philox4 philox4x32(Philox4 counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(a)};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

// A stream of 32-bit words read by position: word(i) is word i mod 4 of block i / 4.
class PhiloxStream {
 public:
  PhiloxStream(uint64_t seed, uint32_t stream, Purpose purpose)
      : key0_(static_cast<uint32_t>(seed)),
        key1_(static_cast<uint32_t>(seed >> 32)),
        stream_(stream),
        purpose_(static_cast<uint32_t>(purpose)) {}

  Philox4 block(uint64_t index) const {
    return philox4x32({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), stream_, purpose_}, key0_,
                      key1_);
  }

  uint32_t word(uint64_t position) const { return block(position >> 2)[position & 3]; }

  // Uniform on [-1, 1), a multiple of 2^-23: exact in f32 and in f64.
  double symmetric(uint64_t position) const { return toSymmetric(word(position)); }

  // The words at `position`, `position` + 1, ..., one block of four at a time.
  void fillWords(uint64_t position, size_t count, uint32_t* out) const {
    each(position, count, [out](size_t i, uint32_t word) { out[i] = word; });
  }

  template <class T>
  void fillSymmetric(uint64_t position, size_t count, T* out) const {
    each(position, count, [out](size_t i, uint32_t word) { out[i] = static_cast<T>(toSymmetric(word)); });
  }

  static double toSymmetric(uint32_t word) { return (static_cast<double>(word >> 8) - 8388608.0) * (1.0 / 8388608.0); }

 private:
  template <class Take>
  void each(uint64_t position, size_t count, Take take) const {
    size_t i = 0;
    for (; i < count && (position + i) % 4 != 0; ++i) take(i, word(position + i));
    for (; i + 4 <= count; i += 4) {
      const Philox4 words = block((position + i) / 4);
      for (size_t w = 0; w < 4; ++w) take(i + w, words[w]);
    }
    for (; i < count; ++i) take(i, word(position + i));
  }

  uint32_t key0_, key1_, stream_, purpose_;
};

}  // namespace dtesn
