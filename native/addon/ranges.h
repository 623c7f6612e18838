// Whether what a call writes lies apart from everything else it is given: by address, since one shared memory may come
// as several buffers.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "addon/errors.h"

namespace dtesn::addon {

class Ranges {
 public:
  template <class T>
  void writes(const T* data, size_t size, const char* name) {
    add(data, size * sizeof(T), name, true);
  }
  template <class T>
  void reads(const T* data, size_t size, const char* name) {
    add(data, size * sizeof(T), name, false);
  }

  void clear() { ranges_.clear(); }

  // TypeError ERR_DTESN_ARGUMENT where a written range meets another one.
  void checkApart(Napi::Env env) {
    std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
    Range written = {0, 0, nullptr, true}, read = written;  // those that reach furthest
    for (const Range& range : ranges_) {
      const Range& met = written.end > range.begin ? written : read;
      if (met.end > range.begin && (met.isWritten || range.isWritten)) {
        failArgument(env, std::string("Expected memory that does not overlap for ") + met.name + " and " + range.name);
      }
      Range& furthest = range.isWritten ? written : read;
      if (range.end > furthest.end) furthest = range;
    }
  }

 private:
  struct Range {
    uintptr_t begin, end;
    const char* name;
    bool isWritten;
  };

  void add(const void* data, size_t bytes, const char* name, bool isWritten) {
    const auto begin = reinterpret_cast<uintptr_t>(data);
    if (bytes > 0) ranges_.push_back({begin, begin + bytes, name, isWritten});
  }

  std::vector<Range> ranges_;
};

}  // namespace dtesn::addon
