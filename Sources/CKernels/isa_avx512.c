// The vector code for AVX-512 without VNNI.

#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "target.h"
CK_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")

#include "avx512.h"

/// 12 x 32: the sums of a tile leave registers for the parts of an exact product.
enum { QR = 12, GROUP_ROWS = 6, SEGMENTS = 4, X_OFFSET = 0 };

/// sum + products of four bytes in each lane, both signed, none -128. The 16-bit sums of two cannot overflow.
static inline vi dot_signed(vi sum, vi x, vi w) {
    __mmask64 negative = _mm512_movepi8_mask((__m512i)x);
    __m512i signed_w = _mm512_mask_sub_epi8((__m512i)w, negative, _mm512_setzero_si512(), (__m512i)w);
    __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8((__m512i)x), signed_w);
    return sum + (vi)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}

/// The same for w in 0 ... 15.
static inline vi dot_nibbles(vi sum, vi w, vi x) {
    __m512i pairs = _mm512_maddubs_epi16((__m512i)w, (__m512i)x);
    return sum + (vi)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}

#define CK_OPS ck_ops_avx512
#include "vector.h"

#define CK_QUANT_OPS ck_quant_ops_avx512
#include "vector_quant.h"

CK_TARGET_END
#endif
