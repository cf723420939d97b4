// For tests and benchmarks: pools for a chosen vector unit, and the plain loops that every kernel is compared with.
// `*_scalar` takes what the kernel of that name takes, without the pool; sums are float64.

#pragma once
#include "CKernels.h"

/// A pool that uses the vector unit `isa`; NULL where this processor has none of that name.
ck_pool *ck_pool_create_isa(int threads, const char *isa);

void ck_widen_scalar(float *y, const void *x, ck_type type, ptrdiff_t count);
void ck_linear_scalar(float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *w, ck_type type, ptrdiff_t m,
                      ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue);
void ck_attention_scalar(float *y, ptrdiff_t ldy, const float *q, ptrdiff_t ldq, ptrdiff_t n, const ck_run *runs,
                         ptrdiff_t run_count, const ck_run *recent, const uint8_t *visible, ck_heads heads);
void ck_layer_norm_scalar(float *y, const float *x, const float *weight, const float *bias, float eps, ptrdiff_t rows,
                          ptrdiff_t columns);
void ck_rms_norm_scalar(float *y, const float *x, const float *weight, float eps, ptrdiff_t rows, ptrdiff_t columns);
void ck_swiglu_scalar(float *gate, const float *up, ptrdiff_t count);
void ck_rope_scalar(float *x, ptrdiff_t ldx, const float *cosines, const float *sines, ptrdiff_t rows, int heads,
                    int dim);
ptrdiff_t ck_argmax_scalar(const float *x, ptrdiff_t count);
void ck_log_sum_exp_scalar(float *y, const float *x, ptrdiff_t rows, ptrdiff_t columns);
void ck_pack_scalar(void *packed, ck_quant quant, const void *w, ck_type type, const float *factors, ptrdiff_t n,
                    ptrdiff_t k);
void ck_linear_packed_scalar(float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *packed, ck_quant quant,
                             ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue,
                             const ck_prologue *prologue);
