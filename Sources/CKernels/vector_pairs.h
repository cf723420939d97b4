// Products of bfloat16 pairs for attention, compiled for each vector unit that has them. Two values that follow one
// another in the sum travel as one float's worth of bytes, a "unit", so that `pack` of vector.h packs them too.
//
// The including file defines W, MR, NR as for vector.h, `dot_pairs(sum, x, w)`, `vf_to_pairs(first, second)` (lane i:
// bfloat16 of first[i], then of second[i]) and `vf_store_bf16_n`, both to nearest even, `vf_floor`, `vf_scale`, and the
// name CK_PAIR_OPS.

static void narrow(float *units, const float *x, ptrdiff_t count, float factor) {
    const vf scale = vf_set1(factor);
    for (ptrdiff_t i = 0; i < count; i += W) {
        const ptrdiff_t n = ck_min(W, count - i);
        // An odd one is followed by a zero.
        vf_store_bf16_n((uint16_t *)units + i, vf_load_n(x + i, n) * scale, ck_round_up(n, 2));
    }
}

static void pack_pairs(float *dst, const float *src, ptrdiff_t ld, ptrdiff_t columns, ptrdiff_t count) {
    const ptrdiff_t units = (count + 1) / 2;
    for (ptrdiff_t p = 0; p < units; p++) {
        const float *row = src + 2 * p * ld;
        const int single = 2 * p + 1 == count;
        for (ptrdiff_t i = 0; i < MR; i += W) {
            const ptrdiff_t n = ck_max(0, ck_min(ck_min(W, MR), columns - i));
            vf x = vf_to_pairs(vf_load_n(row + i, n), single ? vf_set1(0) : vf_load_n(row + ld + i, n));
            vf_store_n(dst + p * MR + i, x, ck_min(W, MR - i));
        }
    }
}

/// exp(x) within 8e-5 of itself for -87 <= x <= 0, an eighth of what rounding to bfloat16 takes; 0 below.
CK_INLINE vf exp_for_pairs(vf x) {
    const vf lowest = vf_set1(-87);
    vf t = vf_max(x, lowest) * vf_set1(1.44269504f);
    vf n = vf_floor(t), f = t - n;
    // 2^f for 0 <= f < 1, minimax for the relative error.
    vf y = vf_fma(f, vf_set1(0.07802429f), vf_set1(0.22606697f));
    y = vf_fma(f, y, vf_set1(0.69583388f));
    y = vf_fma(f, y, vf_set1(0.99992515f));
    return vf_if_less(x, lowest, vf_set1(0), vf_scale(y, n));
}

static void softmax_pairs(float *s, ptrdiff_t count, float *max, float *sum, float *factor) {
    for (int half = 0; half < NR; half += W) {
        vf old = vf_load(max + half), top = old, other = old;
        ptrdiff_t i = 0;
        for (; i + 2 <= count; i += 2) {
            top = vf_max(vf_load(s + i * NR + half), top);
            other = vf_max(vf_load(s + (i + 1) * NR + half), other);
        }
        if (i < count) {
            top = vf_max(vf_load(s + i * NR + half), top);
        }
        top = vf_max(other, top);
        vf total = vf_set1(0), rest = vf_set1(0);
        // Units of rows 2p and 2p + 1 are written where row p was, which has been read.
        for (i = 0; i + 2 <= count; i += 2) {
            vf first = exp_for_pairs(vf_load(s + i * NR + half) - top);
            vf second = exp_for_pairs(vf_load(s + (i + 1) * NR + half) - top);
            total = total + first;
            rest = rest + second;
            vf_store(s + i / 2 * NR + half, vf_to_pairs(first, second));
        }
        if (i < count) {
            vf first = exp_for_pairs(vf_load(s + i * NR + half) - top);
            total = total + first;
            vf_store(s + i / 2 * NR + half, vf_to_pairs(first, vf_set1(0)));
        }
        vf shrink = exp_for_pairs(old - top);
        vf_store(factor + half, shrink);
        vf_store(max + half, top);
        vf_store(sum + half, vf_fma(vf_load(sum + half), shrink, total + rest));
    }
}

#define CK_TILE tile_pairs
#define CK_TILE_STEP(sum, x, w) dot_pairs(sum, x, w)
#include "vector_tile.h"

const ck_pair_ops CK_PAIR_OPS = {
    .narrow = narrow,
    .pack_columns = pack_pairs,
    .softmax = softmax_pairs,
    .tile = tile_pairs,
};
