// Vectors of 4 lanes for NEON, as every 64-bit ARM processor has it. The including file has a CK_TARGET_BEGIN around this
// where it wants more.

typedef float32x4_t vf;
typedef int32x4_t vi;
/// 12 x 8: 24 of 32 registers are accumulators; two of b and some of a fit beside them.
enum { W = 4, MR = 12, NR = 8 };

static inline vf vf_set1(float x) {
    return vdupq_n_f32(x);
}
static inline vf vf_load(const float *p) {
    return vld1q_f32(p);
}
static inline void vf_store(float *p, vf x) {
    vst1q_f32(p, x);
}
static inline vf vf_load_n(const float *p, ptrdiff_t n) {
    if (n == W) {
        return vf_load(p);
    }
    float copy[W] = {0};
    for (ptrdiff_t i = 0; i < n; i++) {
        copy[i] = p[i];
    }
    return vf_load(copy);
}
static inline void vf_store_n(float *p, vf x, ptrdiff_t n) {
    if (n == W) {
        vf_store(p, x);
        return;
    }
    float copy[W];
    vf_store(copy, x);
    for (ptrdiff_t i = 0; i < n; i++) {
        p[i] = copy[i];
    }
}
static inline vf vf_fma(vf a, vf b, vf c) {
    return vfmaq_f32(c, a, b);
}
/// The second operand where one is not a number, as on x86.
static inline vf vf_max(vf a, vf b) {
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}
static inline vf vf_min(vf a, vf b) {
    return vbslq_f32(vcltq_f32(a, b), a, b);
}
/// a < b ? x : y
static inline vf vf_if_less(vf a, vf b, vf x, vf y) {
    return vbslq_f32(vcltq_f32(a, b), x, y);
}
static inline int vf_any_equal(vf a, vf b) {
    return vmaxvq_u32(vceqq_f32(a, b)) != 0;
}
static inline vf vf_load_bf16(const uint16_t *p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}
static inline vf vf_load_f16(const uint16_t *p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
static inline vf vf_load_bf16_n(const uint16_t *p, ptrdiff_t n) {
    uint16_t copy[W] = {0};
    memcpy(copy, p, (size_t)n * sizeof *p);
    return vf_load_bf16(copy);
}
static inline vf vf_load_f16_n(const uint16_t *p, ptrdiff_t n) {
    uint16_t copy[W] = {0};
    memcpy(copy, p, (size_t)n * sizeof *p);
    return vf_load_f16(copy);
}

static inline vi vi_set1(int32_t x) {
    return vdupq_n_s32(x);
}
static inline vi vi_load(const void *p) {
    vi x;
    memcpy(&x, p, sizeof x);
    return x;
}
static inline void vi_store(void *p, vi x) {
    memcpy(p, &x, sizeof x);
}
static inline vi vi_max(vi a, vi b) {
    return vmaxq_s32(a, b);
}
static inline vf vi_to_float(vi x) {
    return vcvtq_f32_s32(x);
}
/// Rounds to the nearest integer, ties to even, and stores W bytes.
static inline void vf_store_int8(int8_t *p, vf x) {
    int16x4_t half = vqmovn_s32(vcvtnq_s32_f32(x));
    int8x8_t bytes = vqmovn_s16(vcombine_s16(half, half));
    memcpy(p, &bytes, W);
}

/// Rows become columns.
static inline void vf_transpose(vf r[4]) {
    float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(r[0], r[1])), b = vreinterpretq_f64_f32(vtrn2q_f32(r[0], r[1]));
    float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(r[2], r[3])), d = vreinterpretq_f64_f32(vtrn2q_f32(r[2], r[3]));
    r[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
    r[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
    r[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
    r[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}
