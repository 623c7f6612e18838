// Every kernel of one instruction set and element type, and their table. Parts may use what stands in the parts before.

namespace DTESN_ISA {
namespace DTESN_TYPE {

// The order matters.
// clang-format off
#include "simd/kernels.inl"
#include "simd/batch.inl"
#include "simd/limits.inl"
// clang-format on

constexpr Kernels<T> kTable = {panels,        blocks8,    blocks16,    rows,         cycle,        leakyTanh,
                               leakyIdentity, panelsMany, blocks8Many, blocks16Many, multiplyAdds, loadAll};

}  // namespace DTESN_TYPE
}  // namespace DTESN_ISA
