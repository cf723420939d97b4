// Quantised weights as plain loops: what tests compare with, and what runs when memory cannot be had.

#include "quant.h"

#include <math.h>
#include <string.h>

/// What is packed: w[n, k] of `type`, its columns multiplied by factors [k] where there are some.
typedef struct {
    const void *w;
    ck_type type;
    const float *factors;
    ptrdiff_t n, k;
} source;

static float weight(const source *s, ptrdiff_t row, ptrdiff_t column) {
    float value;
    ck_widen_scalar(&value, ck_at(s->w, s->type, row * s->k + column), s->type, 1);
    return s->factors == NULL ? value : value * s->factors[column];
}

static void pack_row_int8(void *packed, const source *s, ptrdiff_t row) {
    const ptrdiff_t n = s->n, k = s->k;
    float largest = 0, inverse;
    for (ptrdiff_t p = 0; p < k; p++) {
        float magnitude = fabsf(weight(s, row, p));
        largest = isnan(largest) || magnitude <= largest ? largest : magnitude;
    }
    ck_int8_scales(packed, n, k)[row] = ck_int8_scale(largest, &inverse);
    for (ptrdiff_t p = 0; p < k; p++) {
        int high;
        int8_t q = (int8_t)nearbyintf(weight(s, row, p) * inverse);
        ((int8_t *)packed)[ck_quant_offset(CK_INT8, k, row, p, &high)] = q;
        ck_int8_sums(packed, n, k)[row] += q;
    }
}

static void pack_group_int4(void *packed, const source *s, ptrdiff_t row, ptrdiff_t group) {
    const ptrdiff_t n = s->n, k = s->k;
    float values[CK_GROUP];
    int8_t q[CK_GROUP];
    const ptrdiff_t first = group * CK_GROUP;
    for (ptrdiff_t p = 0; p < CK_GROUP; p++) {
        values[p] = row < n && first + p < k ? weight(s, row, first + p) : 0;
    }
    uint16_t scale = ck_quantise_group(q, values);
    memcpy((char *)packed + ck_int4_scale_offset(k, row, group), &scale, sizeof scale);
    for (ptrdiff_t p = 0; p < CK_GROUP; p++) {
        int high;
        size_t offset = ck_quant_offset(CK_INT4, k, row, first + p, &high);
        ((uint8_t *)packed)[offset] |= (uint8_t)((q[p] + 8) << (high ? 4 : 0));
    }
}

void ck_pack_scalar(void *packed, ck_quant quant, const void *w, ck_type type, const float *factors, ptrdiff_t n,
                    ptrdiff_t k) {
    const source s = {w, type, factors, n, k};
    memset(packed, 0, ck_packed_size(quant, n, k));
    for (ptrdiff_t row = 0; row < n && quant == CK_INT8; row++) {
        pack_row_int8(packed, &s, row);
    }
    for (ptrdiff_t row = 0; row < ck_quant_panels(n) * CK_QUANT_PANEL && quant == CK_INT4; row++) {
        for (ptrdiff_t group = 0; group < ck_ceil_div(k, CK_GROUP); group++) {
            pack_group_int4(packed, &s, row, group);
        }
    }
}

/// A row of x and what it becomes: nothing is kept of the values but what a norm needs.
typedef struct {
    const float *x;
    const float *up;
    const ck_prologue *prologue;
    double centre, factor;
} prepared;

static prepared prepare(const float *x, ptrdiff_t k, const ck_prologue *prologue, ptrdiff_t row) {
    static const ck_prologue none = {0};
    prepared r = {.x = x, .prologue = prologue == NULL ? &none : prologue};
    if (r.prologue->kind == CK_SWIGLU) {
        r.up = r.prologue->up + row * r.prologue->ldup;
    }
    double squares = 0;
    for (ptrdiff_t p = 0; p < k && r.prologue->kind == CK_LAYER_NORM; p++) {
        r.centre += (double)x[p] / (double)k;
    }
    for (ptrdiff_t p = 0; p < k; p++) {
        squares += ((double)x[p] - r.centre) * ((double)x[p] - r.centre) / (double)k;
    }
    r.factor = 1 / sqrt(squares + (double)r.prologue->eps);
    return r;
}

static float value(const prepared *r, ptrdiff_t p) {
    const double x = (double)r->x[p];
    switch (r->prologue->kind) {
        case CK_LAYER_NORM:
            return (float)((x - r->centre) * r->factor * (double)r->prologue->weight[p] + (double)r->prologue->bias[p]);
        case CK_RMS_NORM: return (float)(x * r->factor * (double)r->prologue->weight[p]);
        case CK_SWIGLU: return (float)(x / (1 + exp(-x)) * (double)r->up[p]);
        default: return r->x[p];
    }
}

/// x · w over values that share a scale, `first` ..< `first + count`: an integer sum, then the scales.
static double scaled_sum(const prepared *x, const void *packed, ck_quant quant, ptrdiff_t n, ptrdiff_t k, ptrdiff_t row,
                         ptrdiff_t first, ptrdiff_t count) {
    float largest = 0, inverse;
    for (ptrdiff_t p = first; p < first + count; p++) {
        float magnitude = fabsf(value(x, p));
        largest = isnan(largest) || magnitude <= largest ? largest : magnitude;
    }
    const float x_scale = ck_int8_scale(largest, &inverse);
    double sum = 0;
    for (ptrdiff_t p = first; p < first + count; p++) {
        sum += (double)ck_quantised_weight(packed, quant, k, row, p) * (double)nearbyintf(value(x, p) * inverse);
    }
    return sum * (double)x_scale * (double)ck_quantised_scale(packed, quant, n, k, row, first);
}

void ck_linear_packed_scalar(float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *packed, ck_quant quant,
                             ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue,
                             const ck_prologue *prologue) {
    const ptrdiff_t shared = quant == CK_INT8 ? ck_max(1, k) : CK_GROUP;
    for (ptrdiff_t i = 0; i < m; i++) {
        const prepared row = prepare(x + i * ldx, k, prologue, i);
        for (ptrdiff_t j = 0; j < n; j++) {
            double t = 0;
            for (ptrdiff_t first = 0; first < k; first += shared) {
                t += scaled_sum(&row, packed, quant, n, k, j, first, ck_min(shared, k - first));
            }
            ck_finish_scalar(&y[i * ldy + j], t, j, epilogue);
        }
    }
}
