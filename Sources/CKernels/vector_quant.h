// The inner loops of integer products, compiled for each vector unit. See quant.h for the layout.
//
// Beside what vector.h asks for, the including file defines `dot_signed`, `dot_nibbles`, X_OFFSET, the rows of the tiles
// QR (int8) and GROUP_ROWS (int4), SEGMENTS and the name CK_QUANT_OPS. With CK_OWN_TILE_INT8 it brings `tile_int8`.

/// Vectors in a panel of 32 rows of w.
enum { V = CK_QUANT_PANEL / W };

_Static_assert((int)QR < (int)W || (int)QR % (int)W == 0, "pack() lets a row's spare lanes be overwritten by the next row");
_Static_assert(QR <= (int)CK_MAX_PANEL_ROWS && GROUP_ROWS <= (int)CK_MAX_PANEL_ROWS, "buffers on the stack");

// ---- Activations ------------------------------------------------------------------------------------------------

/// The largest |x|; not a number if one x is not.
static float largest_magnitude(const float *x, ptrdiff_t count) {
    // As integers, the bits of positive floats are in the order of their values, and NaN comes last.
    const vi magnitude = vi_set1(0x7fffffff);
    vi top = vi_set1(0);
    for (ptrdiff_t i = 0; i < count; i += W) {
        top = vi_max(top, (vi)vf_load_n(x + i, ck_min(W, count - i)) & magnitude);
    }
    int32_t lane[W], bits = 0;
    vi_store(lane, top);
    for (int i = 0; i < W; i++) {
        bits = lane[i] > bits ? lane[i] : bits;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void quantise(int8_t *q, const float *x, ptrdiff_t count, float inverse) {
    const vf factor = vf_set1(inverse);
    ptrdiff_t i = 0;
    for (; i + W <= count; i += W) {
        vf_store_int8(q + i, vf_load(x + i) * factor);
    }
    int8_t rest[W];
    vf_store_int8(rest, vf_load_n(x + i, count - i) * factor);
    memcpy(q + i, rest, (size_t)(count - i));
}

// ---- int8 -------------------------------------------------------------------------------------------------------

#if !defined(CK_OWN_TILE_INT8)
static void tile_int8(ptrdiff_t count, const float *a, const float *b, float *c, int accumulate) {
    vi sum[QR][V];
    CK_UNROLL
    for (int i = 0; i < QR; i++) {
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            sum[i][v] = accumulate ? vi_load(c + i * CK_QUANT_PANEL + v * W) : vi_set1(0);
        }
    }
    for (ptrdiff_t p = 0; p < count; p++) {
        vi w[V];
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            w[v] = vi_load(b + v * W);
        }
        CK_UNROLL
        for (int i = 0; i < QR; i++) {
            vi x = (vi)vf_set1(a[i]);
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                sum[i][v] = dot_signed(sum[i][v], x, w[v]);
            }
        }
        a += QR;
        b += CK_QUANT_PANEL;
    }
    CK_UNROLL
    for (int i = 0; i < QR; i++) {
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            vi_store(c + i * CK_QUANT_PANEL + v * W, sum[i][v]);
        }
    }
}
#endif

/// How far ahead of the reading a panel is fetched, in bytes.
enum { AHEAD = 1024 };

/// `rows` rows of x with `vectors` vectors of each step of one panel, read in `segments` streams. Constant arguments unroll
/// it.
CK_INLINE void vector_int8_as(int32_t *out, const float *x, const char *panel, ptrdiff_t steps, int rows, int segments,
                              int vectors) {
    enum { STEP = 4 * CK_QUANT_PANEL };
    const ptrdiff_t length = steps / segments;
    vi sum[SEGMENTS][4][V];
    CK_UNROLL
    for (int s = 0; s < segments; s++) {
        CK_UNROLL
        for (int r = 0; r < rows; r++) {
            CK_UNROLL
            for (int v = 0; v < vectors; v++) {
                sum[s][r][v] = vi_set1(0);
            }
        }
    }
    for (ptrdiff_t p = 0; p < length; p++) {
        // Past its segment's end, a stream goes on in the next panel.
        ptrdiff_t ahead = (p + AHEAD / STEP < length ? 0 : (steps - length) * STEP) + AHEAD;
        CK_UNROLL
        for (int s = 0; s < segments; s++) {
            const char *w = panel + (s * length + p) * STEP;
            __builtin_prefetch(w + ahead);
            __builtin_prefetch(w + ahead + 64);
            CK_UNROLL
            for (int v = 0; v < vectors; v++) {
                vi part = vi_load(w + v * W * 4);
                CK_UNROLL
                for (int r = 0; r < rows; r++) {
                    sum[s][r][v] = dot_signed(sum[s][r][v], (vi)vf_set1(x[(s * length + p) * rows + r]), part);
                }
            }
        }
    }
    for (ptrdiff_t p = segments * length; p < steps; p++) {
        for (int v = 0; v < vectors; v++) {
            vi part = vi_load(panel + p * STEP + v * W * 4);
            CK_UNROLL
            for (int r = 0; r < rows; r++) {
                sum[0][r][v] = dot_signed(sum[0][r][v], (vi)vf_set1(x[p * rows + r]), part);
            }
        }
    }
    CK_UNROLL
    for (int r = 0; r < rows; r++) {
        CK_UNROLL
        for (int v = 0; v < vectors; v++) {
            vi total = sum[0][r][v];
            CK_UNROLL
            for (int s = 1; s < segments; s++) {
                total += sum[s][r][v];
            }
            vi_store(out + r * CK_QUANT_PANEL + v * W, total);
        }
    }
}

static void vector_int8(int32_t *out, const float *x, const void *panel, ptrdiff_t steps, int rows) {
    // Sums of four rows and a whole panel fill 32 registers of four lanes: half a panel at a time then.
    enum { PART = V > 4 ? V / 2 : V };
    switch (rows) {
        case 1: vector_int8_as(out, x, panel, steps, 1, SEGMENTS, V); break;
        case 2: vector_int8_as(out, x, panel, steps, 2, V > 4 ? 1 : SEGMENTS, V); break;
        default:
            for (int first = 0; first < V; first += PART) {
                vector_int8_as(out + first * W, x, (const char *)panel + first * W * 4, steps, 4,
                               SEGMENTS > 1 ? SEGMENTS / 2 : 1, PART);
            }
            break;
    }
}

static void scale_int8(float *t, const int32_t *sums, const float *scales, const int32_t *row_sums, float x_scale,
                       ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i += W) {
        vi exact = vi_load(sums + i) - vi_load(row_sums + i) * vi_set1(X_OFFSET);
        vf_store(t + i, vi_to_float(exact) * (vf_load(scales + i) * vf_set1(x_scale)));
    }
}

// ---- int4 -------------------------------------------------------------------------------------------------------

enum {
    NIBBLE_BYTES = CK_GROUP * CK_QUANT_PANEL / 2,
    /// Four bytes of four ks, for each of 32 rows: low nibbles are this step's, high ones those of four steps later.
    NIBBLE_STEP = 4 * CK_QUANT_PANEL,
    GROUP_STEPS = CK_GROUP / 4,
};

static const int32_t NIBBLES = 0x0f0f0f0f;

CK_INLINE vf group_scales(const char *block, int v) {
    return vf_load_bf16((const uint16_t *)(block + NIBBLE_BYTES) + v * W);
}

static void unpack_int4(uint8_t *w, float *scales, const void *panel, ptrdiff_t groups) {
    for (ptrdiff_t g = 0; g < groups; g++) {
        const char *block = (const char *)panel + g * CK_INT4_BLOCK;
        uint8_t *out = w + g * CK_GROUP * CK_QUANT_PANEL;
        for (int i = 0; i < NIBBLE_BYTES; i += W * 4) {
            vi both = vi_load(block + i);
            vi_store(out + i, both & vi_set1(NIBBLES));
            vi_store(out + NIBBLE_BYTES + i, (both >> 4) & vi_set1(NIBBLES));
        }
        for (int v = 0; v < V; v++) {
            vf_store(scales + g * CK_QUANT_PANEL + v * W, group_scales(block, v));
        }
    }
}

/// What the packing of x leaves for one group of one panel of `rows` rows.
#define GROUP_UNITS(rows) ((GROUP_STEPS + 2) * (rows))

static void tile_int4(float *t, const float *x, const uint8_t *w, const float *scales, ptrdiff_t groups) {
    vf total[GROUP_ROWS][V];
    CK_UNROLL
    for (int r = 0; r < GROUP_ROWS; r++) {
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            total[r][v] = vf_set1(0);
        }
    }
    for (ptrdiff_t g = 0; g < groups; g++) {
        const float *start = x + GROUP_STEPS * GROUP_ROWS;
        vi sum[GROUP_ROWS][V];
        CK_UNROLL
        for (int r = 0; r < GROUP_ROWS; r++) {
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                sum[r][v] = (vi)vf_set1(start[r]);
            }
        }
        for (int p = 0; p < GROUP_STEPS; p++) {
            vi part[V];
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                part[v] = vi_load(w + p * NIBBLE_STEP + v * W * 4);
            }
            CK_UNROLL
            for (int r = 0; r < GROUP_ROWS; r++) {
                vi factor = (vi)vf_set1(x[p * GROUP_ROWS + r]);
                CK_UNROLL
                for (int v = 0; v < V; v++) {
                    sum[r][v] = dot_nibbles(sum[r][v], part[v], factor);
                }
            }
        }
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            vf scale = vf_load(scales + v * W);
            CK_UNROLL
            for (int r = 0; r < GROUP_ROWS; r++) {
                vf product = scale * vf_set1(start[GROUP_ROWS + r]);
                total[r][v] = vf_fma(vi_to_float(sum[r][v]), product, total[r][v]);
            }
        }
        x += GROUP_UNITS(GROUP_ROWS);
        w += CK_GROUP * CK_QUANT_PANEL;
        scales += CK_QUANT_PANEL;
    }
    CK_UNROLL
    for (int r = 0; r < GROUP_ROWS; r++) {
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            vf_store(t + r * CK_QUANT_PANEL + v * W, total[r][v]);
        }
    }
}

/// `rows` rows of x with `segments` groups of a panel, one in each stream, `length` groups apart.
CK_INLINE void groups_int4(vf total[][4][V], const float *x, const char *block, ptrdiff_t length, ptrdiff_t ahead,
                           int rows, int segments) {
    CK_UNROLL
    for (int s = 0; s < segments; s++) {
        const char *w = block + s * length * CK_INT4_BLOCK;
        const float *factors = x + s * length * GROUP_UNITS(rows), *start = factors + GROUP_STEPS * rows;
        CK_UNROLL
        for (int line = 0; line < CK_INT4_BLOCK; line += 64) {
            __builtin_prefetch(w + ahead + line);
        }
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            vi sum[4];
            CK_UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r] = (vi)vf_set1(start[r]);
            }
            CK_UNROLL
            for (int p = 0; p < GROUP_STEPS / 2; p++) {
                vi both = vi_load(w + p * NIBBLE_STEP + v * W * 4);
                vi low = both & vi_set1(NIBBLES), high = (both >> 4) & vi_set1(NIBBLES);
                CK_UNROLL
                for (int r = 0; r < rows; r++) {
                    sum[r] = dot_nibbles(sum[r], low, (vi)vf_set1(factors[p * rows + r]));
                    sum[r] = dot_nibbles(sum[r], high, (vi)vf_set1(factors[(p + GROUP_STEPS / 2) * rows + r]));
                }
            }
            vf scale = group_scales(w, v);
            CK_UNROLL
            for (int r = 0; r < rows; r++) {
                vf product = scale * vf_set1(start[rows + r]);
                total[s][r][v] = vf_fma(vi_to_float(sum[r]), product, total[s][r][v]);
            }
        }
    }
}

/// Four sums over a quarter of the groups each, added in order: the same for any number of rows and streams.
CK_INLINE void vector_int4_as(float *out, const float *x, const char *panel, ptrdiff_t groups, int rows, int segments) {
    enum { QUARTERS = 4, GROUPS_AHEAD = 2 };
    const ptrdiff_t length = groups / QUARTERS;
    vf result[4][V];
    CK_UNROLL
    for (int first = 0; first < QUARTERS; first += segments) {
        vf total[SEGMENTS][4][V];
        CK_UNROLL
        for (int s = 0; s < segments; s++) {
            CK_UNROLL
            for (int r = 0; r < rows; r++) {
                CK_UNROLL
                for (int v = 0; v < V; v++) {
                    total[s][r][v] = vf_set1(0);
                }
            }
        }
        for (ptrdiff_t g = 0; g < length; g++) {
            // Past its quarter's end, a stream goes on in the next one that it reads.
            ptrdiff_t next = first + segments < QUARTERS ? (segments - 1) * length : groups - (first + 1) * length;
            ptrdiff_t ahead = (g + GROUPS_AHEAD < length ? 0 : next) + GROUPS_AHEAD;
            groups_int4(total, x + (first * length + g) * GROUP_UNITS(rows),
                        panel + (first * length + g) * CK_INT4_BLOCK, length, ahead * CK_INT4_BLOCK, rows, segments);
        }
        CK_UNROLL
        for (int s = 0; s < segments; s++) {
            CK_UNROLL
            for (int r = 0; r < rows; r++) {
                CK_UNROLL
                for (int v = 0; v < V; v++) {
                    if (first + s == 0) {
                        result[r][v] = total[s][r][v];
                    } else {
                        result[r][v] = result[r][v] + total[s][r][v];
                    }
                }
            }
        }
    }
    for (ptrdiff_t g = QUARTERS * length; g < groups; g++) {
        groups_int4(&result, x + g * GROUP_UNITS(rows), panel + g * CK_INT4_BLOCK, 0,
                    GROUPS_AHEAD * CK_INT4_BLOCK, rows, 1);
    }
    CK_UNROLL
    for (int r = 0; r < rows; r++) {
        CK_UNROLL
        for (int v = 0; v < V; v++) {
            vf_store(out + r * CK_QUANT_PANEL + v * W, result[r][v]);
        }
    }
}

static void vector_int4(float *out, const float *x, const void *panel, ptrdiff_t groups, int rows) {
    switch (rows) {
        case 1: vector_int4_as(out, x, panel, groups, 1, SEGMENTS); break;
        case 2: vector_int4_as(out, x, panel, groups, 2, SEGMENTS > 1 ? SEGMENTS / 2 : 1); break;
        default: vector_int4_as(out, x, panel, groups, 4, 1); break;
    }
}

const ck_quant_ops CK_QUANT_OPS = {
    .panel_rows = QR,
    .group_rows = GROUP_ROWS,
    .x_offset = X_OFFSET,
    .largest_magnitude = largest_magnitude,
    .quantise = quantise,
    .tile_int8 = tile_int8,
    .vector_int8 = vector_int8,
    .scale_int8 = scale_int8,
    .unpack_int4 = unpack_int4,
    .tile_int4 = tile_int4,
    .vector_int4 = vector_int4,
};
