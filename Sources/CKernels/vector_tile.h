// c[MR][NR] (+)= sum over p < count of a[p][MR] · b[p][NR], in registers. The including file defines the function's name
// CK_TILE, and CK_TILE_STEP(sum, x, w), which adds what one p gives to W lanes.

static void CK_TILE(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate) {
    vf low[MR], high[MR];
    CK_UNROLL
    for (int i = 0; i < MR; i++) {
        low[i] = accumulate ? vf_load(c + i * NR) : vf_set1(0);
        high[i] = accumulate ? vf_load(c + i * NR + W) : vf_set1(0);
    }
    for (ptrdiff_t p = 0; p < count; p++) {
        vf b_low = vf_load(b), b_high = vf_load(b + W);
        CK_UNROLL
        for (int i = 0; i < MR; i++) {
            vf x = vf_set1(a[i]);
            low[i] = CK_TILE_STEP(low[i], x, b_low);
            high[i] = CK_TILE_STEP(high[i], x, b_high);
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

#undef CK_TILE
#undef CK_TILE_STEP
