// Quantising and packing weights. The layout stands in quant.h.

#include "quant.h"

#include <string.h>

size_t ck_packed_size(ck_quant quant, ptrdiff_t n, ptrdiff_t k) {
    size_t panels = (size_t)ck_quant_panels(n), bytes = panels * ck_quant_panel_bytes(quant, k);
    return quant == CK_INT8 ? bytes + panels * CK_QUANT_PANEL * (sizeof(float) + sizeof(int32_t)) : bytes;
}

static float bfloat16(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/// The nearest bfloat16, ties to even.
static uint16_t to_bfloat16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

uint16_t ck_quantise_group(int8_t q[CK_GROUP], const float w[CK_GROUP]) {
    float least = 0, most = 0;
    for (int i = 0; i < CK_GROUP; i++) {
        least = w[i] < least ? w[i] : least;
        most = w[i] > most ? w[i] : most;
    }
    // -8 stands for the extreme of larger magnitude: one step more than the other side has.
    float extreme = -least >= most ? least : most;
    uint16_t bits = to_bfloat16(extreme / -8);
    float scale = bfloat16(bits);
    if (!(scale > 1e-30f || scale < -1e-30f) || scale - scale != 0) {
        memset(q, 0, CK_GROUP);
        return 0;
    }
    const float inverse = 1 / scale, round = 0x1.8p23f;
    for (int i = 0; i < CK_GROUP; i++) {
        // Adding 1.5 * 2^23 rounds to an integer; in two statements, so that no compiler fuses them.
        float value = w[i] * inverse;
        value = value < -8 ? -8 : value > 7 ? 7 : value;
        float shifted = value + round;
        q[i] = (int8_t)(shifted - round);
    }
    return bits;
}

typedef struct {
    const ck_ops *ops;
    const ck_quant_ops *quant_ops;
    char *packed;
    ck_quant quant;
    const void *w;
    ck_type type;
    const float *factors;  // [k] or NULL
    ptrdiff_t n, k, units;
    char *scratch;
    size_t thread_bytes;
} packing;

/// Row `i` of w as float32, its columns multiplied where there are factors.
static void read_row(const packing *p, float *row, ptrdiff_t i) {
    p->ops->widen(row, ck_at(p->w, p->type, i * p->k), p->type, p->k);
    for (ptrdiff_t j = 0; p->factors != NULL && j < p->k; j++) {
        row[j] *= p->factors[j];
    }
}

static void pack_int8(const packing *p, ptrdiff_t panel, int8_t *rows, float *row) {
    const ptrdiff_t first = panel * CK_QUANT_PANEL, count = ck_min(CK_QUANT_PANEL, p->n - first);
    float *scales = ck_int8_scales(p->packed, p->n, p->k) + first;
    int32_t *sums = ck_int8_sums(p->packed, p->n, p->k) + first;
    memset(rows, 0, (size_t)p->units * 4 * CK_QUANT_PANEL);
    for (ptrdiff_t i = 0; i < CK_QUANT_PANEL; i++) {
        scales[i] = 0;
        sums[i] = 0;
        if (i >= count) {
            continue;
        }
        int8_t *q = rows + i * p->units * 4;
        float inverse;
        read_row(p, row, first + i);
        scales[i] = ck_int8_scale(p->quant_ops->largest_magnitude(row, p->k), &inverse);
        p->quant_ops->quantise(q, row, p->k, inverse);
        for (ptrdiff_t j = 0; j < p->k; j++) {
            sums[i] += q[j];
        }
    }
    p->ops->pack((float *)(p->packed + (size_t)panel * ck_quant_panel_bytes(CK_INT8, p->k)), CK_QUANT_PANEL, rows,
                 CK_F32, p->units, CK_QUANT_PANEL, p->units);
}

static void pack_int4(const packing *p, ptrdiff_t panel, float *row) {
    char *out = p->packed + (size_t)panel * ck_quant_panel_bytes(CK_INT4, p->k);
    const ptrdiff_t groups = ck_ceil_div(p->k, CK_GROUP);
    memset(row, 0, (size_t)(groups * CK_GROUP) * sizeof *row);
    for (ptrdiff_t lane = 0; lane < CK_QUANT_PANEL; lane++) {
        const ptrdiff_t i = panel * CK_QUANT_PANEL + lane;
        if (i < p->n) {
            read_row(p, row, i);
        } else {
            memset(row, 0, (size_t)p->k * sizeof *row);
        }
        for (ptrdiff_t group = 0; group < groups; group++) {
            int8_t q[CK_GROUP];
            uint16_t scale = ck_quantise_group(q, row + group * CK_GROUP);
            uint8_t *block = (uint8_t *)out + group * CK_INT4_BLOCK;
            for (int j = 0; j < CK_GROUP / 2; j++) {
                block[(j / 4 * CK_QUANT_PANEL + lane) * 4 + j % 4] =
                    (uint8_t)((q[j] + 8) | (q[j + CK_GROUP / 2] + 8) << 4);
            }
            memcpy(block + CK_INT4_BLOCK - 2 * CK_QUANT_PANEL + 2 * lane, &scale, sizeof scale);
        }
    }
}

static void pack_task(void *context, ptrdiff_t panel, int thread) {
    const packing *p = context;
    char *scratch = p->scratch + (size_t)thread * p->thread_bytes;
    if (p->quant == CK_INT8) {
        pack_int8(p, panel, (int8_t *)scratch, (float *)(scratch + p->units * 4 * CK_QUANT_PANEL));
    } else {
        pack_int4(p, panel, (float *)scratch);
    }
}

void ck_pack(ck_pool *pool, void *packed, ck_quant quant, const void *w, ck_type type, const float *factors,
             ptrdiff_t n, ptrdiff_t k) {
    packing p = {
        .ops = ck_pool_ops(pool),
        .quant_ops = ck_pool_quant_ops(pool),
        .packed = packed,
        .quant = quant,
        .w = w,
        .type = type,
        .factors = factors,
        .n = n,
        .k = k,
        .units = ck_quant_units(quant, k),
    };
    p.thread_bytes = (size_t)ck_round_up(p.units * 4 * (CK_QUANT_PANEL + (ptrdiff_t)sizeof(float)), 64);
    p.scratch = ck_pool_scratch(pool, (size_t)ck_pool_threads(pool) * p.thread_bytes);
    if (p.scratch == NULL) {
        ck_pack_scalar(packed, quant, w, type, factors, n, k);
        return;
    }
    ck_run_tasks(pool, ck_quant_panels(n), pack_task, &p);
}

int ck_quantised_weight(const void *packed, ck_quant quant, ptrdiff_t k, ptrdiff_t row, ptrdiff_t p) {
    int high;
    uint8_t byte = ((const uint8_t *)packed)[ck_quant_offset(quant, k, row, p, &high)];
    return quant == CK_INT8 ? (int8_t)byte : (high ? byte >> 4 : byte & 15) - 8;
}

float ck_quantised_scale(const void *packed, ck_quant quant, ptrdiff_t n, ptrdiff_t k, ptrdiff_t row, ptrdiff_t p) {
    if (quant == CK_INT8) {
        return ck_int8_scales(packed, n, k)[row];
    }
    uint16_t bits;
    memcpy(&bits, (const char *)packed + ck_int4_scale_offset(k, row, p / CK_GROUP), sizeof bits);
    return bfloat16(bits);
}

void ck_unpack_row(float *y, const void *packed, ck_quant quant, ptrdiff_t n, ptrdiff_t k, ptrdiff_t row) {
    for (ptrdiff_t p = 0; p < k; p++) {
        y[p] = (float)ck_quantised_weight(packed, quant, k, row, p) * ck_quantised_scale(packed, quant, n, k, row, p);
    }
}
