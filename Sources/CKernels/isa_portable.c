// The vector code in plain C with the compilers' vector types: 4 lanes, what SSE2 and the like have.

#include "internal.h"
#include "target.h"

#include <math.h>
#include <string.h>

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
enum { W = 4, MR = 4, NR = 8 };

static inline vf vf_set1(float x) {
    return (vf){x, x, x, x};
}
static inline vi vi_set1(int x) {
    return (vi){x, x, x, x};
}
static inline vf vf_load(const float *p) {
    vf x;
    memcpy(&x, p, sizeof x);
    return x;
}
static inline void vf_store(float *p, vf x) {
    memcpy(p, &x, sizeof x);
}
static inline vf vf_load_n(const float *p, ptrdiff_t n) {
    vf x = {0};
    memcpy(&x, p, n == W ? sizeof x : (size_t)n * sizeof *p);
    return x;
}
static inline void vf_store_n(float *p, vf x, ptrdiff_t n) {
    memcpy(p, &x, n == W ? sizeof x : (size_t)n * sizeof *p);
}
/// One instruction where there is one: the compiler may contract the expression.
static inline vf vf_fma(vf a, vf b, vf c) {
    return a * b + c;
}
static inline vf vf_select(vi mask, vf x, vf y) {
    return (vf)(((vi)x & mask) | ((vi)y & ~mask));
}
/// The second operand where one is not a number, as on x86.
static inline vf vf_max(vf a, vf b) {
    return vf_select(a > b, a, b);
}
static inline vf vf_min(vf a, vf b) {
    return vf_select(a < b, a, b);
}
/// a < b ? x : y
static inline vf vf_if_less(vf a, vf b, vf x, vf y) {
    return vf_select(a < b, x, y);
}
static inline int vf_any_equal(vf a, vf b) {
    vi equal = a == b;
    return (equal[0] | equal[1] | equal[2] | equal[3]) != 0;
}
static inline vf vf_load_bf16(const uint16_t *p) {
    uint16_t x[4];
    memcpy(x, p, sizeof x);
    vi bits = {x[0], x[1], x[2], x[3]};
    return (vf)(bits << 16);
}
static inline vf vf_load_f16(const uint16_t *p) {
    uint16_t x[4];
    memcpy(x, p, sizeof x);
    vi bits = {x[0], x[1], x[2], x[3]};
    vi sign = (bits & 0x8000) << 16;
    vi magnitude = bits & 0x7fff;
    // A normal number's exponent moves from bias 15 to 127 by a multiplication, which also normalises subnormals.
    vf value = (vf)(magnitude << 13) * vf_set1(0x1p112f);
    vi special = (magnitude << 13) | 0x7f800000;
    vi is_special = magnitude >= vi_set1(0x7c00);
    return (vf)((vi)vf_select(is_special, (vf)special, value) | sign);
}
static inline vf vf_load_bf16_n(const uint16_t *p, ptrdiff_t n) {
    uint16_t copy[4] = {0};
    memcpy(copy, p, (size_t)n * sizeof *p);
    return vf_load_bf16(copy);
}
static inline vf vf_load_f16_n(const uint16_t *p, ptrdiff_t n) {
    uint16_t copy[4] = {0};
    memcpy(copy, p, (size_t)n * sizeof *p);
    return vf_load_f16(copy);
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
    vi greater = a > b;
    return (a & greater) | (b & ~greater);
}
static inline vf vi_to_float(vi x) {
    return (vf){(float)x[0], (float)x[1], (float)x[2], (float)x[3]};
}
/// Rounds to the nearest integer, ties to even, and stores W bytes.
static inline void vf_store_int8(int8_t *p, vf x) {
    for (int i = 0; i < W; i++) {
        // Not a number becomes 0 here; its row's scale is not a number either.
        float rounded = nearbyintf(x[i]);
        p[i] = rounded >= -127 && rounded <= 127 ? (int8_t)rounded : 0;
    }
}

/// Rows become columns.
static inline void vf_transpose(vf r[4]) {
    vf a = r[0], b = r[1], c = r[2], d = r[3];
    r[0] = (vf){a[0], b[0], c[0], d[0]};
    r[1] = (vf){a[1], b[1], c[1], d[1]};
    r[2] = (vf){a[2], b[2], c[2], d[2]};
    r[3] = (vf){a[3], b[3], c[3], d[3]};
}

enum { QR = 2, GROUP_ROWS = 1, SEGMENTS = 1, X_OFFSET = 0 };

/// sum + products of four bytes in each lane, both signed.
static inline vi dot_signed(vi sum, vi x, vi w) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        sum += ((x << shift) >> 24) * ((w << shift) >> 24);
    }
    return sum;
}

static inline vi dot_nibbles(vi sum, vi w, vi x) {
    return dot_signed(sum, x, w);
}

#define CK_OPS ck_ops_portable
#include "vector.h"

#define CK_QUANT_OPS ck_quant_ops_portable
#include "vector_quant.h"
