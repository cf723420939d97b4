// Attention with an online softmax, block of keys by block of keys, scores never leaving the second-level cache.
//
// All is transposed: a tile of scores is [keys][NR lanes], a lane being one query of one head, so that the softmax is
// vertical and what comes out of it is the right operand of the second product. Query heads that share a key head lie
// side by side in the lanes. A task is a few tiles of one key head; it packs each block of keys and values once.
//
// Where the factors may be rounded and the processor multiplies pairs of bfloat16, all factors travel as such pairs, two
// along the sum to a float's worth of bytes (a "unit"): queries and keys once they are packed, weights after the softmax.

#include "attention.h"

#include <string.h>

enum {
    /// Keys in a block, about: 8 to 16 KB of scores, 32 KB each of keys and values at 64 dimensions.
    BLOCK_KEYS = 128,
    /// Tiles per task at most, so that 1025 queries of a head are one task and its keys and values are packed once: 270 KB
    /// of queries and as much of sums at 64 dimensions.
    MAX_TASK_TILES = 33,
};

/// What a task keeps for each of its tiles.
typedef struct {
    float *queries;   // [units][NR], scaled
    float *sums;      // [padded_dim][NR], of values times weights
    float *max;       // [NR]
    float *total;     // [NR], of weights
    float *position;  // [NR], the lane's query; -1 where there is none
} tile_state;

/// A row of a tile's results: whole vectors.
static ptrdiff_t row_floats(const ck_attention_call *a) {
    return ck_round_up(a->heads.dim, a->ops->panel_columns / 2);
}

static ptrdiff_t tile_floats(const ck_attention_call *a) {
    return (a->units + a->padded_dim + 3) * a->ops->panel_columns;
}

/// Room for a block's scores, and before and after for a tile's rows.
static ptrdiff_t score_floats(const ck_attention_call *a) {
    return ck_max(a->block_keys, row_floats(a)) * a->ops->panel_columns;
}

/// Units of `count` factors along a sum.
static ptrdiff_t units_of(const ck_attention_call *a, ptrdiff_t count) {
    return a->pairs == NULL ? count : ck_ceil_div(count, 2);
}

static ptrdiff_t last_query_of(const ck_attention_call *a, ptrdiff_t tile) {
    return (ck_min(a->lanes, (tile + 1) * a->ops->panel_columns) - 1) / a->group;
}

static tile_state tile_at(const ck_attention_call *a, float *scratch, ptrdiff_t tile) {
    const ptrdiff_t nr = a->ops->panel_columns;
    tile_state t;
    t.queries = scratch + tile * tile_floats(a);
    t.sums = t.queries + a->units * nr;
    t.max = t.sums + a->padded_dim * nr;
    t.total = t.max + nr;
    t.position = t.total + nr;
    return t;
}

/// The row of q or y that belongs to a lane.
static ptrdiff_t lane_offset(const ck_attention_call *a, ptrdiff_t ld, ptrdiff_t kv_head, ptrdiff_t lane) {
    return lane / a->group * ld + (kv_head * a->group + lane % a->group) * a->heads.dim;
}

/// `rows` has room for [NR][dim].
static void begin_tile(const ck_attention_call *a, tile_state t, ptrdiff_t kv_head, ptrdiff_t first_lane, float *rows) {
    const ptrdiff_t nr = a->ops->panel_columns, dim = a->heads.dim, used = ck_min(nr, a->lanes - first_lane);
    float scale[CK_MAX_PANEL_COLUMNS];
    memset(t.sums, 0, (size_t)(a->padded_dim * nr) * sizeof(float));
    for (ptrdiff_t lane = 0; lane < nr; lane++) {
        t.max[lane] = CK_LOWEST;
        t.total[lane] = 0;
        t.position[lane] = lane < used ? (float)((first_lane + lane) / a->group) : -1;
        scale[lane] = a->heads.scale;
    }
    for (ptrdiff_t lane = 0; lane < used; lane++) {
        const float *row = a->q + lane_offset(a, a->ldq, kv_head, first_lane + lane);
        if (a->pairs != NULL) {
            a->pairs->narrow(rows + lane * a->units, row, dim, a->heads.scale);
        } else {
            memcpy(rows + lane * dim, row, (size_t)dim * sizeof(float));
        }
    }
    a->ops->pack(t.queries, nr, rows, CK_F32, a->units, used, a->units);
    if (a->pairs == NULL) {
        a->ops->scale_lanes(t.queries, dim, scale);
    }
}

/// `rows` has room for [NR][row_floats].
static void end_tile(const ck_attention_call *a, tile_state t, ptrdiff_t kv_head, ptrdiff_t first_lane, float *rows) {
    const ptrdiff_t nr = a->ops->panel_columns, dim = a->heads.dim, width = row_floats(a);
    a->ops->pack(rows, width, t.sums, CK_F32, nr, dim, nr);
    for (ptrdiff_t lane = 0; lane < ck_min(nr, a->lanes - first_lane); lane++) {
        const float factor = t.total[lane] == 0 ? 0 : 1 / t.total[lane];
        float *row = a->y + lane_offset(a, a->ldy, kv_head, first_lane + lane);
        for (ptrdiff_t d = 0; d < dim; d++) {
            row[d] = rows[lane * width + d] * factor;
        }
    }
}

/// Hides what the lanes' queries do not see of the recent keys `first` ..< `first + count`.
static void hide(const ck_attention_call *a, tile_state t, float *scores, ptrdiff_t first, ptrdiff_t count) {
    const ptrdiff_t nr = a->ops->panel_columns;
    if (a->visible == NULL) {
        if ((float)(first + count - 1) > t.position[0]) {
            a->ops->mask_causal(scores, count, first, t.position);
        }
        return;
    }
    for (ptrdiff_t lane = 0; lane < nr && t.position[lane] >= 0; lane++) {
        const uint8_t *row = a->visible + (ptrdiff_t)t.position[lane] * a->n + first;
        for (ptrdiff_t key = 0; key < count; key++) {
            if (!row[key]) {
                scores[key * nr + lane] = -__builtin_inff();
            }
        }
    }
}

/// Blocks of keys and values as the left operands of the two products. `rows` has room for [MR][units].
static void pack_block(const ck_attention_call *a, const ck_run *run, ptrdiff_t kv_head, ptrdiff_t first, ptrdiff_t count,
                       float *keys, float *values, float *rows) {
    const ptrdiff_t mr = a->ops->panel_rows, dim = a->heads.dim;
    const float *source = run->keys + first * run->ld + kv_head * dim;
    for (ptrdiff_t key = 0; key < count; key += mr, source += mr * run->ld) {
        const ptrdiff_t used = ck_min(mr, count - key);
        if (a->pairs == NULL) {
            a->ops->pack(keys + key * dim, mr, source, CK_F32, run->ld, used, dim);
            continue;
        }
        for (ptrdiff_t i = 0; i < used; i++) {
            a->pairs->narrow(rows + i * a->units, source + i * run->ld, dim, 1);
        }
        a->ops->pack(keys + key * a->units, mr, rows, CK_F32, a->units, used, a->units);
    }
    source = run->values + first * run->ld + kv_head * dim;
    const ptrdiff_t units = units_of(a, count);
    for (ptrdiff_t d = 0; d < a->padded_dim; d += mr) {
        (a->pairs == NULL ? a->ops->pack_columns : a->pairs->pack_columns)(
            values + d * units, source + d, run->ld, ck_min(mr, dim - d), count);
    }
}

static void attention_task(void *context, ptrdiff_t index, int thread) {
    const ck_attention_call *a = context;
    const ck_ops *ops = a->ops;
    const ptrdiff_t mr = ops->panel_rows, nr = ops->panel_columns, dim = a->heads.dim;
    // The last queries first: under a causal mask they are the longest tasks.
    const ptrdiff_t kv_head = index % a->heads.kv_heads;
    const ptrdiff_t chunk = ck_ceil_div(a->tiles, a->task_tiles) - 1 - index / a->heads.kv_heads;
    const ptrdiff_t first_tile = chunk * a->task_tiles, tiles = ck_min(a->task_tiles, a->tiles - first_tile);

    float *states = a->scratch + thread * a->thread_floats;
    float *scores = states + a->task_tiles * tile_floats(a);
    float *keys = scores + score_floats(a);
    float *values = keys + a->block_keys * a->units;
    void (*const tile)(ptrdiff_t, const float *, const float *, float *, int) = a->pairs == NULL ? ops->tile : a->pairs->tile;
    float factor[CK_MAX_PANEL_COLUMNS];

    for (ptrdiff_t i = 0; i < tiles; i++) {
        begin_tile(a, tile_at(a, states, i), kv_head, (first_tile + i) * nr, scores);
    }
    for (ptrdiff_t r = 0; r <= a->run_count; r++) {
        const int recent = r == a->run_count;
        const ck_run *run = recent ? a->recent : &a->runs[r];
        ptrdiff_t run_end = run->count;
        if (recent && a->visible == NULL) {
            run_end = ck_min(run_end, last_query_of(a, first_tile + tiles - 1) + 1);
        }
        for (ptrdiff_t first = 0; first < run_end; first += a->block_keys) {
            const ptrdiff_t count = ck_min(a->block_keys, run_end - first);
            const ptrdiff_t units = units_of(a, count);
            pack_block(a, run, kv_head, first, count, keys, values, scores);
            for (ptrdiff_t i = 0; i < tiles; i++) {
                tile_state t = tile_at(a, states, i);
                if (recent && a->visible == NULL && first > last_query_of(a, first_tile + i)) {
                    continue;
                }
                for (ptrdiff_t key = 0; key < count; key += mr) {
                    tile(a->units, keys + key * a->units, t.queries, scores + key * nr, 0);
                }
                if (recent) {
                    hide(a, t, scores, first, count);
                }
                (a->pairs == NULL ? ops->softmax : a->pairs->softmax)(scores, count, t.max, t.total, factor);
                ops->scale_lanes(t.sums, dim, factor);
                for (ptrdiff_t d = 0; d < dim; d += mr) {
                    tile(units, values + d * units, scores, t.sums + d * nr, 1);
                }
            }
        }
    }
    for (ptrdiff_t i = 0; i < tiles; i++) {
        end_tile(a, tile_at(a, states, i), kv_head, (first_tile + i) * nr, scores);
    }
}

static int attention_of_tiles(ck_pool *pool, ck_attention_call *a) {
    const ptrdiff_t mr = a->ops->panel_rows, nr = a->ops->panel_columns;
    a->tiles = ck_ceil_div(a->lanes, nr);
    // Four tasks per thread where there are as many tiles, all of nearly one size.
    ptrdiff_t wanted = ck_ceil_div((ptrdiff_t)4 * ck_pool_threads(pool), a->heads.kv_heads);
    ptrdiff_t chunks = ck_max(ck_ceil_div(a->tiles, MAX_TASK_TILES), ck_min(wanted, a->tiles));
    a->task_tiles = ck_ceil_div(a->tiles, chunks);
    a->block_keys = ck_round_up(BLOCK_KEYS, mr);
    a->padded_dim = ck_round_up(a->heads.dim, mr);
    a->units = units_of(a, a->heads.dim);
    a->thread_floats = ck_round_up(
        a->task_tiles * tile_floats(a) + score_floats(a) + a->block_keys * (a->units + a->padded_dim), 16);
    a->scratch = ck_pool_scratch(pool, (size_t)(ck_pool_threads(pool) * a->thread_floats) * sizeof(float));
    if (a->scratch == NULL) {
        return 0;
    }
    ck_run_tasks(pool, ck_ceil_div(a->tiles, a->task_tiles) * a->heads.kv_heads, attention_task, a);
    return 1;
}

void ck_attention(ck_pool *pool, float *y, ptrdiff_t ldy, const float *q, ptrdiff_t ldq, ptrdiff_t n,
                  const ck_run *runs, ptrdiff_t run_count, const ck_run *recent, const uint8_t *visible,
                  ck_heads heads) {
    static const ck_run nothing = {0};
    if (n <= 0) {
        return;
    }
    const ptrdiff_t group = heads.heads / heads.kv_heads;
    ck_attention_call a = {
        .ops = ck_pool_ops(pool),
        .y = y,
        .ldy = ldy,
        .q = q,
        .ldq = ldq,
        .n = n,
        .runs = runs,
        .run_count = run_count,
        .recent = recent == NULL ? &nothing : recent,
        .visible = visible,
        .heads = heads,
        .pairs = heads.factors == CK_BF16 ? ck_pool_pair_ops(pool) : NULL,
        .group = group,
        .lanes = n * group,
    };
    int few = a.lanes <= a.ops->panel_columns / 2;
    if (!(few ? ck_attention_few(pool, &a) : attention_of_tiles(pool, &a))) {
        ck_attention_scalar(y, ldy, q, ldq, n, runs, run_count, a.recent, visible, heads);
    }
}
