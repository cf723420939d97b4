// The integer products for AVX2 with VNNI (AVX-VNNI): processors that have no AVX-512, or only half of their cores.

#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "target.h"
#if defined(CK_AVXVNNI_AS_AVX512VL)
// The same instruction as AVX-512 encodes it, so that this file can be tried on processors with that one only.
#define CK_DPBUSD _mm256_dpbusd_epi32
CK_TARGET_BEGIN("avx2,avx512f,avx512vl,avx512vnni,fma,f16c")
#else
#define CK_DPBUSD _mm256_dpbusd_avx_epi32
CK_TARGET_BEGIN("avx2,avxvnni,fma,f16c")
#endif

#include "avx2.h"

/// 2 x 32: with a third row, sums would leave the 16 registers. x is stored as x + 128, since the instruction wants one operand
/// unsigned; `scale_int8` takes 128 sum(w) off.
enum { QR = 2, GROUP_ROWS = 1, SEGMENTS = 2, X_OFFSET = 128 };

/// sum + products of four bytes in each lane, exact.
static inline vi dot_signed(vi sum, vi x, vi w) {
    return (vi)CK_DPBUSD((__m256i)sum, (__m256i)x, (__m256i)w);
}

/// The same for w in 0 ... 15 and signed x.
static inline vi dot_nibbles(vi sum, vi w, vi x) {
    return (vi)CK_DPBUSD((__m256i)sum, (__m256i)w, (__m256i)x);
}

#define CK_QUANT_OPS ck_quant_ops_avxvnni
#include "vector_quant.h"

CK_TARGET_END
#endif
