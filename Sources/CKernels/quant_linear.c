// Products with quantised weights.
//
// x is normalised or activated and quantised while it is packed, once for all matrices that it goes by: for int8 weights
// with one scale a row, for int4 with one a group of 32. Up to 8 rows of x, every panel of w is read once, up to four
// panels side by side, for groups of 1, 2 or 4 rows. More rows: the int8 tiles of blocks.c, or int4 panels unpacked to
// bytes once for all rows of x.

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
    /// Panels side by side, at most.
    MAX_STREAMS = 4,
    /// Panels of a matrix-vector task at most, and their bytes: some ten microseconds.
    MAX_TASK_PANELS = 16,
    MAX_TASK_BYTES = 512 << 10,
    GROUP_STEPS = CK_GROUP / 4,
};

static const ck_prologue no_prologue = {0};

typedef struct {
    const ck_ops *ops;
    const ck_quant_ops *quant_ops;
    const float *x;
    ptrdiff_t ldx;
    const ck_prologue *prologue;
    ck_quant quant;
    ptrdiff_t m, k, units;

    float *y;
    ptrdiff_t ldy;
    const char *packed;
    ptrdiff_t n;
    const ck_epilogue *epilogue;

    ck_blocks blocks;
    ptrdiff_t panel_rows;   // rows of a panel of x
    ptrdiff_t task_panels;  // panels of w in a task
    float *packed_x;        // int8: units, as in blocks.c or [row groups][units][rows]; int4: see pack_groups
    float *x_scales;        // [m], int8 only
    float *thread_scratch;
    ptrdiff_t thread_floats;
} product;

/// Several products of the same rows of x; what does not depend on the matrix is that of the first.
typedef struct {
    product products[CK_MAX_PRODUCTS];
    int count;
    /// Many rows: where each product's tasks begin, and their number. Few: the same for its panels.
    ptrdiff_t first[CK_MAX_PRODUCTS + 1];
    ck_ranges ranges;
} product_group;

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

/// A row of x as it is multiplied; `buffer` has room for it.
static const float *prepared_row(const product *p, ptrdiff_t row, float *buffer) {
    const ck_prologue *prologue = p->prologue;
    const float *x = p->x + row * p->ldx;
    switch (prologue->kind) {
        case CK_AS_IS: return x;
        case CK_LAYER_NORM:
            p->ops->layer_norm(buffer, x, prologue->weight, prologue->bias, prologue->eps, p->k);
            break;
        case CK_RMS_NORM: p->ops->rms_norm(buffer, x, prologue->weight, prologue->eps, p->k); break;
        case CK_SWIGLU:
            memcpy(buffer, x, (size_t)p->k * sizeof *buffer);
            p->ops->swiglu(buffer, prologue->up + row * prologue->ldup, p->k);
            break;
    }
    return buffer;
}

/// Floats that `prepared_row` wants.
static ptrdiff_t row_floats(const product *p) {
    return p->prologue->kind == CK_AS_IS ? 0 : ck_round_up(p->k, 16);
}

/// Quantises `rows` rows of x from `row` on as int8 [rows][units * 4].
static void quantise_rows(const product *p, int8_t *q, float *buffer, ptrdiff_t row, ptrdiff_t rows) {
    const ptrdiff_t length = p->units * 4;
    for (ptrdiff_t i = 0; i < rows; i++, q += length) {
        const float *x = prepared_row(p, row + i, buffer);
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
static void pack_groups(const product *p, float *panel, float *buffer, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t width) {
    const ptrdiff_t groups = p->units / GROUP_STEPS;
    for (ptrdiff_t i = 0; i < width; i++) {
        const float *x = i < rows ? prepared_row(p, row + i, buffer) : NULL;
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

/// Panels side by side, at most, for `rows` rows of x: as many as there are registers for sums.
static int most_streams(const product *p, int rows) {
    const int streams = p->quant_ops->streams;
    return rows > (p->quant == CK_INT8 ? 2 : 1) ? (int)ck_max(1, streams / 2) : streams;
}

/// All rows of x with `streams` panels, from `panel` on and `distance` panels apart.
static void multiply_panels(const product *p, ptrdiff_t panel, ptrdiff_t distance, int streams) {
    const size_t panel_bytes = ck_quant_panel_bytes(p->quant, p->k), stride = (size_t)distance * panel_bytes;
    const char *w = p->packed + (size_t)panel * panel_bytes;
    // What is needed when the sums are there would be waited for.
    for (int s = 0; s < streams && p->quant == CK_INT8; s++) {
        const ptrdiff_t column = (panel + s * distance) * CK_QUANT_PANEL;
        for (int i = 0; i < CK_QUANT_PANEL; i += 16) {
            __builtin_prefetch(ck_int8_scales(p->packed, p->n, p->k) + column + i);
            __builtin_prefetch(ck_int8_sums(p->packed, p->n, p->k) + column + i);
        }
    }
    for (ptrdiff_t row = 0; row < p->m; row += MAX_VECTOR_ROWS) {
        const int rows = vector_rows(p->m - row);
        const ptrdiff_t used = ck_min(rows, p->m - row);
        const float *x = p->packed_x + row * vector_stride(p);
        float t[MAX_STREAMS * MAX_VECTOR_ROWS * CK_QUANT_PANEL];
        int32_t sums[MAX_STREAMS * MAX_VECTOR_ROWS * CK_QUANT_PANEL];
        if (p->quant == CK_INT4) {
            p->quant_ops->vector_int4(t, x, w, stride, p->units / GROUP_STEPS, rows, streams);
        } else {
            p->quant_ops->vector_int8(sums, x, w, stride, p->units, rows, streams);
        }
        for (int s = 0; s < streams; s++) {
            const ptrdiff_t column = (panel + s * distance) * CK_QUANT_PANEL, first = (ptrdiff_t)s * rows * CK_QUANT_PANEL;
            for (ptrdiff_t i = 0; p->quant == CK_INT8 && i < used; i++) {
                p->quant_ops->scale_int8(t + first + i * CK_QUANT_PANEL, sums + first + i * CK_QUANT_PANEL,
                                         ck_int8_scales(p->packed, p->n, p->k) + column,
                                         ck_int8_sums(p->packed, p->n, p->k) + column, p->x_scales[row + i],
                                         CK_QUANT_PANEL);
            }
            finish_rows(p, t + first, row, used, column);
        }
    }
}

static void vector_task(void *context, ptrdiff_t index, int thread) {
    (void)thread;
    const product_group *group = context;
    ptrdiff_t begin, end;
    ck_range_at(&group->ranges, index, &begin, &end);
    for (int i = 0; i < group->count; i++) {
        const product *p = &group->products[i];
        ptrdiff_t panel = ck_max(begin, group->first[i]) - group->first[i];
        ptrdiff_t left = ck_min(end, group->first[i + 1]) - group->first[i] - panel;
        // The streams are parts of one length that follow one another.
        for (int streams = most_streams(p, vector_rows(p->m)); left > 0; streams /= 2) {
            const ptrdiff_t length = left / streams;
            for (ptrdiff_t j = 0; j < length; j++) {
                multiply_panels(p, panel + j, length, streams);
            }
            panel += length * streams;
            left -= length * streams;
        }
    }
}

static int vector_products(ck_pool *pool, product_group *group) {
    product *p = &group->products[0];
    const ptrdiff_t padded_rows = ck_round_up(p->m, MAX_VECTOR_ROWS), length = ck_round_up(vector_stride(p), 16);
    const ptrdiff_t floats = (padded_rows + MAX_VECTOR_ROWS) * length + 16;
    float *scratch = ck_pool_scratch(pool, (size_t)(floats + row_floats(p)) * sizeof(float));
    if (scratch == NULL) {
        return 0;
    }
    float scales[CK_MAX_VECTOR_ROWS];
    p->x_scales = scales;
    p->packed_x = scratch;
    int8_t *q = (int8_t *)(scratch + padded_rows * length);
    float *buffer = scratch + floats;
    for (ptrdiff_t row = 0; row < p->m; row += MAX_VECTOR_ROWS) {
        ptrdiff_t used = ck_min(MAX_VECTOR_ROWS, p->m - row), width = vector_rows(p->m - row);
        float *panel = p->packed_x + row * vector_stride(p);
        if (p->quant == CK_INT4) {
            pack_groups(p, panel, buffer, row, used, width);
        } else {
            quantise_rows(p, q, buffer, row, used);
            p->ops->pack(panel, width, q, CK_F32, p->units, used, p->units);
        }
    }
    for (int i = 0; i < group->count; i++) {
        group->products[i].x_scales = p->x_scales;
        group->products[i].packed_x = p->packed_x;
        group->first[i + 1] = group->first[i] + ck_quant_panels(group->products[i].n);
    }
    const ptrdiff_t fitting = MAX_TASK_BYTES / (ptrdiff_t)ck_quant_panel_bytes(p->quant, p->k);
    group->ranges = ck_shared_out(group->first[group->count], ck_max(1, ck_min(MAX_TASK_PANELS, fitting)),
                                  ck_pool_threads(pool));
    ck_run_tasks(pool, group->ranges.count, vector_task, group);
    return 1;
}

// ---- Many rows: packing, and int8 --------------------------------------------------------------------------------------------

static void pack_x_task(void *context, ptrdiff_t index, int thread) {
    const product *p = context;
    const ptrdiff_t width = p->panel_rows, row = index * width, rows = ck_min(width, p->m - row);
    float *buffer = thread_scratch(p, thread), *q = buffer + row_floats(p);
    if (p->quant == CK_INT4) {
        pack_groups(p, p->packed_x + row * vector_stride(p), buffer, row, rows, width);
        return;
    }
    quantise_rows(p, (int8_t *)q, buffer, row, rows);
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

static void block_task(const product *p, ptrdiff_t index, int thread) {
    const ptrdiff_t first = index * p->task_panels, count = ck_min(p->task_panels, ck_quant_panels(p->n) - first);
    const char *w = p->packed + (size_t)first * ck_quant_panel_bytes(CK_INT8, p->k);
    ck_multiply_blocks(&p->blocks, (const float *)w, first * CK_QUANT_PANEL, count, thread_scratch(p, thread));
}

// ---- Many rows, int4 --------------------------------------------------------------------------------------------

static void group_task(const product *p, ptrdiff_t index, int thread) {
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

static void product_task(void *context, ptrdiff_t index, int thread) {
    const product_group *group = context;
    int i = 0;
    while (index >= group->first[i + 1]) {
        i++;
    }
    (group->products[i].quant == CK_INT8 ? block_task : group_task)(&group->products[i], index - group->first[i], thread);
}

/// How a product's panels are walked, and the scratch memory that it needs beside the packed rows.
static void plan(product *p, int threads) {
    const int int8 = p->quant == CK_INT8;
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
    // int8: a panel's rows of x, later tiles of sums. int4: a row of x, later scales and bytes of a task's panels.
    const ptrdiff_t tiles = CK_ROW_BLOCK_PANELS * p->task_panels * width * CK_QUANT_PANEL;
    const ptrdiff_t packing = row_floats(p) + ck_round_up(width * p->units, 16);
    p->thread_floats =
        ck_max(packing, int8 ? tiles : p->task_panels * CK_QUANT_PANEL * (p->units / GROUP_STEPS + p->units));
}

static int blocked_products(ck_pool *pool, product_group *group) {
    product *p = &group->products[0];
    const int threads = ck_pool_threads(pool);
    ptrdiff_t thread_floats = 0;
    for (int i = 0; i < group->count; i++) {
        product *each = &group->products[i];
        plan(each, threads);
        thread_floats = ck_max(thread_floats, each->thread_floats);
        group->first[i + 1] = group->first[i] + ck_ceil_div(ck_quant_panels(each->n), each->task_panels);
    }
    const ptrdiff_t x_floats = ck_round_up(p->blocks.panels * p->panel_rows * vector_stride(p), 16);
    const ptrdiff_t scale_floats = ck_round_up(p->m, 16);
    float *scratch = ck_pool_scratch(pool, (size_t)(x_floats + scale_floats + threads * thread_floats) * sizeof(float));
    if (scratch == NULL) {
        return 0;
    }
    for (int i = 0; i < group->count; i++) {
        product *each = &group->products[i];
        each->blocks.x = each->packed_x = scratch;
        each->x_scales = scratch + x_floats;
        each->thread_scratch = each->x_scales + scale_floats;
        each->thread_floats = thread_floats;
    }
    ck_run_tasks(pool, p->blocks.panels, pack_x_task, p);
    ck_run_tasks(pool, group->first[group->count], product_task, group);
    return 1;
}

// ---- All --------------------------------------------------------------------------------------------------------

void ck_linear_packed_group(ck_pool *pool, const ck_product *products, int count, const float *x, ptrdiff_t ldx,
                            ck_quant quant, ptrdiff_t m, ptrdiff_t k, const ck_prologue *prologue) {
    prologue = prologue == NULL ? &no_prologue : prologue;
    for (ptrdiff_t row = 0; row < m; row += MAX_PACKED_ROWS) {
        const ptrdiff_t rows = ck_min(MAX_PACKED_ROWS, m - row);
        ck_prologue shifted = *prologue;
        shifted.up = prologue->up == NULL ? NULL : prologue->up + row * prologue->ldup;
        product_group group = {.count = 0};
        for (int i = 0; i < count; i++) {
            if (products[i].n <= 0) {
                continue;
            }
            group.products[group.count++] = (product){
                .ops = ck_pool_ops(pool),
                .quant_ops = ck_pool_quant_ops(pool),
                .x = x + row * ldx,
                .ldx = ldx,
                .prologue = &shifted,
                .quant = quant,
                .m = rows,
                .k = k,
                .units = ck_quant_units(quant, k),
                .y = products[i].y + row * products[i].ldy,
                .ldy = products[i].ldy,
                .packed = products[i].packed,
                .n = products[i].n,
                .epilogue = &products[i].epilogue,
            };
        }
        if (group.count == 0) {
            return;
        }
        int few = m <= CK_MAX_VECTOR_ROWS;
        int done = k > 0 && (few ? vector_products(pool, &group) : blocked_products(pool, &group));
        for (int i = 0; !done && i < group.count; i++) {
            const product *p = &group.products[i];
            ck_linear_packed_scalar(p->y, p->ldy, p->x, ldx, p->packed, quant, rows, p->n, k, p->epilogue, &shifted);
        }
    }
}

void ck_linear_packed(ck_pool *pool, float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const void *packed,
                      ck_quant quant, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const ck_epilogue *epilogue) {
    ck_product one = {.y = y, .ldy = ldy, .packed = packed, .n = n};
    if (epilogue != NULL) {
        one.epilogue = *epilogue;
    }
    ck_linear_packed_group(pool, &one, 1, x, ldx, quant, m, k, NULL);
}
