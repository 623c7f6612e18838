// The order of elementary differentials, checked.
#pragma once

#include <napi.h>

#include <string>

#include "addon/view.h"
#include "bseries/differentials.h"

namespace dtesn::addon {

inline int differentialOrder(const Napi::Value& value) {
  const size_t order = count(value, "order");
  if (order < 1 || order > static_cast<size_t>(kMaxDifferentialOrder)) {
    fail<Napi::RangeError>(value.Env(), "ERR_DTESN_ARGUMENT",
                           "Expected a whole number from 1 to " + std::to_string(kMaxDifferentialOrder) +
                               " for order but received " + std::to_string(order));
  }
  return static_cast<int>(order);
}

}  // namespace dtesn::addon
