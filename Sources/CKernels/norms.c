// Layer norm and RMS norm: a row is a thread's own.

#include "internal.h"

typedef struct {
    const ck_ops *ops;
    float *y;
    const float *x, *weight, *bias;
    float eps;
    ptrdiff_t rows, columns, task_rows;
} norm;

static ptrdiff_t task_rows(ptrdiff_t columns) {
    return ck_max(1, 16384 / ck_max(1, columns));
}

static void layer_norm_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const norm *n = context;
    ptrdiff_t first = index * n->task_rows;
    for (ptrdiff_t row = first; row < ck_min(first + n->task_rows, n->rows); row++) {
        ptrdiff_t offset = row * n->columns;
        n->ops->layer_norm(n->y + offset, n->x + offset, n->weight, n->bias, n->eps, n->columns);
    }
}

void ck_layer_norm(ck_pool *pool, float *y, const float *x, const float *weight, const float *bias, float eps,
                   ptrdiff_t rows, ptrdiff_t columns) {
    norm n = {ck_pool_ops(pool), y, x, weight, bias, eps, rows, columns, task_rows(columns)};
    ck_run_tasks(pool, ck_ceil_div(rows, n.task_rows), layer_norm_task, &n);
}

static void rms_norm_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const norm *n = context;
    ptrdiff_t first = index * n->task_rows;
    for (ptrdiff_t row = first; row < ck_min(first + n->task_rows, n->rows); row++) {
        ptrdiff_t offset = row * n->columns;
        n->ops->rms_norm(n->y + offset, n->x + offset, n->weight, n->eps, n->columns);
    }
}

void ck_rms_norm(ck_pool *pool, float *y, const float *x, const float *weight, float eps, ptrdiff_t rows,
                 ptrdiff_t columns) {
    norm n = {ck_pool_ops(pool), y, x, weight, NULL, eps, rows, columns, task_rows(columns)};
    ck_run_tasks(pool, ck_ceil_div(rows, n.task_rows), rms_norm_task, &n);
}
