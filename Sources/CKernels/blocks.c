// The loops around a tile, for float32 and int8 products alike.
//
// A block of k keeps a panel of x in the first-level cache and a task's columns of w in the second. Partial sums wait in
// tiles beside them, for so many rows that they fit as well.

#include "internal.h"

void ck_multiply_blocks(const ck_blocks *blocks, const float *w, ptrdiff_t first_column, ptrdiff_t column_panels,
                        float *sums) {
    const ptrdiff_t mr = blocks->panel_rows, nr = blocks->panel_columns;
    for (ptrdiff_t row_block = 0; row_block < blocks->panels; row_block += CK_ROW_BLOCK_PANELS) {
        ptrdiff_t end = ck_min(row_block + CK_ROW_BLOCK_PANELS, blocks->panels);
        for (ptrdiff_t first = 0; first < blocks->units; first += blocks->k_block) {
            ptrdiff_t count = ck_min(blocks->k_block, blocks->units - first);
            int last = first + count == blocks->units;
            for (ptrdiff_t i = row_block; i < end; i++) {
                const float *a = blocks->x + first * blocks->panels * mr + i * count * mr;
                for (ptrdiff_t j = 0; j < column_panels; j++) {
                    float *c = sums + ((i - row_block) * column_panels + j) * mr * nr;
                    blocks->tile(count, a, w + j * nr * blocks->units + first * nr, c, first > 0);
                    if (last) {
                        blocks->finish(blocks->context, c, i * mr, first_column + j * nr);
                    }
                }
            }
        }
    }
}

ptrdiff_t ck_task_columns(ptrdiff_t columns, ptrdiff_t panel, ptrdiff_t most, int threads) {
    ptrdiff_t panels = ck_ceil_div(columns, panel), best = 1;
    double least = 1e30;
    for (ptrdiff_t size = most / panel; size >= 1; size--) {
        ptrdiff_t rounds = ck_ceil_div(ck_ceil_div(panels, size), threads);
        // A panel that is alone in its task costs about 6 % more.
        double cost = (double)(rounds * size) * (1 + 0.06 / (double)size);
        if (cost < least) {
            least = cost;
            best = size;
        }
    }
    return best * panel;
}

ck_ranges ck_shared_out(ptrdiff_t total, ptrdiff_t most, int threads) {
    enum { SIZES = sizeof((ck_ranges *)0)->tasks / sizeof(ptrdiff_t) };
    ck_ranges ranges = {.total = total, .most = most};
    ptrdiff_t size = most, left = total;
    for (int i = 0; i < SIZES && left > 0; i++) {
        // As many as leave each thread one more of them. The smallest size takes the rest.
        int smallest = size == 1 || i == SIZES - 1;
        ptrdiff_t tasks = smallest ? ck_ceil_div(left, size) : ck_max(0, left / size - threads);
        ranges.tasks[i] = tasks;
        ranges.count += tasks;
        left -= tasks * size;
        size = ck_max(1, size / 2);
    }
    return ranges;
}

void ck_range_at(const ck_ranges *ranges, ptrdiff_t index, ptrdiff_t *begin, ptrdiff_t *end) {
    ptrdiff_t first = 0, size = ranges->most;
    int i = 0;
    while (index >= ranges->tasks[i]) {
        index -= ranges->tasks[i];
        first += ranges->tasks[i] * size;
        size = ck_max(1, size / 2);
        i++;
    }
    *begin = first + index * size;
    *end = ck_min(*begin + size, ranges->total);
}

ck_epilogue ck_shift_epilogue(const ck_epilogue *epilogue, ptrdiff_t column) {
    ck_epilogue shifted = *epilogue;
    if (shifted.bias != NULL) {
        shifted.bias += column;
    }
    if (shifted.scale != NULL) {
        shifted.scale += column;
    }
    return shifted;
}
