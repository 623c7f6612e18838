// Every kernel of one instruction set and element type, and their table. Parts may use what stands in the parts before.

namespace DTESN_ISA {
namespace DTESN_TYPE {

// The order matters.
// clang-format off
#include "simd/kernels.inl"
#include "simd/activations.inl"
#include "simd/lanes.inl"
#include "simd/batch.inl"
#include "simd/blocks.inl"
#include "simd/sparse_rows.inl"
#include "simd/limits.inl"
#include "simd/hadamard.inl"
#include "simd/product.inl"
#include "simd/moments.inl"
#if DTESN_WIDE
#include "simd/exact.inl"
#else
#include "simd/narrow.inl"
#include "simd/narrow_blocks.inl"
#endif
#if DTESN_WIDE
#include "simd/gram.inl"
#endif
// clang-format on

constexpr Kernels<T> kTable = {
    panels,       blocks8,      blocks16, rows,        cycle,    leakyTanh,   leakyIdentity, panelsMany, blocks8Many,
    blocks16Many, multiplyAdds, loadAll,  permutation, hadamard, exactPanels, exactBlocks,   rowsMany,   mapTanh,
    mapSigmoid,   mapRelu,      mapSine,  mapSoftplus, euler,    addMoments,  squares};
#if DTESN_WIDE
constexpr ExactKernels kExact = {dot, addScaled};
#else
constexpr NarrowKernels kNarrow = {bf16Panels, int8Panels, bf16Blocks, int8Blocks, bf16BlocksMany, int8BlocksMany};
#if DTESN_BYTES == 64
constexpr NarrowKernels kNarrowVnni = {bf16Panels, int8PanelsVnni, bf16Blocks,
                                       int8Blocks, bf16BlocksMany, int8BlocksMany};
#endif
#endif

#if DTESN_WIDE
constexpr TrainingKernels kTraining = {outer, reflect, symmetric};
#endif

}  // namespace DTESN_TYPE
}  // namespace DTESN_ISA
