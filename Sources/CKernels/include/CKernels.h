// What the FaceLLM engine computes with: matrix products, attention, norms, activations.
//
// Conventions: matrices are row-major float32 unless a name says otherwise; `ld` is the distance between rows in
// elements; outputs never alias inputs unless said. No alignment is required of callers' pointers. Nothing here prints,
// and nothing allocates after warm-up: scratch belongs to the pool and grows to the largest request once.
// A pool must be used by one caller at a time. Results do not depend on the number of threads, bit for bit.

#pragma once
#include <stddef.h>
#include <stdint.h>

// ---- Threads ----------------------------------------------------------------------------------------------------

/// Threads that share the work of one call, and their scratch memory.
typedef struct ck_pool ck_pool;
/// `threads` >= 1, the caller's own included; NULL when threads or memory cannot be had.
ck_pool *ck_pool_create(int threads);
void ck_pool_destroy(ck_pool *pool);
int ck_pool_threads(const ck_pool *pool);
/// The vector unit in use: "avx512bf16", "avx512vnni", "avx512", "avxvnni", "avx2", "neon-i8mm", "neon-dotprod", "neon", "portable".
const char *ck_isa(void);

// ---- Stored weights ---------------------------------------------------------------------------------------------

typedef enum { CK_F32 = 0, CK_BF16 = 1, CK_F16 = 2 } ck_type;

/// Widens `count` values to float32 (exact).
void ck_widen(float *y, const void *x, ck_type type, ptrdiff_t count);

/// What happens to a product before it is written: t = x·wᵀ + bias; t = gelu(t) if `gelu`; t *= scale[column] if there is
/// a scale; y = t, or y += t if `accumulate`.
typedef struct {
    const float *bias;   // [n] or NULL
    const float *scale;  // [n] or NULL
    int gelu;            // exact (erf) GELU
    int accumulate;
} ck_epilogue;

/// y[m, n] = epilogue(x[m, k] · w[n, k]ᵀ), accumulated in float32. `w` may lie in a mapped file, any alignment.
/// m = 1 is a matrix-vector product bound by the reading of `w`.
void ck_linear(ck_pool *pool, float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *w, ck_type type,
               ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue);

// ---- Attention --------------------------------------------------------------------------------------------------

/// A run of keys and values that every query sees.
typedef struct {
    const float *keys;    // [count, kv_heads * dim], rows `ld` apart
    const float *values;  // as keys
    ptrdiff_t count;
    ptrdiff_t ld;
} ck_run;

typedef struct {
    int heads;     // a multiple of kv_heads; query head h uses key head h / (heads / kv_heads)
    int kv_heads;
    int dim;       // any, at least 1
    float scale;
    /// CK_F32; or CK_BF16, where queries, keys, weights and values may be rounded to bfloat16 before they are multiplied
    /// if that is faster on this processor. Sums and softmax are float32 in any case.
    ck_type factors;
} ck_heads;

/// y[n, heads * dim] = softmax(scale · q · kᵀ) · v per head, without writing the score matrix to memory.
///
/// Queries see all of `runs`, and of `recent` (their own n keys and values; count 0 for none) what `visible` [n, n] says
/// (1 = row's query sees column's key), or, where `visible` is NULL, the keys up to their own (causal).
void ck_attention(ck_pool *pool, float *y, ptrdiff_t ldy, const float *q, ptrdiff_t ldq, ptrdiff_t n,
                  const ck_run *runs, ptrdiff_t run_count, const ck_run *recent, const uint8_t *visible,
                  ck_heads heads);

/// The weights of the same attention, averaged over heads: w[n, total] where total counts the keys of `runs` and then
/// of `recent`; what a query does not see is 0. For looking at, not for speed.
void ck_attention_weights(ck_pool *pool, float *w, const float *q, ptrdiff_t ldq, ptrdiff_t n, const ck_run *runs,
                          ptrdiff_t run_count, const ck_run *recent, const uint8_t *visible, ck_heads heads);

// ---- Around the products ----------------------------------------------------------------------------------------

/// (x - mean) / sqrt(variance + eps) * weight + bias over each row; y may be x.
void ck_layer_norm(ck_pool *pool, float *y, const float *x, const float *weight, const float *bias, float eps,
                   ptrdiff_t rows, ptrdiff_t columns);
/// x / sqrt(mean of squares + eps) * weight over each row; y may be x.
void ck_rms_norm(ck_pool *pool, float *y, const float *x, const float *weight, float eps, ptrdiff_t rows,
                 ptrdiff_t columns);
/// gate = silu(gate) * up.
void ck_swiglu(ck_pool *pool, float *gate, const float *up, ptrdiff_t count);
/// x += y.
void ck_add(ck_pool *pool, float *x, const float *y, ptrdiff_t count);
/// Rotary positions on halves of each head (not interleaved): cosines and sines are [rows, dim / 2].
void ck_rope(ck_pool *pool, float *x, ptrdiff_t ldx, const float *cosines, const float *sines, ptrdiff_t rows, int heads,
             int dim);
/// The largest value's index, the first of equals; -1 where count is 0. NaN counts as the smallest.
ptrdiff_t ck_argmax(const float *x, ptrdiff_t count);
/// log(sum(exp(x))) of each row, in float64 inside.
void ck_log_sum_exp(ck_pool *pool, float *y, const float *x, ptrdiff_t rows, ptrdiff_t columns);

// ---- Quantised weights (second step) ----------------------------------------------------------------------------

typedef enum { CK_INT8 = 0, CK_INT4 = 1 } ck_quant;
/// Bytes that a packed matrix takes; its address must be 64-byte aligned.
size_t ck_packed_size(ck_quant quant, ptrdiff_t n, ptrdiff_t k);
/// Quantises and packs w[n, k], each column multiplied by its one of `factors` [k] where that is not NULL: int8 symmetric
/// with one scale a row, or int4 in groups of 32 with one scale a group.
void ck_pack(ck_pool *pool, void *packed, ck_quant quant, const void *w, ck_type type, const float *factors,
             ptrdiff_t n, ptrdiff_t k);
/// The float32 values that row `row` of a packed matrix stands for: y[k].
void ck_unpack_row(float *y, const void *packed, ck_quant quant, ptrdiff_t n, ptrdiff_t k, ptrdiff_t row);
/// As ck_linear; activations are quantised to int8 with one scale a row of x (int8 weights) or a group (int4).
void ck_linear_packed(ck_pool *pool, float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *packed,
                      ck_quant quant, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue);

/// What a row of x becomes before it is quantised and multiplied.
typedef enum {
    CK_AS_IS = 0,
    CK_LAYER_NORM = 1,  // ck_layer_norm of it
    CK_RMS_NORM = 2,    // ck_rms_norm of it
    CK_SWIGLU = 3,      // silu(it) * the row of `up`
} ck_prologue_kind;
typedef struct {
    ck_prologue_kind kind;
    const float *weight;  // [k], of the norms
    const float *bias;    // [k], of the layer norm
    float eps;
    const float *up;      // [m, k], rows `ldup` apart
    ptrdiff_t ldup;
} ck_prologue;

enum { CK_MAX_PRODUCTS = 3 };
/// One of the matrices that the same rows go by.
typedef struct {
    float *y;  // [m, n]
    ptrdiff_t ldy;
    const void *packed;
    ptrdiff_t n;
    ck_epilogue epilogue;
} ck_product;

/// Up to CK_MAX_PRODUCTS products of the same x in one go: rows are prepared and quantised once, and the threads meet
/// once. Each product is bit by bit what it would be alone, after the prologue as a call of its own. `prologue` may be
/// NULL.
void ck_linear_packed_group(ck_pool *pool, const ck_product *products, int count, const float *x, ptrdiff_t ldx,
                            ck_quant quant, ptrdiff_t m, ptrdiff_t k, const ck_prologue *prologue);
