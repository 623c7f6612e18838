// What the weights of coupled regions say of echo states.
#pragma once

#include "network/region_network.h"

namespace dtesn {

// ||M||_2 of the matrix of block norms, M_mm = (1 - leak) + leak ||W_m||, M_mp = leak ||coupling||, ...: below 1 the
// synchronous update is a contraction, so echo states exist. Of leaky regions without carry whose activations have a
// slope of at most 1.
template <class T>
double normBound(const RegionNetwork<T>& network);

// The spectral radius of (1 - leak) I + leak W of one such region.
template <class T>
double effectiveRadius(const Region<T>& region);

}  // namespace dtesn
