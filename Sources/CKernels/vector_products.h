// The inner loops of matrix products. See vector.h and linear.c.

static void widen(float *y, const void *x, ck_type type, ptrdiff_t count) {
    ptrdiff_t i = 0;
    for (; i + W <= count; i += W) {
        vf_store(y + i, load_as(x, type, i));
    }
    vf_store_n(y + i, load_as_n(x, type, i, count - i), count - i);
}

/// Packs `rows` rows as columns of a panel, `width` floats from one to the next; `lanes` <= W columns are written, zeros
/// past `rows`. A constant `lanes` unrolls it.
CK_INLINE void pack_rows(float *dst, ptrdiff_t width, int lanes, const void *src, ck_type type, ptrdiff_t ld,
                         ptrdiff_t rows, ptrdiff_t count) {
    for (ptrdiff_t p = 0; p < count; p += W) {
        ptrdiff_t n = ck_min(W, count - p);
        vf block[W];
        if (rows == lanes && n == W) {
            CK_UNROLL
            for (int i = 0; i < W; i++) {
                block[i] = i < lanes ? load_as(src, type, i * ld + p) : vf_set1(0);
            }
        } else {
            for (int i = 0; i < W; i++) {
                block[i] = i < rows ? load_as_n(src, type, i * ld + p, n) : vf_set1(0);
            }
        }
        vf_transpose(block);
        // Spare lanes of a full store are overwritten by later ones, except at the panel's end.
        if (n == W && (lanes == W || (p + W - 1) * width + W <= count * width)) {
            CK_UNROLL
            for (int i = 0; i < W; i++) {
                vf_store(dst + (p + i) * width, block[i]);
            }
        } else {
            for (int i = 0; i < n; i++) {
                vf_store_n(dst + (p + i) * width, block[i], lanes);
            }
        }
    }
}

CK_INLINE void pack_as(float *dst, ptrdiff_t width, const void *src, ck_type type, ptrdiff_t ld, ptrdiff_t rows,
                       ptrdiff_t count) {
    for (ptrdiff_t first = 0; first < width; first += W) {
        ptrdiff_t valid = ck_max(0, ck_min(W, rows - first));
        const void *start = ck_at(src, type, valid > 0 ? first * ld : 0);
        if (width - first >= W) {
            pack_rows(dst + first, width, W, start, type, ld, valid, count);
        } else if (width == MR) {
            pack_rows(dst + first, width, MR % W, start, type, ld, valid, count);
        } else {
            pack_rows(dst + first, width, (int)(width - first), start, type, ld, valid, count);
        }
    }
}

static void pack(float *dst, ptrdiff_t width, const void *src, ck_type type, ptrdiff_t ld, ptrdiff_t rows,
                 ptrdiff_t count) {
    switch (type) {
        case CK_F32: pack_as(dst, width, src, CK_F32, ld, rows, count); break;
        case CK_BF16: pack_as(dst, width, src, CK_BF16, ld, rows, count); break;
        case CK_F16: pack_as(dst, width, src, CK_F16, ld, rows, count); break;
    }
}

static void pack_columns(float *dst, const float *src, ptrdiff_t ld, ptrdiff_t columns, ptrdiff_t count) {
    for (ptrdiff_t p = 0; p < count; p++) {
        for (ptrdiff_t i = 0; i < MR; i += W) {
            vf x = vf_load_n(src + p * ld + i, ck_max(0, ck_min(ck_min(W, MR), columns - i)));
            if (i + W <= MR || p * MR + W <= (count - 1) * MR) {
                vf_store(dst + p * MR + i, x);
            } else {
                vf_store_n(dst + p * MR + i, x, MR - i);
            }
        }
    }
}

#define CK_TILE tile
#define CK_TILE_STEP(sum, x, w) vf_fma(x, w, sum)
#include "vector_tile.h"

/// Rows of w that are read side by side: four streams per core read memory 16 % faster than one.
enum { STREAMS = 4, ROWS_AT_ONCE = 4, PREFETCH_BYTES = 1024 };

/// `m` <= ROWS_AT_ONCE rows of x with one row of w from each stream. Constant `m` and `type` unroll it.
CK_INLINE void dots_of_streams(float *const out[STREAMS], ptrdiff_t ld_out, const float *x, ptrdiff_t ldx, int m,
                               const void *const w[STREAMS], ck_type type, ptrdiff_t k) {
    vf sum[ROWS_AT_ONCE][STREAMS];
    CK_UNROLL
    for (int i = 0; i < m; i++) {
        CK_UNROLL
        for (int s = 0; s < STREAMS; s++) {
            sum[i][s] = vf_set1(0);
        }
    }
    ptrdiff_t p = 0;
    for (; p + W <= k; p += W) {
        vf row[STREAMS];
        CK_UNROLL
        for (int s = 0; s < STREAMS; s++) {
            row[s] = load_as(w[s], type, p);
            __builtin_prefetch((const char *)ck_at(w[s], type, p) + PREFETCH_BYTES);
        }
        CK_UNROLL
        for (int i = 0; i < m; i++) {
            vf factor = vf_load(x + i * ldx + p);
            CK_UNROLL
            for (int s = 0; s < STREAMS; s++) {
                sum[i][s] = vf_fma(factor, row[s], sum[i][s]);
            }
        }
    }
    if (p < k) {
        CK_UNROLL
        for (int s = 0; s < STREAMS; s++) {
            vf row = load_as_n(w[s], type, p, k - p);
            CK_UNROLL
            for (int i = 0; i < m; i++) {
                sum[i][s] = vf_fma(vf_load_n(x + i * ldx + p, k - p), row, sum[i][s]);
            }
        }
    }
    CK_UNROLL
    for (int i = 0; i < m; i++) {
        CK_UNROLL
        for (int s = 0; s < STREAMS; s++) {
            out[s][i * ld_out] = sum_lanes(sum[i][s]);
        }
    }
}

/// Each stream is a quarter of the rows. Where rows are left over, a stream repeats
/// the last row.
CK_INLINE void dots_as(float *out, ptrdiff_t ld_out, const float *x, ptrdiff_t ldx, ptrdiff_t m, const void *w,
                       ck_type type, ptrdiff_t ldw, ptrdiff_t rows, ptrdiff_t k) {
    ptrdiff_t length = ck_ceil_div(rows, STREAMS);
    for (ptrdiff_t i = 0; i < length; i++) {
        const void *row[STREAMS];
        float *target[STREAMS];
        for (int s = 0; s < STREAMS; s++) {
            ptrdiff_t r = ck_min(s * length + i, rows - 1);
            row[s] = ck_at(w, type, r * ldw);
            target[s] = out + r;
        }
        // The second group of rows of x finds the rows of w in the cache.
        for (ptrdiff_t j = 0; j < m; j += ROWS_AT_ONCE) {
            float *shifted[STREAMS];
            for (int s = 0; s < STREAMS; s++) {
                shifted[s] = target[s] + j * ld_out;
            }
            const float *factors = x + j * ldx;
            switch (ck_min(ROWS_AT_ONCE, m - j)) {
                case 1: dots_of_streams(shifted, ld_out, factors, ldx, 1, row, type, k); break;
                case 2: dots_of_streams(shifted, ld_out, factors, ldx, 2, row, type, k); break;
                case 3: dots_of_streams(shifted, ld_out, factors, ldx, 3, row, type, k); break;
                default: dots_of_streams(shifted, ld_out, factors, ldx, 4, row, type, k); break;
            }
        }
    }
}

static void dots(float *out, ptrdiff_t ld_out, const float *x, ptrdiff_t ldx, ptrdiff_t m, const void *w, ck_type type,
                 ptrdiff_t ldw, ptrdiff_t rows, ptrdiff_t k) {
    switch (type) {
        case CK_F32: dots_as(out, ld_out, x, ldx, m, w, CK_F32, ldw, rows, k); break;
        case CK_BF16: dots_as(out, ld_out, x, ldx, m, w, CK_BF16, ldw, rows, k); break;
        case CK_F16: dots_as(out, ld_out, x, ldx, m, w, CK_F16, ldw, rows, k); break;
    }
}

CK_INLINE vf finish_vector(vf t, ptrdiff_t i, ptrdiff_t n, const ck_epilogue *epilogue) {
    if (epilogue->bias != NULL) {
        t = t + vf_load_n(epilogue->bias + i, n);
    }
    if (epilogue->gelu) {
        t = vf_gelu(t);
    }
    if (epilogue->scale != NULL) {
        t = t * vf_load_n(epilogue->scale + i, n);
    }
    return t;
}

static void finish(float *y, const float *t, ptrdiff_t count, const ck_epilogue *epilogue) {
    for (ptrdiff_t i = 0; i < count; i += W) {
        ptrdiff_t n = ck_min(W, count - i);
        vf value = finish_vector(vf_load_n(t + i, n), i, n, epilogue);
        if (epilogue->accumulate) {
            value = vf_load_n(y + i, n) + value;
        }
        vf_store_n(y + i, value, n);
    }
}
