// What the source files of this target share: the table of vector code, tasks, scratch.
#pragma once

#include "include/CKernels.h"
#include "include/CKernelsTesting.h"

// ---- Vector code ------------------------------------------------------------------------------------------------

/// What is compiled once for each vector unit. None of it knows of threads.
typedef struct {
    const char *name;
    int lanes;       // float32 values in a vector
    int panel_rows;  // rows of a tile of the product, "MR"
    int panel_columns;  // columns of a tile, "NR", two vectors

    void (*widen)(float *y, const void *x, ck_type type, ptrdiff_t count);

    /// dst[p][i] = src[i][p] for i < rows, 0 for rows <= i < width; `width` is MR or NR.
    void (*pack)(float *dst, ptrdiff_t width, const void *src, ck_type type, ptrdiff_t ld, ptrdiff_t rows,
                 ptrdiff_t count);
    /// c[MR][NR] (+)= sum over p of a[p][MR] · b[p][NR].
    void (*tile)(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate);
    /// out[i][r] = x[i] · w[r] for `m` <= 8 rows of x and `rows` of w.
    void (*dots)(float *out, ptrdiff_t ld_out, const float *x, ptrdiff_t ldx, ptrdiff_t m, const void *w, ck_type type,
                 ptrdiff_t rows, ptrdiff_t k);
    /// y = epilogue(t) for `count` columns; the epilogue's pointers are those of the first of them.
    void (*finish)(float *y, const float *t, ptrdiff_t count, const ck_epilogue *epilogue);

    /// One block of scores s[count][NR] becomes exp(s - max); updates max[NR] and sum[NR], and tells in factor[NR] by
    /// what to multiply what was summed before.
    void (*softmax)(float *s, ptrdiff_t count, float *max, float *sum, float *factor);
    /// x[i][NR] *= factor[NR].
    void (*scale_lanes)(float *x, ptrdiff_t rows, const float *factor);
    /// s[i][lane] = -inf where position[lane] < first + i.
    void (*mask_causal)(float *s, ptrdiff_t count, ptrdiff_t first, const float *position);

    void (*layer_norm)(float *y, const float *x, const float *weight, const float *bias, float eps, ptrdiff_t columns);
    void (*rms_norm)(float *y, const float *x, const float *weight, float eps, ptrdiff_t columns);
    void (*swiglu)(float *gate, const float *up, ptrdiff_t count);
    void (*add)(float *x, const float *y, ptrdiff_t count);
    void (*rope)(float *x, const float *cosines, const float *sines, ptrdiff_t half);
    ptrdiff_t (*argmax)(const float *x, ptrdiff_t count);
    double (*log_sum_exp)(const float *x, ptrdiff_t count);
} ck_ops;

enum {
    /// Limits that hold for all vector units, for buffers on the stack.
    CK_MAX_PANEL_ROWS = 16,
    CK_MAX_PANEL_COLUMNS = 32,
    /// Up to so many rows of x a product is a matrix-vector product.
    CK_MAX_VECTOR_ROWS = 8,
};

/// The best that this processor has.
const ck_ops *ck_ops_best(void);
/// By name, or NULL where this processor or build has none of that name.
const ck_ops *ck_ops_named(const char *name);

extern const ck_ops ck_ops_portable;
#if defined(__x86_64__)
extern const ck_ops ck_ops_avx2;
extern const ck_ops ck_ops_avx512;
#endif

// ---- Threads ----------------------------------------------------------------------------------------------------

/// Called once for each index, on thread `thread` of 0..<threads.
typedef void (*ck_task)(void *context, ptrdiff_t index, int thread);
void ck_run_tasks(ck_pool *pool, ptrdiff_t count, ck_task task, void *context);

const ck_ops *ck_pool_ops(const ck_pool *pool);
/// At least `size` bytes, 64-byte aligned, whose contents do not outlive the call; NULL when memory cannot be had.
void *ck_pool_scratch(ck_pool *pool, size_t size);

// ---- Arithmetic -------------------------------------------------------------------------------------------------

static inline ptrdiff_t ck_min(ptrdiff_t a, ptrdiff_t b) {
    return a < b ? a : b;
}

static inline ptrdiff_t ck_max(ptrdiff_t a, ptrdiff_t b) {
    return a > b ? a : b;
}

static inline ptrdiff_t ck_ceil_div(ptrdiff_t a, ptrdiff_t b) {
    return (a + b - 1) / b;
}

static inline ptrdiff_t ck_round_up(ptrdiff_t a, ptrdiff_t b) {
    return ck_ceil_div(a, b) * b;
}

static inline size_t ck_type_size(ck_type type) {
    return type == CK_F32 ? 4 : 2;
}

/// The address of element `index` of values of `type`.
static inline const void *ck_at(const void *x, ck_type type, ptrdiff_t index) {
    return (const char *)x + index * (ptrdiff_t)ck_type_size(type);
}
