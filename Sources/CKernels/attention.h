// What the two ways of attention share: attention.c for many queries, attention_few.c for few.
#pragma once

#include "internal.h"

/// Below any score, and still finite: what is hidden from all queries so far leaves no NaN.
#define CK_LOWEST (-1e30f)

typedef struct {
    const ck_ops *ops;
    float *y;
    ptrdiff_t ldy;
    const float *q;
    ptrdiff_t ldq, n;
    const ck_run *runs;
    ptrdiff_t run_count;
    const ck_run *recent;
    const uint8_t *visible;
    ck_heads heads;
    const ck_pair_ops *pairs;  // NULL: products of float32

    ptrdiff_t group;       // query heads of a key head
    ptrdiff_t lanes;       // n * group
    ptrdiff_t tiles;       // of a key head
    ptrdiff_t task_tiles;
    ptrdiff_t block_keys;  // a multiple of MR
    ptrdiff_t padded_dim;  // a multiple of MR
    ptrdiff_t units;       // along dim: floats, or pairs
    float *scratch;
    ptrdiff_t thread_floats;
} ck_attention_call;

/// All queries and heads, for at most half a tile of lanes; 0 where memory cannot be had.
int ck_attention_few(ck_pool *pool, ck_attention_call *a);
