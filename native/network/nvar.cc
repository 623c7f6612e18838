#include "network/nvar.h"

namespace dtesn {

template class Nvar<float>;
template class Nvar<double>;

}  // namespace dtesn
