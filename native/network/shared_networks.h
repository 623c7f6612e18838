// The networks of this process that another environment may take over by number. An entry holds nothing: a network that
// is never claimed goes with its last user.
#pragma once

#include <cstdint>

#include "network/network.h"

namespace dtesn {

class SharedNetworks {
 public:
  // The network's number, the same at each call; never 0.
  static uint64_t share(const AnyNetwork& network);
  // Null where there is none of this number, or not any more.
  static Shared<AnyNetwork> claim(uint64_t number);

 private:
  friend class AnyNetwork;
  static void forget(uint64_t number);
};

}  // namespace dtesn
