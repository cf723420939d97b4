// What is compiled for each vector unit. The including file defines the types `vf` and `vi` of `W` lanes, the functions
// on them, the tile MR x NR, and the name CK_OPS.

_Static_assert(NR == 2 * W, "a tile is two vectors wide");
_Static_assert(MR < W || MR % W == 0, "pack() lets a row's spare lanes be overwritten by the next row");
_Static_assert(MR <= (int)CK_MAX_PANEL_ROWS && NR <= (int)CK_MAX_PANEL_COLUMNS, "buffers on the stack");

#include "vector_math.h"
#include "vector_products.h"
#include "vector_rows.h"
#include "vector_attention.h"

const ck_ops CK_OPS = {
    .panel_rows = MR,
    .panel_columns = NR,
    .widen = widen,
    .pack = pack,
    .pack_columns = pack_columns,
    .tile = tile,
    .dots = dots,
    .finish = finish,
    .softmax = softmax,
    .softmax_row = softmax_row,
    .weigh = weigh,
    .scale_lanes = scale_lanes,
    .mask_causal = mask_causal,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .swiglu = swiglu,
    .add = add,
    .rope = rope,
    .argmax = argmax,
    .log_sum_exp = log_sum_exp,
};
