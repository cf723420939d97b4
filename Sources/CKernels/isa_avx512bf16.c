// Products of bfloat16 pairs for AVX-512 with BF16.

#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "target.h"
CK_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")

#include "avx512.h"

/// sum + both products in each lane, in float32; the instruction takes denormal factors for zero.
static inline vf dot_pairs(vf sum, vf x, vf w) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(x), (__m512bh)_mm512_castps_si512(w));
}

static inline vf vf_to_pairs(vf first, vf second) {
    // The instruction puts one vector behind the other.
    const __m512i interleaved = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(interleaved, both));
}

static inline vf vf_floor(vf x) {
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
/// x * 2^n
static inline vf vf_scale(vf x, vf n) {
    return _mm512_scalef_ps(x, n);
}

static inline void vf_store_bf16_n(uint16_t *p, vf x, ptrdiff_t n) {
    _mm256_mask_storeu_epi16(p, first_lanes(n), (__m256i)_mm512_cvtneps_pbh(x));
}

#define CK_PAIR_OPS ck_pair_ops_avx512bf16
#include "vector_pairs.h"

CK_TARGET_END
#endif
