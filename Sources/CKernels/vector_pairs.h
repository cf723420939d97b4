// Products of bfloat16 pairs for attention, compiled for each vector unit that has them. Two values that follow one
// another in the sum travel as one float's worth of bytes, a "unit", so that `pack` of vector.h packs them too.
//
// The including file defines W, MR, NR as for vector.h, the function `dot_pairs(sum, x, w)`, `vf_to_pairs(first, second)`
// (lane i: bfloat16 of first[i], then of second[i]), `vf_store_bf16_n`, both to nearest even, and the name CK_PAIR_OPS.

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

static void pair_rows(float *s, ptrdiff_t count) {
    // A unit of rows 2p and 2p + 1 is written where row p was, which has been read.
    for (ptrdiff_t p = 0; p < (count + 1) / 2; p++) {
        const int single = 2 * p + 1 == count;
        const float *row = s + 2 * p * NR;
        vf low = vf_to_pairs(vf_load(row), single ? vf_set1(0) : vf_load(row + NR));
        vf high = vf_to_pairs(vf_load(row + W), single ? vf_set1(0) : vf_load(row + NR + W));
        vf_store(s + p * NR, low);
        vf_store(s + p * NR + W, high);
    }
}

static void tile_pairs(ptrdiff_t units, const float *a, const float *b, float *c, int accumulate) {
    vf low[MR], high[MR];
    CK_UNROLL
    for (int i = 0; i < MR; i++) {
        low[i] = accumulate ? vf_load(c + i * NR) : vf_set1(0);
        high[i] = accumulate ? vf_load(c + i * NR + W) : vf_set1(0);
    }
    for (ptrdiff_t p = 0; p < units; p++) {
        vf b_low = vf_load(b), b_high = vf_load(b + W);
        CK_UNROLL
        for (int i = 0; i < MR; i++) {
            vf x = vf_set1(a[i]);
            low[i] = dot_pairs(low[i], x, b_low);
            high[i] = dot_pairs(high[i], x, b_high);
        }
        a += MR;
        b += NR;
    }
    CK_UNROLL
    for (int i = 0; i < MR; i++) {
        vf_store(c + i * NR, low[i]);
        vf_store(c + i * NR + W, high[i]);
    }
}

const ck_pair_ops CK_PAIR_OPS = {
    .narrow = narrow,
    .pack_columns = pack_pairs,
    .pair_rows = pair_rows,
    .tile = tile_pairs,
};
