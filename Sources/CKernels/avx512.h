// Vectors of 16 lanes for AVX-512 (F, BW, DQ, VL). Included between CK_TARGET_BEGIN and CK_TARGET_END.

typedef __m512 vf;
typedef int32_t vi __attribute__((vector_size(64)));
/// 13 x 32: 26 accumulators leave room for two of b and one of a; 1025 = 79 x 13 - 2 and 64 = 5 x 13 - 1 waste little.
enum { W = 16, MR = 13, NR = 32 };

static inline __mmask16 first_lanes(ptrdiff_t n) {
    return (__mmask16)((1u << n) - 1);
}

static inline vf vf_set1(float x) {
    return _mm512_set1_ps(x);
}
static inline vf vf_load(const float *p) {
    return _mm512_loadu_ps(p);
}
static inline void vf_store(float *p, vf x) {
    _mm512_storeu_ps(p, x);
}
static inline vf vf_load_n(const float *p, ptrdiff_t n) {
    return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
static inline void vf_store_n(float *p, vf x, ptrdiff_t n) {
    _mm512_mask_storeu_ps(p, first_lanes(n), x);
}
static inline vf vf_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}
static inline vf vf_max(vf a, vf b) {
    return _mm512_max_ps(a, b);
}
static inline vf vf_min(vf a, vf b) {
    return _mm512_min_ps(a, b);
}
/// a < b ? x : y
static inline vf vf_if_less(vf a, vf b, vf x, vf y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
static inline int vf_any_equal(vf a, vf b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ) != 0;
}
static inline vf vf_widen_bf16(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}
static inline vf vf_load_bf16(const uint16_t *p) {
    return vf_widen_bf16(_mm256_loadu_si256((const __m256i *)p));
}
static inline vf vf_load_f16(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
static inline vf vf_load_bf16_n(const uint16_t *p, ptrdiff_t n) {
    return vf_widen_bf16(_mm256_maskz_loadu_epi16(first_lanes(n), p));
}
static inline vf vf_load_f16_n(const uint16_t *p, ptrdiff_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p));
}

static inline vi vi_set1(int32_t x) {
    return (vi)_mm512_set1_epi32(x);
}
static inline vi vi_load(const void *p) {
    return (vi)_mm512_loadu_si512(p);
}
static inline void vi_store(void *p, vi x) {
    _mm512_storeu_si512(p, (__m512i)x);
}
static inline vi vi_max(vi a, vi b) {
    return (vi)_mm512_max_epi32((__m512i)a, (__m512i)b);
}
static inline vf vi_to_float(vi x) {
    return _mm512_cvtepi32_ps((__m512i)x);
}
/// Rounds to the nearest integer, ties to even, and stores W bytes.
static inline void vf_store_int8(int8_t *p, vf x) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x)));
}

/// Rows become columns.
static inline __attribute__((always_inline)) void vf_transpose(vf r[16]) {
    vf t[16];
    CK_UNROLL
    for (int i = 0; i < 16; i += 4) {
        vf a = _mm512_unpacklo_ps(r[i], r[i + 1]), b = _mm512_unpackhi_ps(r[i], r[i + 1]);
        vf c = _mm512_unpacklo_ps(r[i + 2], r[i + 3]), d = _mm512_unpackhi_ps(r[i + 2], r[i + 3]);
        t[i] = _mm512_shuffle_ps(a, c, 0x44);
        t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
        t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
        t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    CK_UNROLL
    for (int i = 0; i < 4; i++) {
        vf a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88), b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
        vf c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88), d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
        r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}
