// Activations, sums, rotary positions and searches: vector code shared out among threads.

#include "internal.h"

enum {
    /// Elements per task: tens of microseconds, far more than handing it out costs.
    TASK_ELEMENTS = 16384,
};

void ck_widen(float *y, const void *x, ck_type type, ptrdiff_t count) {
    ck_best_unit()->ops->widen(y, x, type, count);
}

typedef struct {
    const ck_ops *ops;
    float *x;
    const float *y;
    ptrdiff_t count;
} pair;

static void swiglu_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const pair *p = context;
    ptrdiff_t first = index * TASK_ELEMENTS;
    p->ops->swiglu(p->x + first, p->y + first, ck_min(TASK_ELEMENTS, p->count - first));
}

void ck_swiglu(ck_pool *pool, float *gate, const float *up, ptrdiff_t count) {
    pair p = {ck_pool_ops(pool), gate, up, count};
    ck_run_tasks(pool, ck_ceil_div(count, TASK_ELEMENTS), swiglu_task, &p);
}

static void add_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const pair *p = context;
    ptrdiff_t first = index * TASK_ELEMENTS;
    p->ops->add(p->x + first, p->y + first, ck_min(TASK_ELEMENTS, p->count - first));
}

void ck_add(ck_pool *pool, float *x, const float *y, ptrdiff_t count) {
    pair p = {ck_pool_ops(pool), x, y, count};
    ck_run_tasks(pool, ck_ceil_div(count, TASK_ELEMENTS), add_task, &p);
}

typedef struct {
    const ck_ops *ops;
    float *x;
    ptrdiff_t ldx;
    const float *cosines, *sines;
    ptrdiff_t rows, task_rows;
    int heads, dim;
} rotation;

static void rope_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const rotation *r = context;
    ptrdiff_t half = r->dim / 2, first = index * r->task_rows;
    for (ptrdiff_t row = first; row < ck_min(first + r->task_rows, r->rows); row++) {
        for (ptrdiff_t head = 0; head < r->heads; head++) {
            r->ops->rope(r->x + row * r->ldx + head * r->dim, r->cosines + row * half, r->sines + row * half, half);
        }
    }
}

void ck_rope(ck_pool *pool, float *x, ptrdiff_t ldx, const float *cosines, const float *sines, ptrdiff_t rows,
             int heads, int dim) {
    rotation r = {ck_pool_ops(pool), x, ldx, cosines, sines, rows, 1, heads, dim};
    r.task_rows = ck_max(1, TASK_ELEMENTS / ck_max(1, (ptrdiff_t)heads * dim));
    ck_run_tasks(pool, ck_ceil_div(rows, r.task_rows), rope_task, &r);
}

ptrdiff_t ck_argmax(const float *x, ptrdiff_t count) {
    return ck_best_unit()->ops->argmax(x, count);
}

typedef struct {
    const ck_ops *ops;
    float *y;
    const float *x;
    ptrdiff_t columns;
} reduction;

static void log_sum_exp_task(void *context, ptrdiff_t row, int thread) {
    (void)thread;
    const reduction *r = context;
    r->y[row] = (float)r->ops->log_sum_exp(r->x + row * r->columns, r->columns);
}

void ck_log_sum_exp(ck_pool *pool, float *y, const float *x, ptrdiff_t rows, ptrdiff_t columns) {
    reduction r = {ck_pool_ops(pool), y, x, columns};
    ck_run_tasks(pool, rows, log_sum_exp_task, &r);
}
