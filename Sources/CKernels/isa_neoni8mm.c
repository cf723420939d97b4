// The integer products for NEON with products of byte matrices (FEAT_I8MM: ARMv8.6, and some of ARMv8.2). Few rows of x
// go by dot products, as without it: they wait for memory.

#include "internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#include "target.h"
CK_TARGET_BEGIN("arch=armv8.2-a+dotprod+i8mm")

#include "neon.h"
#include "neon_dotprod.h"

/// 8 x 32, in parts of 8 x 8: sixteen sums of 2 x 2.
enum { QR = 8, PAIRS = QR / 2, PART = 8 };

/// One instruction multiplies eight bytes of two rows by eight bytes of two columns. Panels have four bytes of each row
/// beside each other, so two steps are interleaved on the way.
CK_INLINE void interleave(int8x16_t *pairs, vi one, vi other) {
    pairs[0] = vreinterpretq_s8_s32(vzip1q_s32(one, other));
    pairs[1] = vreinterpretq_s8_s32(vzip2q_s32(one, other));
}

/// Steps p and, where `both`, p + 1.
CK_INLINE void add_steps(vi sum[PAIRS][PART / 2], const float *a, const float *b, int both) {
    int8x16_t x[PAIRS], w[PART / 2];
    CK_UNROLL
    for (int i = 0; i < QR; i += W) {
        interleave(x + i / 2, vi_load(a + i), both ? vi_load(a + QR + i) : vi_set1(0));
    }
    CK_UNROLL
    for (int j = 0; j < PART; j += W) {
        interleave(w + j / 2, vi_load(b + j), both ? vi_load(b + CK_QUANT_PANEL + j) : vi_set1(0));
    }
    CK_UNROLL
    for (int i = 0; i < PAIRS; i++) {
        CK_UNROLL
        for (int j = 0; j < PART / 2; j++) {
            sum[i][j] = vmmlaq_s32(sum[i][j], x[i], w[j]);
        }
    }
}

static void tile_int8(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate) {
    for (int first = 0; first < CK_QUANT_PANEL; first += PART) {
        vi sum[PAIRS][PART / 2];
        CK_UNROLL
        for (int i = 0; i < PAIRS; i++) {
            CK_UNROLL
            for (int j = 0; j < PART / 2; j += 2) {
                const float *upper = c + 2 * i * CK_QUANT_PANEL + first + 2 * j, *lower = upper + CK_QUANT_PANEL;
                int64x2_t above = vreinterpretq_s64_s32(accumulate ? vi_load(upper) : vi_set1(0));
                int64x2_t below = vreinterpretq_s64_s32(accumulate ? vi_load(lower) : vi_set1(0));
                sum[i][j] = vreinterpretq_s32_s64(vzip1q_s64(above, below));
                sum[i][j + 1] = vreinterpretq_s32_s64(vzip2q_s64(above, below));
            }
        }
        ptrdiff_t p = 0;
        for (; p + 2 <= count; p += 2) {
            add_steps(sum, a + p * QR, b + p * CK_QUANT_PANEL + first, 1);
        }
        if (p < count) {
            add_steps(sum, a + p * QR, b + p * CK_QUANT_PANEL + first, 0);
        }
        CK_UNROLL
        for (int i = 0; i < PAIRS; i++) {
            CK_UNROLL
            for (int j = 0; j < PART / 2; j += 2) {
                float *upper = c + 2 * i * CK_QUANT_PANEL + first + 2 * j, *lower = upper + CK_QUANT_PANEL;
                int64x2_t left = vreinterpretq_s64_s32(sum[i][j]), right = vreinterpretq_s64_s32(sum[i][j + 1]);
                vi_store(upper, vreinterpretq_s32_s64(vzip1q_s64(left, right)));
                vi_store(lower, vreinterpretq_s32_s64(vzip2q_s64(left, right)));
            }
        }
    }
}

#define CK_QUANT_OPS ck_quant_ops_neoni8mm
#include "vector_quant.h"

CK_TARGET_END
#endif
