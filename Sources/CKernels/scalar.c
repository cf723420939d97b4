// The kernels as plain loops, to be checked by eye: what tests compare with, and what runs when memory cannot be had.

#include "internal.h"

#include <math.h>
#include <string.h>

static float half_to_float(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float magnitude = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                      : exponent == 0 ? ldexpf((float)fraction, -24)
                                      : ldexpf((float)(1024 + fraction), exponent - 25);
    return bits & 0x8000 ? -magnitude : magnitude;
}

static float load_scalar(const void *x, ck_type type, ptrdiff_t index) {
    const void *p = ck_at(x, type, index);
    if (type == CK_F32) {
        float value;
        memcpy(&value, p, sizeof value);
        return value;
    }
    uint16_t bits;
    memcpy(&bits, p, sizeof bits);
    if (type == CK_F16) {
        return half_to_float(bits);
    }
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

void ck_widen_scalar(float *y, const void *x, ck_type type, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = load_scalar(x, type, i);
    }
}

void ck_finish_scalar(float *y, double t, ptrdiff_t column, const ck_epilogue *epilogue) {
    if (epilogue != NULL && epilogue->bias != NULL) {
        t += (double)epilogue->bias[column];
    }
    if (epilogue != NULL && epilogue->gelu) {
        t = 0.5 * t * erfc(-t / sqrt(2));
    }
    if (epilogue != NULL && epilogue->scale != NULL) {
        t *= (double)epilogue->scale[column];
    }
    if (epilogue != NULL && epilogue->accumulate) {
        t += (double)*y;
    }
    *y = (float)t;
}

void ck_linear_scalar(float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *w, ck_type type, ptrdiff_t m,
                      ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue) {
    for (ptrdiff_t i = 0; i < m; i++) {
        for (ptrdiff_t j = 0; j < n; j++) {
            double t = 0;
            for (ptrdiff_t p = 0; p < k; p++) {
                t += (double)x[i * ldx + p] * (double)load_scalar(w, type, j * k + p);
            }
            ck_finish_scalar(&y[i * ldy + j], t, j, epilogue);
        }
    }
}

// ---- Attention --------------------------------------------------------------------------------------------------

/// scale · q · key for one head.
static double score(const float *q, const float *key, ck_heads heads) {
    double sum = 0;
    for (int d = 0; d < heads.dim; d++) {
        sum += (double)q[d] * (double)key[d];
    }
    return sum * (double)heads.scale;
}

static int sees(const uint8_t *visible, ptrdiff_t n, ptrdiff_t query, ptrdiff_t key) {
    return visible != NULL ? visible[query * n + key] != 0 : key <= query;
}

/// One query and head: calls for the scores twice more rather than keep them.
typedef struct {
    const ck_run *runs;
    ptrdiff_t run_count;
    const ck_run *recent;
    const uint8_t *visible;
    ck_heads heads;
    ptrdiff_t n;
} memory;

static const ck_run *run_at(const memory *s, ptrdiff_t index) {
    return index < s->run_count ? &s->runs[index] : s->recent;
}

static ptrdiff_t all_runs(const memory *s) {
    return s->run_count + (s->recent != NULL);
}

static int hidden(const memory *s, ptrdiff_t run, ptrdiff_t query, ptrdiff_t key) {
    return run == s->run_count && !sees(s->visible, s->n, query, key);
}

/// The largest score and the sum of exp(score - largest) of a query's head; the sum is 0 where nothing is seen.
static void softmax_terms(const memory *s, const float *q, ptrdiff_t query, ptrdiff_t offset, double *max, double *sum) {
    *max = -INFINITY;
    *sum = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (ptrdiff_t r = 0; r < all_runs(s); r++) {
            const ck_run *run = run_at(s, r);
            for (ptrdiff_t key = 0; key < run->count; key++) {
                if (hidden(s, r, query, key)) {
                    continue;
                }
                double value = score(q, run->keys + key * run->ld + offset, s->heads);
                if (pass == 0) {
                    *max = value > *max ? value : *max;
                } else {
                    *sum += exp(value - *max);
                }
            }
        }
    }
}

void ck_attention_scalar(float *y, ptrdiff_t ldy, const float *q, ptrdiff_t ldq, ptrdiff_t n, const ck_run *runs,
                         ptrdiff_t run_count, const ck_run *recent, const uint8_t *visible, ck_heads heads) {
    const memory s = {runs, run_count, recent, visible, heads, n};
    const int group = heads.heads / heads.kv_heads;
    for (ptrdiff_t query = 0; query < n; query++) {
        for (int head = 0; head < heads.heads; head++) {
            const ptrdiff_t offset = (ptrdiff_t)(head / group) * heads.dim;
            const float *row = q + query * ldq + (ptrdiff_t)head * heads.dim;
            double max, sum;
            softmax_terms(&s, row, query, offset, &max, &sum);
            for (int d = 0; d < heads.dim; d++) {
                double value = 0;
                for (ptrdiff_t r = 0; r < all_runs(&s); r++) {
                    const ck_run *run = run_at(&s, r);
                    for (ptrdiff_t key = 0; key < run->count; key++) {
                        if (!hidden(&s, r, query, key)) {
                            double weight = exp(score(row, run->keys + key * run->ld + offset, heads) - max) / sum;
                            value += weight * (double)run->values[key * run->ld + offset + d];
                        }
                    }
                }
                y[query * ldy + (ptrdiff_t)head * heads.dim + d] = (float)value;
            }
        }
    }
}

typedef struct {
    memory seen;
    float *w;
    const float *q;
    ptrdiff_t ldq, total;
} weighing;

static void weights_task(void *context, ptrdiff_t query, int thread) {
    (void)thread;
    const weighing *g = context;
    const memory *s = &g->seen;
    const int group = s->heads.heads / s->heads.kv_heads;
    float *out = g->w + query * g->total;
    memset(out, 0, (size_t)g->total * sizeof *out);
    for (int head = 0; head < s->heads.heads; head++) {
        const ptrdiff_t offset = (ptrdiff_t)(head / group) * s->heads.dim;
        const float *row = g->q + query * g->ldq + (ptrdiff_t)head * s->heads.dim;
        double max, sum;
        softmax_terms(s, row, query, offset, &max, &sum);
        ptrdiff_t column = 0;
        for (ptrdiff_t r = 0; r < all_runs(s); r++) {
            const ck_run *run = run_at(s, r);
            for (ptrdiff_t key = 0; key < run->count; key++, column++) {
                if (!hidden(s, r, query, key)) {
                    double value = score(row, run->keys + key * run->ld + offset, s->heads);
                    out[column] += (float)(exp(value - max) / sum / s->heads.heads);
                }
            }
        }
    }
}

void ck_attention_weights(ck_pool *pool, float *w, const float *q, ptrdiff_t ldq, ptrdiff_t n, const ck_run *runs,
                          ptrdiff_t run_count, const ck_run *recent, const uint8_t *visible, ck_heads heads) {
    weighing g = {{runs, run_count, recent, visible, heads, n}, w, q, ldq, 0};
    for (ptrdiff_t r = 0; r < all_runs(&g.seen); r++) {
        g.total += run_at(&g.seen, r)->count;
    }
    ck_run_tasks(pool, n, weights_task, &g);
}

// ---- Rows -------------------------------------------------------------------------------------------------------

void ck_layer_norm_scalar(float *y, const float *x, const float *weight, const float *bias, float eps, ptrdiff_t rows,
                          ptrdiff_t columns) {
    for (ptrdiff_t row = 0; row < rows; row++, x += columns, y += columns) {
        double mean = 0, variance = 0;
        for (ptrdiff_t i = 0; i < columns; i++) {
            mean += (double)x[i] / (double)columns;
        }
        for (ptrdiff_t i = 0; i < columns; i++) {
            variance += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)columns;
        }
        for (ptrdiff_t i = 0; i < columns; i++) {
            y[i] = (float)(((double)x[i] - mean) / sqrt(variance + (double)eps) * (double)weight[i] + (double)bias[i]);
        }
    }
}

void ck_rms_norm_scalar(float *y, const float *x, const float *weight, float eps, ptrdiff_t rows, ptrdiff_t columns) {
    for (ptrdiff_t row = 0; row < rows; row++, x += columns, y += columns) {
        double squares = 0;
        for (ptrdiff_t i = 0; i < columns; i++) {
            squares += (double)x[i] * (double)x[i] / (double)columns;
        }
        for (ptrdiff_t i = 0; i < columns; i++) {
            y[i] = (float)((double)x[i] / sqrt(squares + (double)eps) * (double)weight[i]);
        }
    }
}

void ck_swiglu_scalar(float *gate, const float *up, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++) {
        gate[i] = (float)((double)gate[i] / (1 + exp(-(double)gate[i])) * (double)up[i]);
    }
}

void ck_rope_scalar(float *x, ptrdiff_t ldx, const float *cosines, const float *sines, ptrdiff_t rows, int heads,
                    int dim) {
    const ptrdiff_t half = dim / 2;
    for (ptrdiff_t row = 0; row < rows; row++) {
        for (ptrdiff_t head = 0; head < heads; head++) {
            float *a = x + row * ldx + head * dim, *b = a + half;
            for (ptrdiff_t i = 0; i < half; i++) {
                double c = (double)cosines[row * half + i], s = (double)sines[row * half + i];
                double u = (double)a[i], v = (double)b[i];
                a[i] = (float)(u * c - v * s);
                b[i] = (float)(v * c + u * s);
            }
        }
    }
}

ptrdiff_t ck_argmax_scalar(const float *x, ptrdiff_t count) {
    ptrdiff_t best = count > 0 ? 0 : -1;
    for (ptrdiff_t i = 1; i < count; i++) {
        if (x[i] > x[best] || (isnan(x[best]) && !isnan(x[i]))) {
            best = i;
        }
    }
    return best;
}

void ck_log_sum_exp_scalar(float *y, const float *x, ptrdiff_t rows, ptrdiff_t columns) {
    for (ptrdiff_t row = 0; row < rows; row++, x += columns) {
        double max = -INFINITY, sum = 0;
        for (ptrdiff_t i = 0; i < columns; i++) {
            max = (double)x[i] > max ? (double)x[i] : max;
        }
        for (ptrdiff_t i = 0; i < columns; i++) {
            sum += exp((double)x[i] - max);
        }
        y[row] = (float)(max + log(sum));
    }
}
