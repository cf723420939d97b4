// Attention with an online softmax, block of keys by block of keys, scores never leaving the second-level cache.
//
// All is transposed: a tile of scores is [keys][NR lanes], a lane being one query of one head, so that the softmax is
// vertical and what comes out of it is the right operand of the second product. Query heads that share a key head lie
// side by side in the lanes. A task is a few tiles of one key head; it packs each block of keys and values once.

#include "internal.h"

#include <string.h>

enum {
    /// Keys in a block, about: 8 to 16 KB of scores, 32 KB each of keys and values at 64 dimensions.
    BLOCK_KEYS = 128,
    /// Tiles per task at most: 64 KB of queries and as much of sums at 64 dimensions.
    MAX_TASK_TILES = 8,
};

/// Below any score, and still finite: what is hidden from all queries so far leaves no NaN.
static const float LOWEST = -1e30f;

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

    ptrdiff_t group;       // query heads of a key head
    ptrdiff_t lanes;       // n * group
    ptrdiff_t tiles;       // of a key head
    ptrdiff_t task_tiles;
    ptrdiff_t block_keys;  // a multiple of MR
    ptrdiff_t padded_dim;  // a multiple of MR
    float *scratch;
    ptrdiff_t thread_floats;
} attention;

/// What a task keeps for each of its tiles.
typedef struct {
    float *queries;   // [dim][NR], scaled
    float *sums;      // [padded_dim][NR], of values times weights
    float *max;       // [NR]
    float *total;     // [NR], of weights
    float *position;  // [NR], the lane's query; -1 where there is none
} tile_state;

static ptrdiff_t tile_floats(const attention *a) {
    return (a->heads.dim + a->padded_dim + 3) * a->ops->panel_columns;
}

static ptrdiff_t last_query_of(const attention *a, ptrdiff_t tile) {
    return (ck_min(a->lanes, (tile + 1) * a->ops->panel_columns) - 1) / a->group;
}

static tile_state tile_at(const attention *a, float *scratch, ptrdiff_t tile) {
    const ptrdiff_t nr = a->ops->panel_columns;
    tile_state t;
    t.queries = scratch + tile * tile_floats(a);
    t.sums = t.queries + a->heads.dim * nr;
    t.max = t.sums + a->padded_dim * nr;
    t.total = t.max + nr;
    t.position = t.total + nr;
    return t;
}

static void begin_tile(const attention *a, tile_state t, ptrdiff_t kv_head, ptrdiff_t first_lane) {
    const ptrdiff_t nr = a->ops->panel_columns, dim = a->heads.dim;
    memset(t.sums, 0, (size_t)(a->padded_dim * nr) * sizeof(float));
    for (ptrdiff_t lane = 0; lane < nr; lane++) {
        ptrdiff_t index = first_lane + lane, query = index / a->group, head = kv_head * a->group + index % a->group;
        int used = index < a->lanes;
        t.max[lane] = LOWEST;
        t.total[lane] = 0;
        t.position[lane] = used ? (float)query : -1;
        const float *row = a->q + query * a->ldq + head * dim;
        for (ptrdiff_t d = 0; d < dim; d++) {
            t.queries[d * nr + lane] = used ? row[d] * a->heads.scale : 0;
        }
    }
}

static void end_tile(const attention *a, tile_state t, ptrdiff_t kv_head, ptrdiff_t first_lane) {
    const ptrdiff_t nr = a->ops->panel_columns, dim = a->heads.dim;
    for (ptrdiff_t lane = 0; lane < ck_min(nr, a->lanes - first_lane); lane++) {
        ptrdiff_t index = first_lane + lane, query = index / a->group, head = kv_head * a->group + index % a->group;
        float factor = t.total[lane] == 0 ? 0 : 1 / t.total[lane];
        float *row = a->y + query * a->ldy + head * dim;
        for (ptrdiff_t d = 0; d < dim; d++) {
            row[d] = t.sums[d * nr + lane] * factor;
        }
    }
}

/// Hides what the lanes' queries do not see of the recent keys `first` ..< `first + count`.
static void hide(const attention *a, tile_state t, float *scores, ptrdiff_t first, ptrdiff_t count) {
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

/// Blocks of keys and values as the left operands of the two products.
static void pack_block(const attention *a, const ck_run *run, ptrdiff_t kv_head, ptrdiff_t first, ptrdiff_t count,
                       float *keys, float *values) {
    const ptrdiff_t mr = a->ops->panel_rows, dim = a->heads.dim;
    const float *source = run->keys + first * run->ld + kv_head * dim;
    for (ptrdiff_t key = 0; key < count; key += mr) {
        a->ops->pack(keys + key * dim, mr, source + key * run->ld, CK_F32, run->ld, ck_min(mr, count - key), dim);
    }
    source = run->values + first * run->ld + kv_head * dim;
    for (ptrdiff_t d = 0; d < a->padded_dim; d += mr) {
        float *panel = values + d * count;
        ptrdiff_t used = ck_min(mr, dim - d);
        for (ptrdiff_t key = 0; key < count; key++) {
            for (ptrdiff_t i = 0; i < used; i++) {
                panel[key * mr + i] = source[key * run->ld + d + i];
            }
            for (ptrdiff_t i = used; i < mr; i++) {
                panel[key * mr + i] = 0;
            }
        }
    }
}

static void attention_task(void *context, ptrdiff_t index, int thread) {
    const attention *a = context;
    const ck_ops *ops = a->ops;
    const ptrdiff_t mr = ops->panel_rows, nr = ops->panel_columns, dim = a->heads.dim;
    // The last queries first: under a causal mask they are the longest tasks.
    const ptrdiff_t kv_head = index % a->heads.kv_heads;
    const ptrdiff_t chunk = ck_ceil_div(a->tiles, a->task_tiles) - 1 - index / a->heads.kv_heads;
    const ptrdiff_t first_tile = chunk * a->task_tiles, tiles = ck_min(a->task_tiles, a->tiles - first_tile);

    float *states = a->scratch + thread * a->thread_floats;
    float *scores = states + a->task_tiles * tile_floats(a);
    float *keys = scores + a->block_keys * nr;
    float *values = keys + a->block_keys * dim;
    float factor[CK_MAX_PANEL_COLUMNS];

    for (ptrdiff_t i = 0; i < tiles; i++) {
        begin_tile(a, tile_at(a, states, i), kv_head, (first_tile + i) * nr);
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
            pack_block(a, run, kv_head, first, count, keys, values);
            for (ptrdiff_t i = 0; i < tiles; i++) {
                tile_state t = tile_at(a, states, i);
                if (recent && a->visible == NULL && first > last_query_of(a, first_tile + i)) {
                    continue;
                }
                for (ptrdiff_t key = 0; key < count; key += mr) {
                    ops->tile(dim, keys + key * dim, t.queries, scores + key * nr, 0);
                }
                if (recent) {
                    hide(a, t, scores, first, count);
                }
                ops->softmax(scores, count, t.max, t.total, factor);
                ops->scale_lanes(t.sums, dim, factor);
                for (ptrdiff_t d = 0; d < dim; d += mr) {
                    ops->tile(count, values + d * count, scores, t.sums + d * nr, 1);
                }
            }
        }
    }
    for (ptrdiff_t i = 0; i < tiles; i++) {
        end_tile(a, tile_at(a, states, i), kv_head, (first_tile + i) * nr);
    }
}

void ck_attention(ck_pool *pool, float *y, ptrdiff_t ldy, const float *q, ptrdiff_t ldq, ptrdiff_t n,
                  const ck_run *runs, ptrdiff_t run_count, const ck_run *recent, const uint8_t *visible,
                  ck_heads heads) {
    static const ck_run nothing = {0};
    if (n <= 0) {
        return;
    }
    const ck_ops *ops = ck_pool_ops(pool);
    const ptrdiff_t mr = ops->panel_rows, nr = ops->panel_columns;
    attention a = {
        .ops = ops, .y = y, .ldy = ldy, .q = q, .ldq = ldq, .n = n, .runs = runs, .run_count = run_count,
        .recent = recent == NULL ? &nothing : recent, .visible = visible, .heads = heads,
    };
    a.group = heads.heads / heads.kv_heads;
    a.lanes = n * a.group;
    a.tiles = ck_ceil_div(a.lanes, nr);
    // Four tasks per thread where there are as many tiles, all of nearly one size.
    ptrdiff_t wanted = ck_ceil_div((ptrdiff_t)4 * ck_pool_threads(pool), heads.kv_heads);
    ptrdiff_t chunks = ck_max(ck_ceil_div(a.tiles, MAX_TASK_TILES), ck_min(wanted, a.tiles));
    a.task_tiles = ck_ceil_div(a.tiles, chunks);
    a.block_keys = ck_round_up(BLOCK_KEYS, mr);
    a.padded_dim = ck_round_up(heads.dim, mr);
    a.thread_floats = ck_round_up(
        a.task_tiles * tile_floats(&a) + a.block_keys * (nr + heads.dim + a.padded_dim), 16);
    a.scratch = ck_pool_scratch(pool, (size_t)(ck_pool_threads(pool) * a.thread_floats) * sizeof(float));
    if (a.scratch == NULL) {
        ck_attention_scalar(y, ldy, q, ldq, n, runs, run_count, a.recent, visible, heads);
        return;
    }
    ck_run_tasks(pool, ck_ceil_div(a.tiles, a.task_tiles) * heads.kv_heads, attention_task, &a);
}
