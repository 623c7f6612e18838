// Every kernel of every instruction set this machine has, against the scalar one; and tanh against the library's.
#include <cmath>
#include <vector>

#include "simd/self_check.h"
#include "test/check.h"

template <class T>
static void checkTanh(dtesn::Isa isa, double ulps) {
  std::vector<T> drive, leak, state;
  for (double x = -25; x <= 25; x += 0.00037) drive.push_back(static_cast<T>(x));
  for (double x = 1e-300; x < 1; x *= 7) drive.push_back(static_cast<T>(x));
  drive.insert(drive.end(), {T(0), -T(0), T(INFINITY), -T(INFINITY)});
  const size_t count = drive.size();
  drive.resize(dtesn::roundUp(count, 16));
  leak.assign(drive.size(), 1);
  state.assign(count, 0);
  dtesn::kernelsFor<T>(isa).leakyTanh(drive.data(), leak.data(), count, state.data());
  const double epsilon = sizeof(T) == 4 ? 1.1920929e-7 : 2.220446e-16;
  for (size_t i = 0; i < count; ++i) {
    const double wanted = std::tanh(static_cast<double>(drive[i]));
    CHECK(std::fabs(state[i] - wanted) <= ulps * epsilon * std::fabs(wanted) + 1e-38);
  }
  const std::vector<T> nan(16, NAN), one(16, 1);
  T out = 0;
  dtesn::kernelsFor<T>(isa).leakyTanh(nan.data(), one.data(), 1, &out);
  CHECK(std::isnan(out));
}

int main() {
  for (dtesn::Isa isa : dtesn::availableIsas()) {
    for (const dtesn::KernelCheck& check : dtesn::checkKernels(isa)) CHECK(check.error <= check.tolerance);
    checkTanh<float>(isa, 2);
    checkTanh<double>(isa, 3);
  }
  return 0;
}
