// The vector code for NEON without extensions.

#include "internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <math.h>
#include <string.h>

#include "target.h"
// Nothing beyond what every 64-bit ARM processor has, so no CK_TARGET_BEGIN.
#include "neon.h"

/// 2 x 32: sixteen sums, the eight vectors of a step of w, and the parts of an exact product.
enum { QR = 2, GROUP_ROWS = 1, SEGMENTS = 1, X_OFFSET = 0 };

/// sum + products of four bytes in each lane, both signed, none -128. The 16-bit sums of two cannot overflow.
static inline vi dot_signed(vi sum, vi x, vi w) {
    int8x16_t a = vreinterpretq_s8_s32(x), b = vreinterpretq_s8_s32(w);
    int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b)), high = vmull_high_s8(a, b);
    return vpadalq_s16(sum, vpaddq_s16(low, high));
}

static inline vi dot_nibbles(vi sum, vi w, vi x) {
    return dot_signed(sum, x, w);
}

#define CK_OPS ck_ops_neon
#include "vector.h"

#define CK_QUANT_OPS ck_quant_ops_neon
#include "vector_quant.h"
#endif
