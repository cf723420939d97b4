// The vector code for AVX2 with FMA and F16C.

#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "target.h"
CK_TARGET_BEGIN("avx2,fma,f16c")

#include "avx2.h"

/// 2 x 32: eight sums, and what an exact product takes.
enum { QR = 2, GROUP_ROWS = 1, SEGMENTS = 2, X_OFFSET = 0 };

/// sum + products of four bytes in each lane, both signed, none -128. The 16-bit sums of two cannot overflow.
static inline vi dot_signed(vi sum, vi x, vi w) {
    __m256i signed_w = _mm256_sign_epi8((__m256i)w, (__m256i)x);
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)x), signed_w);
    return sum + (vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/// The same for w in 0 ... 15.
static inline vi dot_nibbles(vi sum, vi w, vi x) {
    __m256i pairs = _mm256_maddubs_epi16((__m256i)w, (__m256i)x);
    return sum + (vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

#define CK_OPS ck_ops_avx2
#include "vector.h"

#define CK_QUANT_OPS ck_quant_ops_avx2
#include "vector_quant.h"

CK_TARGET_END
#endif
