// Matrix products y = x · wᵀ.
//
// Up to 8 rows of x: dot products, w is read once and where it lies. More: x is packed into panels of MR rows and w into
// panels of NR rows, both k-major, so that the inner loop (`tile`) reads two streams; w is widened on the way. A task is a
// block of columns with all rows: it packs its part of w once. Inside, blocks of k keep a panel of x in the first-level
// cache and the block of w in the second; partial sums wait in tiles beside them.

#include "internal.h"

#include <string.h>

enum {
    /// Length of a block of k: 13 rows of x take 20 KB, 256 rows of w 400 KB.
    K_BLOCK = 384,
    /// Rows of x whose partial sums lie in the second-level cache together, in panels.
    ROW_BLOCK_PANELS = 16,
    /// Columns of a task at most.
    MAX_TASK_COLUMNS = 256,
    /// Rows of x that are packed at once: bounds the scratch memory; w is packed again for each.
    MAX_PACKED_ROWS = 2080,
    /// Rows of w per task of a matrix-vector product.
    VECTOR_TASK_ROWS = 64,
};

static const ck_epilogue no_epilogue = {0};

static ck_epilogue shift_epilogue(const ck_epilogue *epilogue, ptrdiff_t column) {
    ck_epilogue shifted = *epilogue;
    if (shifted.bias != NULL) {
        shifted.bias += column;
    }
    if (shifted.scale != NULL) {
        shifted.scale += column;
    }
    return shifted;
}

typedef struct {
    const ck_ops *ops;
    float *y;
    ptrdiff_t ldy;
    const float *x;
    ptrdiff_t ldx;
    const void *w;
    ck_type type;
    ptrdiff_t m, n, k;
    const ck_epilogue *epilogue;

    ptrdiff_t k_block;       // length of a block of k, the last may be shorter
    ptrdiff_t panels;        // of x
    ptrdiff_t task_columns;  // a multiple of NR
    float *packed_x;         // [k blocks][panels][k_block][MR]
    float *thread_scratch;   // [threads]: packed w [task_columns / NR][k][NR], then tiles
    ptrdiff_t thread_floats;
} product;

// ---- Few rows ---------------------------------------------------------------------------------------------------

static void vector_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const product *p = context;
    ptrdiff_t first = index * VECTOR_TASK_ROWS, rows = ck_min(VECTOR_TASK_ROWS, p->n - first);
    float out[CK_MAX_VECTOR_ROWS * VECTOR_TASK_ROWS];
    p->ops->dots(out, VECTOR_TASK_ROWS, p->x, p->ldx, p->m, ck_at(p->w, p->type, first * p->k), p->type, rows, p->k);
    ck_epilogue epilogue = shift_epilogue(p->epilogue, first);
    for (ptrdiff_t i = 0; i < p->m; i++) {
        p->ops->finish(p->y + i * p->ldy + first, out + i * VECTOR_TASK_ROWS, rows, &epilogue);
    }
}

// ---- Many rows --------------------------------------------------------------------------------------------------

static void pack_x_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const product *p = context;
    ptrdiff_t mr = p->ops->panel_rows, row = index * mr;
    for (ptrdiff_t first = 0; first < p->k; first += p->k_block) {
        ptrdiff_t count = ck_min(p->k_block, p->k - first);
        float *panel = p->packed_x + first * p->panels * mr + index * count * mr;
        p->ops->pack(panel, mr, p->x + row * p->ldx + first, CK_F32, p->ldx, ck_min(mr, p->m - row), count);
    }
}

/// Writes a finished tile to y.
static void finish_tile(const product *p, const float *sums, ptrdiff_t row, ptrdiff_t column) {
    ptrdiff_t nr = p->ops->panel_columns;
    ptrdiff_t rows = ck_min(p->ops->panel_rows, p->m - row), columns = ck_min(nr, p->n - column);
    ck_epilogue epilogue = shift_epilogue(p->epilogue, column);
    for (ptrdiff_t i = 0; i < rows; i++) {
        p->ops->finish(p->y + (row + i) * p->ldy + column, sums + i * nr, columns, &epilogue);
    }
}

static void block_task(void *context, ptrdiff_t index, int thread) {
    const product *p = context;
    const ck_ops *ops = p->ops;
    const ptrdiff_t mr = ops->panel_rows, nr = ops->panel_columns;
    const ptrdiff_t first_column = index * p->task_columns;
    const ptrdiff_t columns = ck_min(p->task_columns, p->n - first_column), column_panels = ck_ceil_div(columns, nr);
    float *packed_w = p->thread_scratch + thread * p->thread_floats;
    float *sums = packed_w + p->task_columns * p->k;

    for (ptrdiff_t j = 0; j < column_panels; j++) {
        const void *rows = ck_at(p->w, p->type, (first_column + j * nr) * p->k);
        ops->pack(packed_w + j * nr * p->k, nr, rows, p->type, p->k, ck_min(nr, columns - j * nr), p->k);
    }
    for (ptrdiff_t block = 0; block < p->panels; block += ROW_BLOCK_PANELS) {
        ptrdiff_t block_end = ck_min(block + ROW_BLOCK_PANELS, p->panels);
        for (ptrdiff_t first = 0; first < p->k; first += p->k_block) {
            ptrdiff_t count = ck_min(p->k_block, p->k - first);
            for (ptrdiff_t i = block; i < block_end; i++) {
                const float *a = p->packed_x + first * p->panels * mr + i * count * mr;
                for (ptrdiff_t j = 0; j < column_panels; j++) {
                    float *c = sums + ((i - block) * column_panels + j) * mr * nr;
                    ops->tile(count, a, packed_w + j * nr * p->k + first * nr, c, first > 0);
                    if (first + count == p->k) {
                        finish_tile(p, c, i * mr, first_column + j * nr);
                    }
                }
            }
        }
    }
}

/// Columns per task: many enough to use a panel of x often, so few that the last tasks keep all threads busy.
static ptrdiff_t choose_task_columns(ptrdiff_t n, ptrdiff_t nr, int threads) {
    ptrdiff_t panels = ck_ceil_div(n, nr), best = 1;
    double least = 1e30;
    for (ptrdiff_t size = MAX_TASK_COLUMNS / nr; size >= 1; size--) {
        ptrdiff_t rounds = ck_ceil_div(ck_ceil_div(panels, size), threads);
        // One panel of w costs about 6 % more when it is alone in its task.
        double cost = (double)(rounds * size) * (1 + 0.06 / (double)size);
        if (cost < least) {
            least = cost;
            best = size;
        }
    }
    return best * nr;
}

static void blocked_product(ck_pool *pool, product *p) {
    const ptrdiff_t mr = p->ops->panel_rows, nr = p->ops->panel_columns;
    const int threads = ck_pool_threads(pool);
    p->k_block = ck_ceil_div(p->k, ck_ceil_div(p->k, K_BLOCK));
    p->panels = ck_ceil_div(p->m, mr);
    p->task_columns = choose_task_columns(p->n, nr, threads);

    const ptrdiff_t x_floats = ck_round_up(p->panels * mr * p->k, 16);
    p->thread_floats = ck_round_up(p->task_columns * (p->k + ROW_BLOCK_PANELS * mr), 16);
    float *scratch = ck_pool_scratch(pool, (size_t)(x_floats + threads * p->thread_floats) * sizeof(float));
    if (scratch == NULL) {
        ck_linear_scalar(p->y, p->ldy, p->x, p->ldx, p->w, p->type, p->m, p->n, p->k, p->epilogue);
        return;
    }
    p->packed_x = scratch;
    p->thread_scratch = scratch + x_floats;
    ck_run_tasks(pool, p->panels, pack_x_task, p);
    ck_run_tasks(pool, ck_ceil_div(p->n, p->task_columns), block_task, p);
}

void ck_linear(ck_pool *pool, float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *w, ck_type type,
               ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue) {
    if (m <= 0 || n <= 0) {
        return;
    }
    epilogue = epilogue == NULL ? &no_epilogue : epilogue;
    if (k <= 0) {
        ck_linear_scalar(y, ldy, x, ldx, w, type, m, n, 0, epilogue);
        return;
    }
    product p = {
        .ops = ck_pool_ops(pool), .y = y, .ldy = ldy, .x = x, .ldx = ldx, .w = w, .type = type, .m = m, .n = n, .k = k,
        .epilogue = epilogue,
    };
    if (m <= CK_MAX_VECTOR_ROWS) {
        ck_run_tasks(pool, ck_ceil_div(n, VECTOR_TASK_ROWS), vector_task, &p);
        return;
    }
    for (ptrdiff_t row = 0; row < m; row += MAX_PACKED_ROWS) {
        p.y = y + row * ldy;
        p.x = x + row * ldx;
        p.m = ck_min(MAX_PACKED_ROWS, m - row);
        blocked_product(pool, &p);
    }
}
