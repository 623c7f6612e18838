#include "host/open_file_limit.h"

#if !defined(_WIN32)
#include <sys/resource.h>

#include <limits>
#endif

namespace dtesn {

#if defined(_WIN32)

OpenFileLimit openFileLimit() { return {false, 0, 0}; }

#else

static double countOf(rlim_t limit) {
  return limit == RLIM_INFINITY ? std::numeric_limits<double>::infinity() : static_cast<double>(limit);
}

OpenFileLimit openFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {false, 0, 0};
  return {true, countOf(limit.rlim_cur), countOf(limit.rlim_max)};
}

#endif

}  // namespace dtesn
