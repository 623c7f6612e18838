// Memory for the kernels: on 64-byte boundaries; large blocks on huge pages where the system has them, since a matrix
// that is read over and over spends much of its time on translating addresses of small pages.
#pragma once

#include <cstddef>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace dtesn {

constexpr size_t kHugePage = size_t{2} << 20;
// Blocks from here on get whole huge pages: at most as much again is left unused.
constexpr size_t kHugeFrom = kHugePage / 2;

inline std::align_val_t kernelAlignment(size_t bytes) { return std::align_val_t{bytes < kHugeFrom ? 64 : kHugePage}; }

// Throws std::bad_alloc. The bytes are not initialised.
inline void* allocateKernelMemory(size_t bytes) {
  if (bytes < kHugeFrom) return ::operator new(bytes, kernelAlignment(bytes));
  const size_t whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = ::operator new(whole, kernelAlignment(bytes));
#if defined(__linux__)
  madvise(memory, whole, MADV_HUGEPAGE);  // advice: without huge pages everything works as before
#endif
  return memory;
}

inline void freeKernelMemory(void* memory, size_t bytes) { ::operator delete(memory, kernelAlignment(bytes)); }

}  // namespace dtesn
