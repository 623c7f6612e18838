// How many files this process may have open.
#pragma once

namespace dtesn {

struct OpenFileLimit {
  bool isKnown;
  double soft, hard;  // infinite where there is no limit
};

// RLIMIT_NOFILE; not known on Windows, which has no such limit.
OpenFileLimit openFileLimit();

}  // namespace dtesn
