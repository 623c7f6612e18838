// The functions that a drive passes through, and on how many units each works.
//
//   tanh, sigmoid 1 / (1 + e^-z), relu max(0, z), identity, sine sin z, softplus log(1 + e^z)
#pragma once

#include <cstddef>

namespace dtesn {

enum class Activation { tanh, sigmoid, relu, identity, sine, softplus };

// The units from the end of the segment before to `end`.
struct Segment {
  size_t end;
  Activation activation;
};

}  // namespace dtesn
