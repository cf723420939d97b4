// What the source files of this target share: the table of vector code, tasks, scratch.
#pragma once

#include "include/CKernels.h"
#include "include/CKernelsTesting.h"

// ---- Vector code ------------------------------------------------------------------------------------------------

/// What is compiled once for each vector unit. None of it knows of threads.
typedef struct {
    int panel_rows;     // rows of a tile of the product, "MR"
    int panel_columns;  // columns of a tile, "NR": two vectors

    void (*widen)(float *y, const void *x, ck_type type, ptrdiff_t count);

    /// dst[p][i] = src[i][p] for i < rows, 0 for rows <= i < width. `width` is less than a vector or whole vectors.
    void (*pack)(float *dst, ptrdiff_t width, const void *src, ck_type type, ptrdiff_t ld, ptrdiff_t rows,
                 ptrdiff_t count);
    /// dst[p][i] = src[p][i] for i < columns, 0 for columns <= i < MR.
    void (*pack_columns)(float *dst, const float *src, ptrdiff_t ld, ptrdiff_t columns, ptrdiff_t count);
    /// c[MR][NR] (+)= sum over p of a[p][MR] · b[p][NR].
    void (*tile)(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate);
    /// out[i][r] = x[i] · w[r] for `m` rows of x and `rows` of w; a result depends on its own two rows only.
    void (*dots)(float *out, ptrdiff_t ld_out, const float *x, ptrdiff_t ldx, ptrdiff_t m, const void *w, ck_type type,
                 ptrdiff_t ldw, ptrdiff_t rows, ptrdiff_t k);
    /// y = epilogue(t) for `count` columns; the epilogue's pointers are those of the first of them.
    void (*finish)(float *y, const float *t, ptrdiff_t count, const ck_epilogue *epilogue);

    /// One block of scores s[count][NR] becomes exp(s - max); updates max[NR] and sum[NR], and tells in factor[NR] by
    /// what to multiply what was summed before.
    void (*softmax)(float *s, ptrdiff_t count, float *max, float *sum, float *factor);
    /// x[i][NR] *= factor[NR].
    void (*scale_lanes)(float *x, ptrdiff_t rows, const float *factor);
    /// As `softmax` for the scores s[count] of one query; returns the factor.
    float (*softmax_row)(float *s, ptrdiff_t count, float *max, float *sum);
    /// y[i] = y[i] * factor[i] + sum over p of weights[i][p] * values[p], for `rows` rows of `columns`.
    void (*weigh)(float *y, ptrdiff_t columns, const float *factor, const float *weights, ptrdiff_t ld_weights,
                  ptrdiff_t rows, const float *values, ptrdiff_t ld_values, ptrdiff_t count);
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

/// Integer products, compiled once for each vector unit. Four int8 values of one row travel as one float's worth of
/// bytes, a "unit", so that x and w are packed by `pack` above.
typedef struct {
    int panel_rows;  // rows of an int8 tile, "QR"
    int group_rows;  // rows of an int4 tile
    int x_offset;    // what is added to x before it is packed for int8 products
    int streams;     // panels that `vector_*` reads side by side at most: 1, 2 or 4; half as many for 4 rows

    float (*largest_magnitude)(const float *x, ptrdiff_t count);
    /// q = x * inverse to the nearest integer, ties to even.
    void (*quantise)(int8_t *q, const float *x, ptrdiff_t count, float inverse);

    /// int32 c[QR][32] (+)= sum over p of a[p][QR] · b[p][32], four products to a unit.
    void (*tile_int8)(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate);
    /// out[panels][rows][32] = x[steps][rows] · panel[steps][32] for 1, 2 or 4 rows of x and panels, `stride` bytes
    /// apart.
    void (*vector_int8)(int32_t *out, const float *x, const void *panel, size_t stride, ptrdiff_t steps, int rows,
                        int panels);
    /// t = (sums - x_offset * row_sums) * scales * x_scale; `count` is a multiple of 32.
    void (*scale_int8)(float *t, const int32_t *sums, const float *scales, const int32_t *row_sums, float x_scale,
                       ptrdiff_t count);

    /// A packed panel as bytes [groups][8][32][4] of 0 ... 15 and scales [groups][32].
    void (*unpack_int4)(uint8_t *w, float *scales, const void *panel, ptrdiff_t groups);
    /// t[group_rows][32] = x · unpacked panel; x is [groups] of 8 units, a start and a scale for each row.
    void (*tile_int4)(float *t, const float *x, const uint8_t *w, const float *scales, ptrdiff_t groups);
    /// out[panels][rows][32] = x · packed panels for 1, 2 or 4 rows and panels, x as above.
    void (*vector_int4)(float *out, const float *x, const void *panel, size_t stride, ptrdiff_t groups, int rows,
                        int panels);
} ck_quant_ops;

/// Products of bfloat16 pairs, for attention where its factors may be rounded. Two values that follow one another in the
/// sum travel as one float's worth of bytes, a "unit"; tiles are those of the `ck_ops` beside it.
typedef struct {
    /// units[(count + 1) / 2] = x * factor.
    void (*narrow)(float *units, const float *x, ptrdiff_t count, float factor);
    /// dst[p][i] = src[2p][i] and src[2p + 1][i] for i < columns, 0 for columns <= i < MR and past `count` rows.
    void (*pack_columns)(float *dst, const float *src, ptrdiff_t ld, ptrdiff_t columns, ptrdiff_t count);
    /// As `softmax` of ck_ops, but the weights become units s[(count + 1) / 2][NR].
    void (*softmax)(float *s, ptrdiff_t count, float *max, float *sum, float *factor);
    /// c[MR][NR] (+)= sum over p of a[p][MR] · b[p][NR], two products to a unit.
    void (*tile)(ptrdiff_t units, const float *a, const float *b, float *c, int accumulate);
} ck_pair_ops;

enum {
    /// Rows of w that are packed together.
    CK_QUANT_PANEL = 32,
    /// Values that share a scale in int4 matrices.
    CK_GROUP = 32,
    /// A group of a panel: 512 bytes of two values each, 32 scales as bfloat16.
    CK_INT4_BLOCK = 576,
};

enum {
    /// Limits that hold for all vector units, for buffers on the stack.
    CK_MAX_PANEL_ROWS = 16,
    CK_MAX_PANEL_COLUMNS = 32,
    /// Up to so many rows of x, a product with quantised weights is a few matrix-vector products.
    CK_MAX_VECTOR_ROWS = 8,
};

/// A name and what goes by it.
typedef struct {
    const char *name;
    const ck_ops *ops;
    const ck_quant_ops *quant_ops;
    const ck_pair_ops *pair_ops;  // or NULL
} ck_unit;

/// The best that this processor has.
const ck_unit *ck_best_unit(void);
/// By name, or NULL where this processor or build has none of that name.
const ck_unit *ck_unit_named(const char *name);

extern const ck_ops ck_ops_portable;
extern const ck_quant_ops ck_quant_ops_portable;
#if defined(__x86_64__)
extern const ck_ops ck_ops_avx2, ck_ops_avx512;
extern const ck_quant_ops ck_quant_ops_avx2, ck_quant_ops_avxvnni, ck_quant_ops_avx512, ck_quant_ops_avx512vnni;
extern const ck_pair_ops ck_pair_ops_avx512bf16;
#elif defined(__aarch64__)
extern const ck_ops ck_ops_neon;
extern const ck_quant_ops ck_quant_ops_neon, ck_quant_ops_neondotprod, ck_quant_ops_neoni8mm;
#endif

// ---- Threads ----------------------------------------------------------------------------------------------------

/// Called once for each index, on thread `thread` of 0..<threads.
typedef void (*ck_task)(void *context, ptrdiff_t index, int thread);
void ck_run_tasks(ck_pool *pool, ptrdiff_t count, ck_task task, void *context);

const ck_ops *ck_pool_ops(const ck_pool *pool);
const ck_quant_ops *ck_pool_quant_ops(const ck_pool *pool);
/// NULL where the vector unit has no such products.
const ck_pair_ops *ck_pool_pair_ops(const ck_pool *pool);
/// At least `size` bytes, 64-byte aligned, whose contents do not outlive the call; NULL when memory cannot be had.
void *ck_pool_scratch(ck_pool *pool, size_t size);

// ---- Blocks of products -----------------------------------------------------------------------------------------

/// The right-hand side of a product that is packed, and how to multiply with it. Lengths along k are in units of four
/// bytes: one float32 or four int8.
typedef struct {
    ptrdiff_t panel_rows, panel_columns;
    ptrdiff_t panels;   // of x
    ptrdiff_t units;    // along k
    ptrdiff_t k_block;  // units of a block of k, the last may have fewer
    const float *x;     // [blocks of k][panels][k_block][panel_rows]
    void (*tile)(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate);
    /// Takes a finished tile away.
    void (*finish)(const void *context, const float *sums, ptrdiff_t row, ptrdiff_t column);
    const void *context;
} ck_blocks;

enum {
    /// Panels of x whose partial sums lie in the second-level cache together.
    CK_ROW_BLOCK_PANELS = 16,
};

/// Multiplies all of x with w [column_panels][units][panel_columns], whose first row is column `first_column` of the
/// product; `sums` has room for CK_ROW_BLOCK_PANELS * column_panels tiles.
void ck_multiply_blocks(const ck_blocks *blocks, const float *w, ptrdiff_t first_column, ptrdiff_t column_panels,
                        float *sums);
/// Columns of a task, a multiple of `panel`: many enough to use a panel of x often, so few that the last tasks keep all
/// threads busy.
ptrdiff_t ck_task_columns(ptrdiff_t columns, ptrdiff_t panel, ptrdiff_t most, int threads);
/// `total` things in tasks of consecutive ones: large tasks first and ever smaller ones at the end, so that all threads
/// are done at about the same time.
typedef struct {
    ptrdiff_t total, count;  // things, tasks
    ptrdiff_t most;          // things of the largest tasks; the next ones have half as many, and so on
    ptrdiff_t tasks[8];      // of each size
} ck_ranges;
ck_ranges ck_shared_out(ptrdiff_t total, ptrdiff_t most, int threads);
/// What task `index` takes.
void ck_range_at(const ck_ranges *ranges, ptrdiff_t index, ptrdiff_t *begin, ptrdiff_t *end);
/// `epilogue` for the columns from `column` on.
ck_epilogue ck_shift_epilogue(const ck_epilogue *epilogue, ptrdiff_t column);
/// *y = epilogue(t) for one column; `epilogue` may be NULL.
void ck_finish_scalar(float *y, double t, ptrdiff_t column, const ck_epilogue *epilogue);

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
