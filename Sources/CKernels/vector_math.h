// Loads by type, sums across lanes, and the functions that norms and activations need. See vector.h.

CK_INLINE vf load_as(const void *x, ck_type type, ptrdiff_t index) {
    const void *p = ck_at(x, type, index);
    return type == CK_F32 ? vf_load(p) : type == CK_BF16 ? vf_load_bf16(p) : vf_load_f16(p);
}

CK_INLINE vf load_as_n(const void *x, ck_type type, ptrdiff_t index, ptrdiff_t n) {
    const void *p = ck_at(x, type, index);
    return type == CK_F32 ? vf_load_n(p, n) : type == CK_BF16 ? vf_load_bf16_n(p, n) : vf_load_f16_n(p, n);
}

/// By halves: the order is part of the result.
CK_INLINE float sum_lanes(vf x) {
    float lane[W];
    vf_store(lane, x);
    for (int half = W / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            lane[i] += lane[i + half];
        }
    }
    return lane[0];
}

CK_INLINE float max_lanes(vf x) {
    float lane[W];
    vf_store(lane, x);
    float max = lane[0];
    for (int i = 1; i < W; i++) {
        max = lane[i] > max ? lane[i] : max;
    }
    return max;
}

/// exp(x) within 2 ulp for x in -87.3 ... 88.3; 0 below, exp(88.3) above, NaN stays.
CK_INLINE vf vf_exp(vf x) {
    const vf lowest = vf_set1(-87.3f), round = vf_set1(0x1.8p23f);
    vf clamped = vf_max(lowest, vf_min(vf_set1(88.3f), x));
    // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    vf shifted = vf_fma(clamped, vf_set1(1.44269504f), round);
    vf n = shifted - round;
    // ln 2 in two parts; the first has so few bits that its products are exact.
    vf r = vf_fma(n, vf_set1(-0.693359375f), clamped);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    // 1 + r + r^2 q(r), minimax to 3e-9.
    vf q = vf_fma(r, vf_set1(1.381432036e-3f), vf_set1(8.368851085e-3f));
    q = vf_fma(r, q, vf_set1(4.166840109e-2f));
    q = vf_fma(r, q, vf_set1(1.666651952e-1f));
    q = vf_fma(r, q, vf_set1(4.999999337e-1f));
    vf y = vf_fma(r * r, q, r) + vf_set1(1);
    vi power = ((vi)shifted << 23) + (vi)vf_set1(1);
    y = y * (vf)power;
    return vf_if_less(x, lowest, vf_set1(0), y);
}

/// x Phi(x), Phi the normal distribution: the GELU without the tanh approximation.
CK_INLINE vf vf_gelu(vf x) {
    vf t = vf_max(x, vf_set1(0) - x);
    // 2 Phi(-t) = exp(t q(t)), minimax to 2e-8 for t <= 6; beyond, q(6) lets it decay fast enough.
    vf s = vf_min(t, vf_set1(6));
    vf q = vf_fma(s, vf_set1(1.218033715e-7f), vf_set1(-3.003748405e-6f));
    q = vf_fma(s, q, vf_set1(2.929244214e-5f));
    q = vf_fma(s, q, vf_set1(-1.234278716e-4f));
    q = vf_fma(s, q, vf_set1(-1.230040419e-4f));
    q = vf_fma(s, q, vf_set1(4.939047699e-3f));
    q = vf_fma(s, q, vf_set1(-3.641691758e-2f));
    q = vf_fma(s, q, vf_set1(-3.182903772e-1f));
    q = vf_fma(s, q, vf_set1(-7.978860898e-1f));
    vf tail = vf_set1(0.5f) * vf_exp(t * q);
    return x * vf_if_less(x, vf_set1(0), tail, vf_set1(1) - tail);
}

/// x / (1 + exp(-x))
CK_INLINE vf vf_silu(vf x) {
    return x / (vf_set1(1) + vf_exp(vf_set1(0) - x));
}
