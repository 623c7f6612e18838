#include "host/large_blocks.h"

#if defined(__linux__)
#include <stdlib.h>  // defines __GLIBC__
#endif

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace dtesn {

bool mapLargeBlocks([[maybe_unused]] size_t bytes) {
#if defined(__GLIBC__)
  return mallopt(M_MMAP_THRESHOLD, static_cast<int>(bytes)) == 1;
#else
  return false;
#endif
}

}  // namespace dtesn
