// Norms, activations and searches over rows. See vector.h.

/// Independent sums hide the latency of an addition.
enum { SUMS = 4 };

/// Sum of (x - centre), or of its square.
CK_INLINE float sum_of(const float *x, ptrdiff_t count, float centre, int squared) {
    const vf middle = vf_set1(centre);
    vf sum[SUMS];
    CK_UNROLL
    for (int j = 0; j < SUMS; j++) {
        sum[j] = vf_set1(0);
    }
    ptrdiff_t i = 0;
    for (; i + SUMS * W <= count; i += SUMS * W) {
        CK_UNROLL
        for (int j = 0; j < SUMS; j++) {
            vf d = vf_load(x + i + j * W) - middle;
            sum[j] = vf_fma(d, squared ? d : vf_set1(1), sum[j]);
        }
    }
    vf total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (; i + W <= count; i += W) {
        vf d = vf_load(x + i) - middle;
        total = vf_fma(d, squared ? d : vf_set1(1), total);
    }
    float rest = sum_lanes(total);
    for (; i < count; i++) {
        float d = x[i] - centre;
        rest += squared ? d * d : d;
    }
    return rest;
}

static void layer_norm(float *y, const float *x, const float *weight, const float *bias, float eps, ptrdiff_t columns) {
    float mean = sum_of(x, columns, 0, 0) / (float)columns;
    float variance = sum_of(x, columns, mean, 1) / (float)columns;
    const vf middle = vf_set1(mean), factor = vf_set1(1 / sqrtf(variance + eps));
    for (ptrdiff_t i = 0; i < columns; i += W) {
        ptrdiff_t n = ck_min(W, columns - i);
        vf value = (vf_load_n(x + i, n) - middle) * factor;
        vf_store_n(y + i, vf_fma(value, vf_load_n(weight + i, n), vf_load_n(bias + i, n)), n);
    }
}

static void rms_norm(float *y, const float *x, const float *weight, float eps, ptrdiff_t columns) {
    const vf factor = vf_set1(1 / sqrtf(sum_of(x, columns, 0, 1) / (float)columns + eps));
    for (ptrdiff_t i = 0; i < columns; i += W) {
        ptrdiff_t n = ck_min(W, columns - i);
        vf_store_n(y + i, vf_load_n(x + i, n) * factor * vf_load_n(weight + i, n), n);
    }
}

static void swiglu(float *gate, const float *up, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i += W) {
        ptrdiff_t n = ck_min(W, count - i);
        vf_store_n(gate + i, vf_silu(vf_load_n(gate + i, n)) * vf_load_n(up + i, n), n);
    }
}

static void add(float *x, const float *y, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i += W) {
        ptrdiff_t n = ck_min(W, count - i);
        vf_store_n(x + i, vf_load_n(x + i, n) + vf_load_n(y + i, n), n);
    }
}

static void rope(float *x, const float *cosines, const float *sines, ptrdiff_t half) {
    for (ptrdiff_t i = 0; i < half; i += W) {
        ptrdiff_t n = ck_min(W, half - i);
        vf c = vf_load_n(cosines + i, n), s = vf_load_n(sines + i, n);
        vf a = vf_load_n(x + i, n), b = vf_load_n(x + half + i, n);
        vf_store_n(x + i, a * c - b * s, n);
        vf_store_n(x + half + i, vf_fma(b, c, a * s), n);
    }
}

static float largest(const float *x, ptrdiff_t count) {
    vf top = vf_set1(-__builtin_inff());
    ptrdiff_t i = 0;
    for (; i + W <= count; i += W) {
        top = vf_max(vf_load(x + i), top);
    }
    float max = max_lanes(top);
    for (; i < count; i++) {
        max = x[i] > max ? x[i] : max;
    }
    return max;
}

static ptrdiff_t argmax(const float *x, ptrdiff_t count) {
    const float max = largest(x, count);
    const vf wanted = vf_set1(max);
    ptrdiff_t i = 0;
    while (i + W <= count && !vf_any_equal(vf_load(x + i), wanted)) {
        i += W;
    }
    while (i < count && x[i] != max) {
        i++;
    }
    // Nothing but NaN: all are equally small.
    return count == 0 ? -1 : i < count ? i : 0;
}

static double log_sum_exp(const float *x, ptrdiff_t count) {
    enum { BLOCK = 16 * W };
    const float max = largest(x, count);
    if (max == -__builtin_inff() || max == __builtin_inff()) {
        // No finite maximum to subtract. NaN among infinities still is NaN.
        double sum = 0;
        for (ptrdiff_t i = 0; i < count; i++) {
            sum += exp((double)x[i]);
        }
        return log(sum);
    }
    const vf top = vf_set1(max);
    double sum = 0;
    for (ptrdiff_t first = 0; first < count; first += BLOCK) {
        ptrdiff_t end = ck_min(count, first + BLOCK), i = first;
        vf total = vf_set1(0);
        for (; i + W <= end; i += W) {
            total = total + vf_exp(vf_load(x + i) - top);
        }
        sum += (double)sum_lanes(total);
        for (; i < end; i++) {
            sum += exp((double)x[i] - (double)max);
        }
    }
    return (double)max + log(sum);
}
