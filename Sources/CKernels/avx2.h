// Vectors of 8 lanes for AVX2 with FMA and F16C, 16 registers. Included between CK_TARGET_BEGIN and CK_TARGET_END.

typedef __m256 vf;
typedef int32_t vi __attribute__((vector_size(32)));
/// 6 x 16: 12 accumulators, two of b, one of a.
enum { W = 8, MR = 6, NR = 16 };

static const int32_t lane_masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

static inline __m256i first_lanes(ptrdiff_t n) {
    return _mm256_loadu_si256((const __m256i *)(lane_masks + 8 - n));
}

static inline vf vf_set1(float x) {
    return _mm256_set1_ps(x);
}
static inline vf vf_load(const float *p) {
    return _mm256_loadu_ps(p);
}
static inline void vf_store(float *p, vf x) {
    _mm256_storeu_ps(p, x);
}
static inline vf vf_load_n(const float *p, ptrdiff_t n) {
    return n == W ? vf_load(p) : _mm256_maskload_ps(p, first_lanes(n));
}
static inline void vf_store_n(float *p, vf x, ptrdiff_t n) {
    if (n == W) {
        vf_store(p, x);
    } else {
        _mm256_maskstore_ps(p, first_lanes(n), x);
    }
}
static inline vf vf_fma(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}
static inline vf vf_max(vf a, vf b) {
    return _mm256_max_ps(a, b);
}
static inline vf vf_min(vf a, vf b) {
    return _mm256_min_ps(a, b);
}
/// a < b ? x : y
static inline vf vf_if_less(vf a, vf b, vf x, vf y) {
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
static inline int vf_any_equal(vf a, vf b) {
    return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)) != 0;
}
static inline vf vf_load_bf16(const uint16_t *p) {
    __m256i x = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(x, 16));
}
static inline vf vf_load_f16(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
static inline vf vf_load_bf16_n(const uint16_t *p, ptrdiff_t n) {
    uint16_t copy[8] = {0};
    memcpy(copy, p, (size_t)n * sizeof *p);
    return vf_load_bf16(copy);
}
static inline vf vf_load_f16_n(const uint16_t *p, ptrdiff_t n) {
    uint16_t copy[8] = {0};
    memcpy(copy, p, (size_t)n * sizeof *p);
    return vf_load_f16(copy);
}

static inline vi vi_set1(int32_t x) {
    return (vi)_mm256_set1_epi32(x);
}
static inline vi vi_load(const void *p) {
    return (vi)_mm256_loadu_si256(p);
}
static inline void vi_store(void *p, vi x) {
    _mm256_storeu_si256(p, (__m256i)x);
}
static inline vi vi_max(vi a, vi b) {
    return (vi)_mm256_max_epi32((__m256i)a, (__m256i)b);
}
static inline vf vi_to_float(vi x) {
    return _mm256_cvtepi32_ps((__m256i)x);
}
/// Rounds to the nearest integer, ties to even, and stores W bytes.
static inline void vf_store_int8(int8_t *p, vf x) {
    __m256i wide = _mm256_cvtps_epi32(x);
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(half, half));
}

/// Rows become columns.
static inline __attribute__((always_inline)) void vf_transpose(vf r[8]) {
    vf t[8];
    CK_UNROLL
    for (int i = 0; i < 8; i += 4) {
        vf a = _mm256_unpacklo_ps(r[i], r[i + 1]), b = _mm256_unpackhi_ps(r[i], r[i + 1]);
        vf c = _mm256_unpacklo_ps(r[i + 2], r[i + 3]), d = _mm256_unpackhi_ps(r[i + 2], r[i + 3]);
        t[i] = _mm256_shuffle_ps(a, c, 0x44);
        t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    CK_UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
    }
}
