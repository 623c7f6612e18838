#include "readout/train.h"

namespace dtesn {

template size_t train<float>(const Network<float>&, const Lesson<float>&, StepScratch<float>&, LeastSquares&,
                             const Control&);
template size_t train<double>(const Network<double>&, const Lesson<double>&, StepScratch<double>&, LeastSquares&,
                              const Control&);

}  // namespace dtesn
