// The integer products for AVX-512 with VNNI.

#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "target.h"
CK_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

#include "avx512.h"

/// x is stored as x + 128, since the instruction wants one operand unsigned; `finish_int8` takes 128 sum(w) off.
enum { QR = 13, GROUP_ROWS = 6, SEGMENTS = 4, X_OFFSET = 128 };

/// sum + products of four bytes in each lane, exact.
static inline vi dot_signed(vi sum, vi x, vi w) {
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
}

/// The same for w in 0 ... 15 and signed x.
static inline vi dot_nibbles(vi sum, vi w, vi x) {
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}

#define CK_QUANT_OPS ck_quant_ops_avx512vnni
#include "vector_quant.h"

CK_TARGET_END
#endif
