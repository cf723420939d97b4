// Attention for few queries, as in decoding: keys and values are read once and where they lie.
//
// A task is one key head with all query heads that share it, its "lanes".

#include "attention.h"

enum {
    BLOCK_KEYS = 128,
};

/// What a task keeps: [lanes] of each.
typedef struct {
    float *queries;  // [lanes][dim], scaled
    float *sums;     // [lanes][dim], of values times weights
    float max[CK_MAX_PANEL_COLUMNS / 2];
    float total[CK_MAX_PANEL_COLUMNS / 2];
} lanes_state;

static ptrdiff_t head_of(const ck_attention_call *a, ptrdiff_t kv_head, ptrdiff_t lane) {
    return kv_head * a->group + lane % a->group;
}

static void hide(const ck_attention_call *a, float *scores, ptrdiff_t lane, ptrdiff_t first, ptrdiff_t count) {
    const ptrdiff_t query = lane / a->group;
    for (ptrdiff_t key = 0; key < count; key++) {
        int visible = a->visible == NULL ? first + key <= query : a->visible[query * a->n + first + key];
        if (!visible) {
            scores[key] = -__builtin_inff();
        }
    }
}

static void attend_block(const ck_attention_call *a, lanes_state *t, const ck_run *run, int recent, ptrdiff_t kv_head,
                         ptrdiff_t first, ptrdiff_t count) {
    const ptrdiff_t dim = a->heads.dim, offset = first * run->ld + kv_head * dim;
    float scores[CK_MAX_PANEL_COLUMNS / 2 * BLOCK_KEYS], factor[CK_MAX_PANEL_COLUMNS / 2];
    a->ops->dots(scores, BLOCK_KEYS, t->queries, dim, a->lanes, run->keys + offset, CK_F32, run->ld, count, dim);
    for (ptrdiff_t lane = 0; lane < a->lanes; lane++) {
        float *row = scores + lane * BLOCK_KEYS;
        if (recent) {
            hide(a, row, lane, first, count);
        }
        factor[lane] = a->ops->softmax_row(row, count, &t->max[lane], &t->total[lane]);
    }
    a->ops->weigh(t->sums, dim, factor, scores, BLOCK_KEYS, a->lanes, run->values + offset, run->ld, count);
}

static void few_task(void *context, ptrdiff_t kv_head, int thread) {
    const ck_attention_call *a = context;
    const ptrdiff_t dim = a->heads.dim;
    lanes_state t;
    t.queries = a->scratch + thread * a->thread_floats;
    t.sums = t.queries + a->lanes * dim;
    for (ptrdiff_t lane = 0; lane < a->lanes; lane++) {
        const float *row = a->q + lane / a->group * a->ldq + head_of(a, kv_head, lane) * dim;
        t.max[lane] = CK_LOWEST;
        t.total[lane] = 0;
        for (ptrdiff_t d = 0; d < dim; d++) {
            t.queries[lane * dim + d] = row[d] * a->heads.scale;
            t.sums[lane * dim + d] = 0;
        }
    }
    for (ptrdiff_t r = 0; r <= a->run_count; r++) {
        const int recent = r == a->run_count;
        const ck_run *run = recent ? a->recent : &a->runs[r];
        for (ptrdiff_t first = 0; first < run->count; first += BLOCK_KEYS) {
            attend_block(a, &t, run, recent, kv_head, first, ck_min(BLOCK_KEYS, run->count - first));
        }
    }
    for (ptrdiff_t lane = 0; lane < a->lanes; lane++) {
        const float factor = t.total[lane] == 0 ? 0 : 1 / t.total[lane];
        float *row = a->y + lane / a->group * a->ldy + head_of(a, kv_head, lane) * dim;
        for (ptrdiff_t d = 0; d < dim; d++) {
            row[d] = t.sums[lane * dim + d] * factor;
        }
    }
}

int ck_attention_few(ck_pool *pool, ck_attention_call *a) {
    a->thread_floats = ck_round_up(2 * a->lanes * a->heads.dim, 16);
    a->scratch = ck_pool_scratch(pool, (size_t)(ck_pool_threads(pool) * a->thread_floats) * sizeof(float));
    if (a->scratch == NULL) {
        return 0;
    }
    ck_run_tasks(pool, a->heads.kv_heads, few_task, a);
    return 1;
}
