#include "network/featured.h"

namespace dtesn {

template class Featured<float>;
template class Featured<double>;

}  // namespace dtesn
