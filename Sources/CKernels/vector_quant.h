// The inner loops of integer products, compiled for each vector unit. See quant.h for the layout.
//
// Beside what vector.h asks for, the including file defines `dot_signed`, `dot_nibbles`, X_OFFSET, the rows of the tiles
// QR (int8) and GROUP_ROWS (int4), the panels that few rows of x go by at once SEGMENTS (1, 2 or 4), and the name
// CK_QUANT_OPS. With CK_OWN_TILE_INT8 it brings `tile_int8`.

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

/// How far ahead of the reading a panel is fetched into the second-level cache, in bytes.
enum { AHEAD = 1024 };

/// Calls `body` with the constants that `rows` (1, 2 or 4) and `panels` (1, 2 or 4) are, so that it is unrolled.
#define CK_FEW_ROWS(rows, panels, body)                                       \
    switch (4 * (rows) + (panels)) {                                          \
        case 4 + 1: body(1, 1); break;                                        \
        case 4 + 2: body(1, SEGMENTS < 2 ? SEGMENTS : 2); break;              \
        case 4 + 4: body(1, SEGMENTS < 4 ? SEGMENTS : 4); break;              \
        case 8 + 1: body(2, 1); break;                                        \
        case 8 + 2: body(2, SEGMENTS < 2 ? SEGMENTS : 2); break;              \
        case 8 + 4: body(2, SEGMENTS < 4 ? SEGMENTS : 4); break;              \
        case 16 + 1: body(4, 1); break;                                       \
        default: body(4, SEGMENTS < 2 ? SEGMENTS : 2); break;                 \
    }

/// `rows` rows of x with `panels` panels that lie `stride` bytes apart, a stream of memory each. Constant arguments
/// unroll it.
CK_INLINE void vector_int8_as(int32_t *out, const float *x, const char *panel, size_t stride, ptrdiff_t steps, int rows,
                              int panels) {
    enum { STEP = 4 * CK_QUANT_PANEL };
    vi sum[SEGMENTS][4][V];
    CK_UNROLL
    for (int s = 0; s < panels; s++) {
        CK_UNROLL
        for (int r = 0; r < rows; r++) {
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                sum[s][r][v] = vi_set1(0);
            }
        }
    }
    for (ptrdiff_t p = 0; p < steps; p++) {
        CK_UNROLL
        for (int s = 0; s < panels; s++) {
            const char *w = panel + (size_t)s * stride + p * STEP;
            __builtin_prefetch(w + AHEAD, 0, 2);
            __builtin_prefetch(w + AHEAD + 64, 0, 2);
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                vi part = vi_load(w + v * W * 4);
                CK_UNROLL
                for (int r = 0; r < rows; r++) {
                    sum[s][r][v] = dot_signed(sum[s][r][v], (vi)vf_set1(x[p * rows + r]), part);
                }
            }
        }
    }
    CK_UNROLL
    for (int s = 0; s < panels; s++) {
        CK_UNROLL
        for (int r = 0; r < rows; r++) {
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                vi_store(out + (s * rows + r) * CK_QUANT_PANEL + v * W, sum[s][r][v]);
            }
        }
    }
}

static void vector_int8(int32_t *out, const float *x, const void *panel, size_t stride, ptrdiff_t steps, int rows,
                        int panels) {
#define CK_BODY(rows, panels) vector_int8_as(out, x, panel, stride, steps, rows, panels)
    CK_FEW_ROWS(rows, panels, CK_BODY)
#undef CK_BODY
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

/// `rows` rows of x with one group of each of `panels` panels.
CK_INLINE void group_int4(vf total[][4][V], const float *x, const char *block, size_t stride, int rows, int panels) {
    const float *start = x + GROUP_STEPS * rows;
    CK_UNROLL
    for (int s = 0; s < panels; s++) {
        const char *w = block + (size_t)s * stride;
        CK_UNROLL
        for (int line = 0; line < CK_INT4_BLOCK; line += 64) {
            __builtin_prefetch(w + AHEAD + line, 0, 2);
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
                    sum[r] = dot_nibbles(sum[r], low, (vi)vf_set1(x[p * rows + r]));
                    sum[r] = dot_nibbles(sum[r], high, (vi)vf_set1(x[(p + GROUP_STEPS / 2) * rows + r]));
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

/// Groups are added in their order, as `tile_int4` does: a row's result is the same beside any others.
CK_INLINE void vector_int4_as(float *out, const float *x, const char *panel, size_t stride, ptrdiff_t groups, int rows,
                              int panels) {
    vf total[SEGMENTS][4][V];
    CK_UNROLL
    for (int s = 0; s < panels; s++) {
        CK_UNROLL
        for (int r = 0; r < rows; r++) {
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                total[s][r][v] = vf_set1(0);
            }
        }
    }
    for (ptrdiff_t g = 0; g < groups; g++) {
        group_int4(total, x + g * GROUP_UNITS(rows), panel + g * CK_INT4_BLOCK, stride, rows, panels);
    }
    CK_UNROLL
    for (int s = 0; s < panels; s++) {
        CK_UNROLL
        for (int r = 0; r < rows; r++) {
            CK_UNROLL
            for (int v = 0; v < V; v++) {
                vf_store(out + (s * rows + r) * CK_QUANT_PANEL + v * W, total[s][r][v]);
            }
        }
    }
}

static void vector_int4(float *out, const float *x, const void *panel, size_t stride, ptrdiff_t groups, int rows,
                        int panels) {
#define CK_BODY(rows, panels) vector_int4_as(out, x, panel, stride, groups, rows, panels)
    CK_FEW_ROWS(rows, panels, CK_BODY)
#undef CK_BODY
}

const ck_quant_ops CK_QUANT_OPS = {
    .panel_rows = QR,
    .group_rows = GROUP_ROWS,
    .x_offset = X_OFFSET,
    .streams = SEGMENTS,
    .largest_magnitude = largest_magnitude,
    .quantise = quantise,
    .tile_int8 = tile_int8,
    .vector_int8 = vector_int8,
    .scale_int8 = scale_int8,
    .unpack_int4 = unpack_int4,
    .tile_int4 = tile_int4,
    .vector_int4 = vector_int4,
};
