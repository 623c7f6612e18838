// Keeps a product (a scalar or a vector) from being fused with the addition that follows, so that its bits are the same
// on sets that fuse and on those that do not.
// DTESN_IN_REGISTER keeps a loaded vector in its register: compilers like to load it again for each operation that
// reads it.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#define DTESN_ROUNDED(value) asm("" : "+v"(value))
#elif defined(__aarch64__) || defined(_M_ARM64)
#define DTESN_ROUNDED(value) asm("" : "+w"(value))
#else
#define DTESN_ROUNDED(value) asm("" : "+m"(value))
#endif

#define DTESN_IN_REGISTER(value) DTESN_ROUNDED(value)
