// What happens to a block of scores between the two products of attention. See vector.h and attention.c.

static void softmax(float *s, ptrdiff_t count, float *max, float *sum, float *factor) {
    for (int half = 0; half < NR; half += W) {
        vf old = vf_load(max + half), top = old;
        for (ptrdiff_t i = 0; i < count; i++) {
            top = vf_max(vf_load(s + i * NR + half), top);
        }
        vf total = vf_set1(0);
        for (ptrdiff_t i = 0; i < count; i++) {
            vf weight = vf_exp(vf_load(s + i * NR + half) - top);
            vf_store(s + i * NR + half, weight);
            total = total + weight;
        }
        vf shrink = vf_exp(old - top);
        vf_store(factor + half, shrink);
        vf_store(max + half, top);
        vf_store(sum + half, vf_fma(vf_load(sum + half), shrink, total));
    }
}

static void scale_lanes(float *x, ptrdiff_t rows, const float *factor) {
    vf low = vf_load(factor), high = vf_load(factor + W);
    for (ptrdiff_t i = 0; i < rows; i++) {
        vf_store(x + i * NR, vf_load(x + i * NR) * low);
        vf_store(x + i * NR + W, vf_load(x + i * NR + W) * high);
    }
}

static void mask_causal(float *s, ptrdiff_t count, ptrdiff_t first, const float *position) {
    const vf hidden = vf_set1(-__builtin_inff());
    vf low = vf_load(position), high = vf_load(position + W);
    for (ptrdiff_t i = 0; i < count; i++) {
        vf key = vf_set1((float)(first + i));
        vf_store(s + i * NR, vf_if_less(low, key, hidden, vf_load(s + i * NR)));
        vf_store(s + i * NR + W, vf_if_less(high, key, hidden, vf_load(s + i * NR + W)));
    }
}
