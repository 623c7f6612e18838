// Few features make short rows, and short rows make slow loops. So rows are taken several at a time, side by side, as
// one wide row of `lanes` columns: lane j belongs to feature j mod features, and the loop over lanes is long enough to
// vectorise whatever the number of features.
#pragma once

#include <algorithm>

#include "transform/program.h"

namespace dtesn {

// A multiple of `features`, 64 or more: enough lanes to hide the latency of one accumulator each.
inline size_t lanesOf(size_t features) { return features >= 64 ? features : features * ((63 + features) / features); }

// Calls visit(row, lanes) for every wide row from the first to the last, which may be shorter.
template <class T, class Visit>
inline void eachWideRow(T* data, SeriesShape shape, Visit&& visit) {
  const size_t total = shape.steps * shape.features;
  const size_t lanes = lanesOf(shape.features);
  for (size_t i = 0; i < total; i += lanes) visit(data + i, std::min(lanes, total - i));
}

// Repeats the numbers of the features in all lanes.
inline void spreadOverLanes(double* values, size_t features) {
  const size_t lanes = lanesOf(features);
  for (size_t j = features; j < lanes; ++j) values[j] = values[j - features];
}

}  // namespace dtesn
