// Matrix products y = x · wᵀ.
//
// Up to 32 rows of x: dot products, w is read once and where it lies. More: x is packed into panels of MR rows and w into
// panels of NR rows, both k-major, so that the inner loop (`tile`) reads two streams; w is widened on the way. A task is a
// block of columns with all rows: it packs its part of w once. What happens then stands in blocks.c.

#include "internal.h"

enum {
    /// Length of a block of k: 13 rows of x take 20 KB, 256 rows of w 400 KB.
    K_BLOCK = 384,
    /// Columns of a task at most.
    MAX_TASK_COLUMNS = 256,
    /// Rows of x that are packed at once: bounds the scratch memory; w is packed again for each.
    MAX_PACKED_ROWS = 2080,
    /// Up to so many rows of x are multiplied row by row: packing w would cost more than the tiles save.
    MAX_VECTOR_ROWS = 32,
    /// Rows of w per task then.
    VECTOR_TASK_ROWS = 64,
};

static const ck_epilogue no_epilogue = {0};

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

    ck_blocks blocks;
    ptrdiff_t task_columns;  // a multiple of NR
    float *packed_x;
    float *thread_scratch;   // [threads]: packed w [task_columns / NR][k][NR], then tiles
    ptrdiff_t thread_floats;
} product;

// ---- Few rows ---------------------------------------------------------------------------------------------------

static void vector_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const product *p = context;
    ptrdiff_t first = index * VECTOR_TASK_ROWS, rows = ck_min(VECTOR_TASK_ROWS, p->n - first);
    float out[MAX_VECTOR_ROWS * VECTOR_TASK_ROWS];
    p->ops->dots(out, VECTOR_TASK_ROWS, p->x, p->ldx, p->m, ck_at(p->w, p->type, first * p->k), p->type, p->k, rows,
                 p->k);
    ck_epilogue epilogue = ck_shift_epilogue(p->epilogue, first);
    for (ptrdiff_t i = 0; i < p->m; i++) {
        p->ops->finish(p->y + i * p->ldy + first, out + i * VECTOR_TASK_ROWS, rows, &epilogue);
    }
}

// ---- Many rows --------------------------------------------------------------------------------------------------

static void pack_x_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const product *p = context;
    ptrdiff_t mr = p->ops->panel_rows, row = index * mr;
    for (ptrdiff_t first = 0; first < p->k; first += p->blocks.k_block) {
        ptrdiff_t count = ck_min(p->blocks.k_block, p->k - first);
        float *panel = p->packed_x + first * p->blocks.panels * mr + index * count * mr;
        p->ops->pack(panel, mr, p->x + row * p->ldx + first, CK_F32, p->ldx, ck_min(mr, p->m - row), count);
    }
}

static void finish_tile(const void *context, const float *sums, ptrdiff_t row, ptrdiff_t column) {
    const product *p = context;
    ptrdiff_t nr = p->ops->panel_columns;
    ptrdiff_t rows = ck_min(p->ops->panel_rows, p->m - row), columns = ck_min(nr, p->n - column);
    ck_epilogue epilogue = ck_shift_epilogue(p->epilogue, column);
    for (ptrdiff_t i = 0; i < rows; i++) {
        p->ops->finish(p->y + (row + i) * p->ldy + column, sums + i * nr, columns, &epilogue);
    }
}

static void block_task(void *context, ptrdiff_t index, int thread) {
    const product *p = context;
    const ptrdiff_t nr = p->ops->panel_columns, first = index * p->task_columns;
    const ptrdiff_t columns = ck_min(p->task_columns, p->n - first), panels = ck_ceil_div(columns, nr);
    float *packed_w = p->thread_scratch + thread * p->thread_floats;
    for (ptrdiff_t j = 0; j < panels; j++) {
        const void *rows = ck_at(p->w, p->type, (first + j * nr) * p->k);
        p->ops->pack(packed_w + j * nr * p->k, nr, rows, p->type, p->k, ck_min(nr, columns - j * nr), p->k);
    }
    ck_multiply_blocks(&p->blocks, packed_w, first, panels, packed_w + p->task_columns * p->k);
}

static void blocked_product(ck_pool *pool, product *p) {
    const ptrdiff_t mr = p->ops->panel_rows, nr = p->ops->panel_columns;
    const int threads = ck_pool_threads(pool);
    p->task_columns = ck_task_columns(p->n, nr, MAX_TASK_COLUMNS, threads);
    p->blocks = (ck_blocks){
        .panel_rows = mr,
        .panel_columns = nr,
        .panels = ck_ceil_div(p->m, mr),
        .units = p->k,
        .k_block = ck_ceil_div(p->k, ck_ceil_div(p->k, K_BLOCK)),
        .tile = p->ops->tile,
        .finish = finish_tile,
        .context = p,
    };
    const ptrdiff_t x_floats = ck_round_up(p->blocks.panels * mr * p->k, 16);
    p->thread_floats = ck_round_up(p->task_columns * (p->k + CK_ROW_BLOCK_PANELS * mr), 16);
    float *scratch = ck_pool_scratch(pool, (size_t)(x_floats + threads * p->thread_floats) * sizeof(float));
    if (scratch == NULL) {
        ck_linear_scalar(p->y, p->ldy, p->x, p->ldx, p->w, p->type, p->m, p->n, p->k, p->epilogue);
        return;
    }
    p->blocks.x = p->packed_x = scratch;
    p->thread_scratch = scratch + x_floats;
    ck_run_tasks(pool, p->blocks.panels, pack_x_task, p);
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
    if (m <= MAX_VECTOR_ROWS) {
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
