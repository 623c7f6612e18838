// Which blocks of malloc the system gets back as soon as they are freed.
#pragma once

#include <cstddef>

namespace dtesn {

// From now on malloc maps every block of at least `bytes` by itself, and free unmaps it. Without this glibc raises its
// threshold, 128 KiB at first, to the largest block that was freed (up to 32 MiB): such blocks then come from the heap,
// which fragments and keeps its size. Returns false where the C library is another one.
bool mapLargeBlocks(size_t bytes);

}  // namespace dtesn
