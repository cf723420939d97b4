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

static float softmax_row(float *s, ptrdiff_t count, float *max, float *sum) {
    const float old = *max, found = largest(s, count), top = found > old ? found : old;
    const vf shift = vf_set1(top);
    vf total = vf_set1(0);
    for (ptrdiff_t i = 0; i < count; i += W) {
        ptrdiff_t n = ck_min(W, count - i);
        vf weight = vf_exp(vf_load_n(s + i, n) - shift);
        vf_store_n(s + i, weight, n);
        // Read back: lanes past the end count for nothing.
        total = total + vf_load_n(s + i, n);
    }
    float change[W];
    vf_store(change, vf_exp(vf_set1(old) - shift));
    *max = top;
    *sum = *sum * change[0] + sum_lanes(total);
    return change[0];
}

/// Rows and vectors of y that are worked on at once.
enum { WEIGH_ROWS = 4, WEIGH_VECTORS = 2 };

/// Columns `column` ..< `column + n` of `rows` <= WEIGH_ROWS rows; a constant `rows` unrolls it.
CK_INLINE void weigh_block(float *y, ptrdiff_t columns, const float *factor, const float *weights,
                           ptrdiff_t ld_weights, int rows, const float *values, ptrdiff_t ld_values, ptrdiff_t count,
                           ptrdiff_t column) {
    ptrdiff_t n[WEIGH_VECTORS];
    vf sum[WEIGH_ROWS][WEIGH_VECTORS];
    CK_UNROLL
    for (int v = 0; v < WEIGH_VECTORS; v++) {
        n[v] = ck_max(0, ck_min(W, columns - column - v * W));
        CK_UNROLL
        for (int i = 0; i < rows; i++) {
            sum[i][v] = vf_load_n(y + i * columns + column + v * W, n[v]) * vf_set1(factor[i]);
        }
    }
    for (ptrdiff_t p = 0; p < count; p++) {
        const float *row = values + p * ld_values + column;
        vf value[WEIGH_VECTORS];
        CK_UNROLL
        for (int v = 0; v < WEIGH_VECTORS; v++) {
            value[v] = vf_load_n(row + v * W, n[v]);
        }
        CK_UNROLL
        for (int i = 0; i < rows; i++) {
            vf weight = vf_set1(weights[i * ld_weights + p]);
            CK_UNROLL
            for (int v = 0; v < WEIGH_VECTORS; v++) {
                sum[i][v] = vf_fma(weight, value[v], sum[i][v]);
            }
        }
    }
    CK_UNROLL
    for (int v = 0; v < WEIGH_VECTORS; v++) {
        CK_UNROLL
        for (int i = 0; i < rows; i++) {
            vf_store_n(y + i * columns + column + v * W, sum[i][v], n[v]);
        }
    }
}

static void weigh(float *y, ptrdiff_t columns, const float *factor, const float *weights, ptrdiff_t ld_weights,
                  ptrdiff_t rows, const float *values, ptrdiff_t ld_values, ptrdiff_t count) {
    for (ptrdiff_t column = 0; column < columns; column += WEIGH_VECTORS * W) {
        ptrdiff_t i = 0;
        for (; i + WEIGH_ROWS <= rows; i += WEIGH_ROWS) {
            weigh_block(y + i * columns, columns, factor + i, weights + i * ld_weights, ld_weights, WEIGH_ROWS, values,
                        ld_values, count, column);
        }
        for (; i < rows; i++) {
            weigh_block(y + i * columns, columns, factor + i, weights + i * ld_weights, ld_weights, 1, values,
                        ld_values, count, column);
        }
    }
}
