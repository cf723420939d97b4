// The integer products for NEON with dot products of bytes (FEAT_DotProd: ARMv8.4, and many of ARMv8.2).

#include "internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#include "target.h"
CK_TARGET_BEGIN("arch=armv8.2-a+dotprod")

#include "neon.h"
#include "neon_dotprod.h"

/// 12 x 32, in parts of 12 x 8: 24 sums, a step's three vectors of x and two of w in 29 of 32 registers, so that five loads
/// feed 24 products.
enum { QR = 12, PART = 8 };

/// Rows i ... i + 3 of x, whose units are the lanes of `x`, with the vector `w`.
CK_INLINE void add_rows(vi sum[QR][PART / W], int i, int v, int8x16_t x, int8x16_t w) {
    sum[i][v] = vdotq_laneq_s32(sum[i][v], w, x, 0);
    sum[i + 1][v] = vdotq_laneq_s32(sum[i + 1][v], w, x, 1);
    sum[i + 2][v] = vdotq_laneq_s32(sum[i + 2][v], w, x, 2);
    sum[i + 3][v] = vdotq_laneq_s32(sum[i + 3][v], w, x, 3);
}

static void tile_int8(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate) {
    for (int first = 0; first < CK_QUANT_PANEL; first += PART) {
        vi sum[QR][PART / W];
        CK_UNROLL
        for (int i = 0; i < QR; i++) {
            CK_UNROLL
            for (int v = 0; v < PART / W; v++) {
                sum[i][v] = accumulate ? vi_load(c + i * CK_QUANT_PANEL + first + v * W) : vi_set1(0);
            }
        }
        for (ptrdiff_t p = 0; p < count; p++) {
            CK_UNROLL
            for (int i = 0; i < QR; i += W) {
                int8x16_t x = vreinterpretq_s8_s32(vi_load(a + p * QR + i));
                CK_UNROLL
                for (int v = 0; v < PART / W; v++) {
                    int8x16_t w = vreinterpretq_s8_s32(vi_load(b + p * CK_QUANT_PANEL + first + v * W));
                    add_rows(sum, i, v, x, w);
                }
            }
        }
        CK_UNROLL
        for (int i = 0; i < QR; i++) {
            CK_UNROLL
            for (int v = 0; v < PART / W; v++) {
                vi_store(c + i * CK_QUANT_PANEL + first + v * W, sum[i][v]);
            }
        }
    }
}

#define CK_QUANT_OPS ck_quant_ops_neondotprod
#include "vector_quant.h"

CK_TARGET_END
#endif
