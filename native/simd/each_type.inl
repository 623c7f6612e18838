// one_type.inl for both element types of the instruction set that DTESN_ISA and DTESN_BYTES name.
#define DTESN_T float
#define DTESN_I int32_t
#define DTESN_TYPE f32
#define DTESN_WIDE 0
#include "simd/one_type.inl"
#undef DTESN_T
#undef DTESN_I
#undef DTESN_TYPE
#undef DTESN_WIDE

#define DTESN_T double
#define DTESN_I int64_t
#define DTESN_TYPE f64
#define DTESN_WIDE 1
#include "simd/one_type.inl"
#undef DTESN_T
#undef DTESN_I
#undef DTESN_TYPE
#undef DTESN_WIDE
#undef DTESN_ISA
#undef DTESN_BYTES
