// Memory for the kernels: on 64-byte boundaries; large blocks on huge pages where the system has them, since a matrix
// that is read over and over spends much of its time on translating addresses of small pages. Large blocks come from
// the system itself and go back to it at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace dtesn {

constexpr size_t kHugePage = size_t{2} << 20;
// Blocks from here on get whole huge pages: at most as much again is left unused.
constexpr size_t kHugeFrom = kHugePage / 2;

constexpr size_t wholeHugePages(size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }

// Throws std::bad_alloc. The bytes are not initialised.
inline void* allocateKernelMemory(size_t bytes) {
#if defined(__linux__)
  if (bytes >= kHugeFrom) {
    // Maps one huge page more than needed, then unmaps the parts outside the aligned range.
    const size_t whole = wholeHugePages(bytes), more = whole + kHugePage;
    void* const mapped = mmap(nullptr, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    char* const begin = static_cast<char*>(mapped);
    const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
    if (before > 0) munmap(begin, before);
    munmap(begin + before + whole, kHugePage - before);
    madvise(begin + before, whole, MADV_HUGEPAGE);  // advice: without huge pages everything works as before
    return begin + before;
  }
#endif
  return ::operator new (bytes, std::align_val_t{64});
}

inline void freeKernelMemory(void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
  if (memory != nullptr && bytes >= kHugeFrom) {
    munmap(memory, wholeHugePages(bytes));
    return;
  }
#endif
  ::operator delete (memory, std::align_val_t{64});
}

}  // namespace dtesn
