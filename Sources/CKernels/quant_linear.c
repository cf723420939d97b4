// Products with quantised weights.
//
// x is quantised while it is packed: for int8 weights with one scale a row, for int4 with one a group of 32. Up to 8 rows
// of x, every panel of w is read once, in up to four streams, for groups of 1, 2 or 4 rows. More rows: the int8 tiles of
// blocks.c, or int4 panels unpacked to bytes once for all rows of x.

#include "quant.h"

#include <string.h>

enum {
    /// Units of a block of k for int8: 13 rows of x take 20 KB.
    K_BLOCK = 384,
    MAX_TASK_COLUMNS = 256,
    /// Rows of x that are packed at once.
    MAX_PACKED_ROWS = 2080,
    /// Rows of x that a panel of w is multiplied with in one go.
    MAX_VECTOR_ROWS = 4,
    /// Panels of a matrix-vector task, at most.
    MAX_TASK_PANELS = 8,
    GROUP_STEPS = CK_GROUP / 4,
};

static const ck_epilogue no_epilogue = {0};

typedef struct {
    const ck_ops *ops;
    const ck_quant_ops *quant_ops;
    float *y;
    ptrdiff_t ldy;
    const float *x;
    ptrdiff_t ldx;
    const char *packed;
    ck_quant quant;
    ptrdiff_t m, n, k, units;
    const ck_epilogue *epilogue;

    ck_blocks blocks;
    ptrdiff_t panel_rows;   // rows of a panel of x
    ptrdiff_t task_panels;  // panels of w in a task
    float *packed_x;        // int8: units, as in blocks.c or [row groups][units][rows]; int4: see pack_groups
    float *x_scales;        // [m], int8 only
    float *thread_scratch;
    ptrdiff_t thread_floats;
} product;

static float *thread_scratch(const product *p, int thread) {
    return p->thread_scratch + thread * p->thread_floats;
}

/// Takes 32 columns of `rows` rows of results to y.
static void finish_rows(const product *p, const float *t, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column) {
    ck_epilogue epilogue = ck_shift_epilogue(p->epilogue, column);
    for (ptrdiff_t i = 0; i < rows; i++) {
        p->ops->finish(p->y + (row + i) * p->ldy + column, t + i * CK_QUANT_PANEL,
                       ck_min(CK_QUANT_PANEL, p->n - column), &epilogue);
    }
}

// ---- Packing x --------------------------------------------------------------------------------------------------

/// Quantises `rows` rows of x from `row` on as int8 [rows][units * 4].
static void quantise_rows(const product *p, int8_t *q, ptrdiff_t row, ptrdiff_t rows) {
    const ptrdiff_t length = p->units * 4;
    for (ptrdiff_t i = 0; i < rows; i++, q += length) {
        const float *x = p->x + (row + i) * p->ldx;
        float inverse;
        p->x_scales[row + i] = ck_int8_scale(p->quant_ops->largest_magnitude(x, p->k), &inverse);
        p->quant_ops->quantise(q, x, p->k, inverse);
        memset(q + p->k, 0, (size_t)(length - p->k));
        for (ptrdiff_t j = 0; p->quant_ops->x_offset != 0 && j < length; j++) {
            q[j] = (int8_t)((uint8_t)q[j] ^ 0x80);
        }
    }
}

/// One panel of x for int4: for each group 8 units of each row, what its sums start with, and its scale. The start takes
/// off what the 8 in q + 8 adds.
static void pack_groups(const product *p, float *panel, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t width) {
    const ptrdiff_t groups = p->units / GROUP_STEPS;
    for (ptrdiff_t i = 0; i < width; i++) {
        const float *x = p->x + (row + i) * p->ldx;
        for (ptrdiff_t group = 0; group < groups; group++) {
            const ptrdiff_t first = group * CK_GROUP, count = i < rows ? ck_min(CK_GROUP, p->k - first) : 0;
            float *out = panel + group * (GROUP_STEPS + 2) * width + i;
            int8_t q[CK_GROUP] = {0};
            float scale = 0, inverse;
            if (count > 0) {
                scale = ck_int8_scale(p->quant_ops->largest_magnitude(x + first, count), &inverse);
                p->quant_ops->quantise(q, x + first, count, inverse);
            }
            int32_t start = 0;
            for (int j = 0; j < CK_GROUP; j++) {
                start -= 8 * q[j];
            }
            for (int step = 0; step < GROUP_STEPS; step++) {
                memcpy(out + step * width, q + 4 * step, 4);
            }
            memcpy(out + GROUP_STEPS * width, &start, 4);
            out[(GROUP_STEPS + 1) * width] = scale;
        }
    }
}

// ---- Few rows ---------------------------------------------------------------------------------------------------

/// Rows of x that go together where `left` are left: 1, 2 or 4, the last of them perhaps unused.
static int vector_rows(ptrdiff_t left) {
    return left >= 3 ? 4 : (int)left;
}

/// Floats that one row of x takes, packed.
static ptrdiff_t vector_stride(const product *p) {
    return p->quant == CK_INT8 ? p->units : p->units / GROUP_STEPS * (GROUP_STEPS + 2);
}

static void vector_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const product *p = context;
    const size_t panel_bytes = ck_quant_panel_bytes(p->quant, p->k);
    ptrdiff_t first = index * p->task_panels, end = ck_min(first + p->task_panels, ck_quant_panels(p->n));
    for (ptrdiff_t panel = first; panel < end; panel++) {
        const char *w = p->packed + (size_t)panel * panel_bytes;
        const ptrdiff_t column = panel * CK_QUANT_PANEL;
        for (ptrdiff_t row = 0; row < p->m; row += MAX_VECTOR_ROWS) {
            const int rows = vector_rows(p->m - row);
            const float *x = p->packed_x + row * vector_stride(p);
            float t[MAX_VECTOR_ROWS * CK_QUANT_PANEL];
            if (p->quant == CK_INT4) {
                p->quant_ops->vector_int4(t, x, w, p->units / GROUP_STEPS, rows);
            } else {
                int32_t sums[MAX_VECTOR_ROWS * CK_QUANT_PANEL];
                p->quant_ops->vector_int8(sums, x, w, p->units, rows);
                for (ptrdiff_t i = 0; i < ck_min(rows, p->m - row); i++) {
                    p->quant_ops->scale_int8(t + i * CK_QUANT_PANEL, sums + i * CK_QUANT_PANEL,
                                             ck_int8_scales(p->packed, p->n, p->k) + column,
                                             ck_int8_sums(p->packed, p->n, p->k) + column, p->x_scales[row + i],
                                             CK_QUANT_PANEL);
                }
            }
            finish_rows(p, t, row, ck_min(rows, p->m - row), column);
        }
    }
}

static int vector_product(ck_pool *pool, product *p) {
    const ptrdiff_t padded_rows = ck_round_up(p->m, MAX_VECTOR_ROWS), length = ck_round_up(vector_stride(p), 16);
    float *scratch = ck_pool_scratch(pool, (size_t)((padded_rows + MAX_VECTOR_ROWS) * length + 16) * sizeof(float));
    if (scratch == NULL) {
        return 0;
    }
    float scales[CK_MAX_VECTOR_ROWS];
    p->x_scales = scales;
    p->packed_x = scratch;
    int8_t *q = (int8_t *)(scratch + padded_rows * length);
    for (ptrdiff_t row = 0; row < p->m; row += MAX_VECTOR_ROWS) {
        ptrdiff_t used = ck_min(MAX_VECTOR_ROWS, p->m - row), width = vector_rows(p->m - row);
        float *panel = p->packed_x + row * vector_stride(p);
        if (p->quant == CK_INT4) {
            pack_groups(p, panel, row, used, width);
        } else {
            quantise_rows(p, q, row, used);
            p->ops->pack(panel, width, q, CK_F32, p->units, used, p->units);
        }
    }
    const ptrdiff_t panels = ck_quant_panels(p->n);
    p->task_panels = ck_max(1, ck_min(MAX_TASK_PANELS, panels / (8 * ck_pool_threads(pool))));
    ck_run_tasks(pool, ck_ceil_div(panels, p->task_panels), vector_task, p);
    return 1;
}

// ---- Many rows: packing, and int8 --------------------------------------------------------------------------------------------

static void pack_x_task(void *context, ptrdiff_t index, int thread) {
    const product *p = context;
    const ptrdiff_t width = p->panel_rows, row = index * width, rows = ck_min(width, p->m - row);
    if (p->quant == CK_INT4) {
        pack_groups(p, p->packed_x + row * vector_stride(p), row, rows, width);
        return;
    }
    float *q = thread_scratch(p, thread);
    quantise_rows(p, (int8_t *)q, row, rows);
    for (ptrdiff_t first = 0; first < p->units; first += p->blocks.k_block) {
        ptrdiff_t count = ck_min(p->blocks.k_block, p->units - first);
        float *panel = p->packed_x + first * p->blocks.panels * width + index * count * width;
        p->ops->pack(panel, width, q + first, CK_F32, p->units, rows, count);
    }
}

static void finish_tile(const void *context, const float *sums, ptrdiff_t row, ptrdiff_t column) {
    const product *p = context;
    const ptrdiff_t rows = ck_min(p->panel_rows, p->m - row);
    float t[CK_MAX_PANEL_ROWS * CK_QUANT_PANEL];
    for (ptrdiff_t i = 0; i < rows; i++) {
        p->quant_ops->scale_int8(t + i * CK_QUANT_PANEL, (const int32_t *)(sums + i * CK_QUANT_PANEL),
                                 ck_int8_scales(p->packed, p->n, p->k) + column,
                                 ck_int8_sums(p->packed, p->n, p->k) + column, p->x_scales[row + i], CK_QUANT_PANEL);
    }
    finish_rows(p, t, row, rows, column);
}

static void block_task(void *context, ptrdiff_t index, int thread) {
    const product *p = context;
    const ptrdiff_t first = index * p->task_panels, count = ck_min(p->task_panels, ck_quant_panels(p->n) - first);
    const char *w = p->packed + (size_t)first * ck_quant_panel_bytes(CK_INT8, p->k);
    ck_multiply_blocks(&p->blocks, (const float *)w, first * CK_QUANT_PANEL, count, thread_scratch(p, thread));
}

// ---- Many rows, int4 --------------------------------------------------------------------------------------------

static void group_task(void *context, ptrdiff_t index, int thread) {
    const product *p = context;
    const ptrdiff_t groups = p->units / GROUP_STEPS, width = p->panel_rows;
    const ptrdiff_t first = index * p->task_panels, count = ck_min(p->task_panels, ck_quant_panels(p->n) - first);
    float *scales = thread_scratch(p, thread);
    uint8_t *w = (uint8_t *)(scales + p->task_panels * groups * CK_QUANT_PANEL);
    for (ptrdiff_t j = 0; j < count; j++) {
        p->quant_ops->unpack_int4(w + j * p->units * 4 * CK_QUANT_PANEL, scales + j * groups * CK_QUANT_PANEL,
                                  p->packed + (size_t)(first + j) * ck_quant_panel_bytes(CK_INT4, p->k), groups);
    }
    for (ptrdiff_t row = 0; row < p->m; row += width) {
        for (ptrdiff_t j = 0; j < count; j++) {
            float t[CK_MAX_PANEL_ROWS * CK_QUANT_PANEL];
            p->quant_ops->tile_int4(t, p->packed_x + row * vector_stride(p), w + j * p->units * 4 * CK_QUANT_PANEL,
                                    scales + j * groups * CK_QUANT_PANEL, groups);
            finish_rows(p, t, row, ck_min(width, p->m - row), (first + j) * CK_QUANT_PANEL);
        }
    }
}

// ---- Many rows --------------------------------------------------------------------------------------------------

static int blocked_product(ck_pool *pool, product *p) {
    const int int8 = p->quant == CK_INT8, threads = ck_pool_threads(pool);
    const ptrdiff_t width = int8 ? p->quant_ops->panel_rows : p->quant_ops->group_rows;
    p->panel_rows = width;
    // An int4 panel becomes 32 k bytes: as many as leave room for x in the second-level cache.
    ptrdiff_t most = int8 ? MAX_TASK_COLUMNS : ck_max(1, (400 << 10) / (p->units * 4 * CK_QUANT_PANEL)) * CK_QUANT_PANEL;
    p->task_panels =
        ck_task_columns(p->n, CK_QUANT_PANEL, ck_min(most, MAX_TASK_COLUMNS), threads) / CK_QUANT_PANEL;
    p->blocks = (ck_blocks){
        .panel_rows = width,
        .panel_columns = CK_QUANT_PANEL,
        .panels = ck_ceil_div(p->m, width),
        .units = p->units,
        .k_block = ck_ceil_div(p->units, ck_ceil_div(p->units, K_BLOCK)),
        .tile = p->quant_ops->tile_int8,
        .finish = finish_tile,
        .context = p,
    };
    const ptrdiff_t x_floats = ck_round_up(p->blocks.panels * width * vector_stride(p), 16);
    const ptrdiff_t scale_floats = ck_round_up(p->m, 16);
    // int8: a panel's rows of x, later tiles of sums. int4: scales and bytes of a task's panels.
    const ptrdiff_t tiles = CK_ROW_BLOCK_PANELS * p->task_panels * width * CK_QUANT_PANEL;
    p->thread_floats = int8 ? ck_max(tiles, ck_round_up(width * p->units, 16))
                            : p->task_panels * CK_QUANT_PANEL * (p->units / GROUP_STEPS + p->units);
    float *scratch =
        ck_pool_scratch(pool, (size_t)(x_floats + scale_floats + threads * p->thread_floats) * sizeof(float));
    if (scratch == NULL) {
        return 0;
    }
    p->blocks.x = p->packed_x = scratch;
    p->x_scales = scratch + x_floats;
    p->thread_scratch = p->x_scales + scale_floats;
    ck_run_tasks(pool, p->blocks.panels, pack_x_task, p);
    ck_run_tasks(pool, ck_ceil_div(ck_quant_panels(p->n), p->task_panels), int8 ? block_task : group_task, p);
    return 1;
}

void ck_linear_packed(ck_pool *pool, float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *packed,
                      ck_quant quant, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue) {
    if (n <= 0) {
        return;
    }
    for (ptrdiff_t row = 0; row < m; row += MAX_PACKED_ROWS) {
        product p = {
            .ops = ck_pool_ops(pool),
            .quant_ops = ck_pool_quant_ops(pool),
            .y = y + row * ldy,
            .ldy = ldy,
            .x = x + row * ldx,
            .ldx = ldx,
            .packed = packed,
            .quant = quant,
            .m = ck_min(MAX_PACKED_ROWS, m - row),
            .n = n,
            .k = k,
            .units = ck_quant_units(quant, k),
            .epilogue = epilogue == NULL ? &no_epilogue : epilogue,
        };
        int done = k > 0 && (m <= CK_MAX_VECTOR_ROWS ? vector_product(pool, &p) : blocked_product(pool, &p));
        if (!done) {
            ck_linear_packed_scalar(p.y, ldy, p.x, ldx, packed, quant, p.m, n, k, epilogue);
        }
    }
}
