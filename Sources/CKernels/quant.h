// How quantised matrices lie in memory. Both kinds are cut into panels of 32 rows, one after the other, so that a panel
// is one stream whether few rows of x go by it or many; rows past n and values past k are zeros.
//
// int8: w = q scale[row], q in -127 ... 127. Panels of [k / 4][32 rows][4 bytes], then scales [rows] as float32, then the
// sums of each row's q as int32.
//
// int4: w = q scale[row][group of 32], q in -8 ... 7. Panels of [k / 32] blocks of 576 bytes: [4][32 rows][4 bytes], whose
// low nibbles are q + 8 of the first 16 values of the group and whose high nibbles are those of the other 16; then the 32
// rows' scales as bfloat16.
#pragma once

#include "internal.h"

static inline ptrdiff_t ck_quant_panels(ptrdiff_t n) {
    return ck_ceil_div(n, CK_QUANT_PANEL);
}

/// Units along k, whole groups for int4.
static inline ptrdiff_t ck_quant_units(ck_quant quant, ptrdiff_t k) {
    return quant == CK_INT8 ? ck_ceil_div(k, 4) : ck_ceil_div(k, CK_GROUP) * (CK_GROUP / 4);
}

static inline size_t ck_quant_panel_bytes(ck_quant quant, ptrdiff_t k) {
    return quant == CK_INT8 ? (size_t)ck_quant_units(quant, k) * 4 * CK_QUANT_PANEL
                            : (size_t)ck_ceil_div(k, CK_GROUP) * CK_INT4_BLOCK;
}

static inline float *ck_int8_scales(const void *packed, ptrdiff_t n, ptrdiff_t k) {
    return (float *)((char *)(uintptr_t)packed + (size_t)ck_quant_panels(n) * ck_quant_panel_bytes(CK_INT8, k));
}

static inline int32_t *ck_int8_sums(const void *packed, ptrdiff_t n, ptrdiff_t k) {
    return (int32_t *)(ck_int8_scales(packed, n, k) + ck_quant_panels(n) * CK_QUANT_PANEL);
}

/// Where value `p` of row `row` lies: for int4 the byte, whose high nibble it is if `*high`.
static inline size_t ck_quant_offset(ck_quant quant, ptrdiff_t k, ptrdiff_t row, ptrdiff_t p, int *high) {
    size_t panel = (size_t)(row / CK_QUANT_PANEL) * ck_quant_panel_bytes(quant, k);
    ptrdiff_t lane = row % CK_QUANT_PANEL;
    if (quant == CK_INT8) {
        *high = 0;
        return panel + (size_t)((p / 4 * CK_QUANT_PANEL + lane) * 4 + p % 4);
    }
    ptrdiff_t group = p / CK_GROUP, within = p % CK_GROUP;
    *high = within >= CK_GROUP / 2;
    within %= CK_GROUP / 2;
    return panel + (size_t)(group * CK_INT4_BLOCK + (within / 4 * CK_QUANT_PANEL + lane) * 4 + within % 4);
}

/// Where an int4 group's scale lies.
static inline size_t ck_int4_scale_offset(ptrdiff_t k, ptrdiff_t row, ptrdiff_t group) {
    return (size_t)(row / CK_QUANT_PANEL) * ck_quant_panel_bytes(CK_INT4, k) +
           (size_t)(group * CK_INT4_BLOCK + CK_INT4_BLOCK - 2 * CK_QUANT_PANEL + row % CK_QUANT_PANEL * 2);
}

/// The scale of values up to `largest` as int8, and its inverse; both 0 where all is zero, so small that it might as well
/// be, and NaN where that is among the values.
static inline float ck_int8_scale(float largest, float *inverse) {
    if (largest < 1e-30f) {
        *inverse = 0;
        return 0;
    }
    *inverse = 127 / largest;
    return largest / 127;
}

/// q of value `p` of row `row`.
int ck_quantised_weight(const void *packed, ck_quant quant, ptrdiff_t k, ptrdiff_t row, ptrdiff_t p);
/// The scale that goes with it.
float ck_quantised_scale(const void *packed, ck_quant quant, ptrdiff_t n, ptrdiff_t k, ptrdiff_t row, ptrdiff_t p);

/// Quantises one group of 32 weights: q in -8 ... 7; the scale is returned as bfloat16 bits.
uint16_t ck_quantise_group(int8_t q[CK_GROUP], const float w[CK_GROUP]);
