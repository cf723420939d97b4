// Holds every kernel of every vector unit of a processor against its scalar twin, at odd sizes: what the Swift tests do,
// in C, so that it can be compiled for another architecture and run under an emulator. See scripts/test-aarch64.
//
// Arguments: the names of the units that the processor must have, the best first. Prints a line for each unit; the status
// is 1 where anything differs.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"
#include "CKernelsTesting.h"

static int failures, checks;

// ---- Data -------------------------------------------------------------------------------------------------------

static uint64_t state = 1;

static uint32_t bits(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

/// Uniform in -scale ..< scale, exact in float32.
static float *noise(ptrdiff_t count, float scale) {
    float *x = malloc((size_t)(count + 1) * sizeof *x);
    if (x == NULL) {
        fprintf(stderr, "no memory\n");
        exit(2);
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        x[i] = ((float)(int)(bits() & 0xffffff) / 0x1p23f - 1) * scale;
    }
    return x;
}

static float *copy(const float *x, ptrdiff_t count) {
    float *y = noise(count, 0);
    memcpy(y, x, (size_t)count * sizeof *y);
    return y;
}

/// `x` as a storage type, `padding` bytes from an aligned address; bf16 is cut off, f16 only approximately `x`.
static void *stored(const float *x, ptrdiff_t count, ck_type type, ptrdiff_t padding) {
    ptrdiff_t size = type == CK_F32 ? 4 : 2;
    char *bytes = malloc((size_t)(padding + count * size) + 1);
    if (bytes == NULL) {
        exit(2);
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        uint32_t wide;
        memcpy(&wide, x + i, 4);
        uint32_t exponent = wide >> 23 & 255;
        uint16_t half = (uint16_t)(wide >> 16);
        if (type == CK_F16) {
            half = (uint16_t)(wide >> 16 & 0x8000);
            if (exponent > 112 && exponent < 143) {
                half |= (uint16_t)((exponent - 112) << 10 | (wide >> 13 & 0x3ff));
            }
        }
        memcpy(bytes + padding + i * size, type == CK_F32 ? (const void *)&wide : (const void *)&half, (size_t)size);
    }
    return bytes;
}

// ---- Comparison -------------------------------------------------------------------------------------------------

/// Counts a failure where |a - b| exceeds `tolerance` · max(1, |b|, the root of the mean of b's squares) anywhere.
static void compare(const char *what, const char *unit, const float *a, const float *b, ptrdiff_t count,
                    float tolerance, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
    double squares = 0;
    ptrdiff_t finite = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        if (isfinite(b[i])) {
            squares += (double)b[i] * (double)b[i];
            finite++;
        }
    }
    const double level = sqrt(squares / (double)(finite > 0 ? finite : 1));
    checks++;
    for (ptrdiff_t i = 0; i < count; i++) {
        if (a[i] == b[i] || (isnan(a[i]) && isnan(b[i]))) {
            continue;
        }
        double bound = (double)tolerance * fmax(1, fmax(fabs((double)b[i]), level));
        if (!(fabs((double)a[i] - (double)b[i]) <= bound)) {
            printf("%s %s: m %td n %td k %td: [%td] is %g, not %g\n", unit, what, m, n, k, i, (double)a[i],
                   (double)b[i]);
            failures++;
            return;
        }
    }
}

static void expect(int condition, const char *what, const char *unit, ptrdiff_t detail) {
    checks++;
    if (!condition) {
        printf("%s %s: %td\n", unit, what, detail);
        failures++;
    }
}

// ---- Products ---------------------------------------------------------------------------------------------------

typedef struct {
    ptrdiff_t m, n, k;
} size3;

static const size3 sizes[] = {
    {1, 1, 1},   {1, 31, 33}, {2, 33, 127}, {3, 65, 31},  {4, 32, 128},  {5, 97, 160},  {6, 8, 4},
    {7, 40, 63}, {8, 64, 500}, {9, 31, 65}, {12, 16, 32}, {13, 127, 96}, {14, 33, 1023}, {33, 65, 31},
    {40, 65, 32}, {65, 100, 200}, {70, 64, 1700},
};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void test_linear(ck_pool *pool, const char *unit) {
    for (int s = 0; s < SIZES; s++) {
        for (int type = CK_F32; type <= CK_F16; type++) {
            for (int with = 0; with < 2; with++) {
                const ptrdiff_t m = sizes[s].m, n = sizes[s].n, k = sizes[s].k, ldx = k + 3, ldy = n + 5;
                float *x = noise(m * ldx, 1), *w = noise(n * k, 1), *bias = noise(n, 1), *scale = noise(n, 1);
                float *y = noise(m * ldy, 1), *z = copy(y, m * ldy);
                char *bytes = stored(w, n * k, (ck_type)type, 2);
                ck_epilogue epilogue = {0};
                if (with) {
                    epilogue = (ck_epilogue){bias, scale, 1, 1};
                }
                ck_linear(pool, y, ldy, x, ldx, bytes + 2, (ck_type)type, m, n, k, &epilogue);
                ck_linear_scalar(z, ldy, x, ldx, bytes + 2, (ck_type)type, m, n, k, &epilogue);
                compare("linear", unit, y, z, m * ldy, 1e-5f, m, n, k);
                free(x), free(w), free(bias), free(scale), free(y), free(z), free(bytes);
            }
        }
    }
}

static void *packed_memory(ck_quant quant, ptrdiff_t n, ptrdiff_t k, size_t *size) {
    *size = ck_packed_size(quant, n, k);
    char *memory = aligned_alloc(64, (*size + 63) / 64 * 64);
    if (memory == NULL) {
        exit(2);
    }
    memset(memory, 0xaa, *size);
    return memory;
}

static void test_packed(ck_pool *pool, const char *unit) {
    for (int s = 0; s < SIZES; s++) {
        for (int quant = CK_INT8; quant <= CK_INT4; quant++) {
            const ptrdiff_t m = sizes[s].m, n = sizes[s].n, k = sizes[s].k, ldx = k + 3, ldy = n + 5;
            size_t size;
            float *w = noise(n * k, 0.05f), *x = noise(m * ldx, 4), *bias = noise(n, 1), *scale = noise(n, 1);
            void *packed = packed_memory((ck_quant)quant, n, k, &size);
            void *plain = packed_memory((ck_quant)quant, n, k, &size);
            ck_pack(pool, packed, (ck_quant)quant, w, CK_F32, s % 2 ? x : NULL, n, k);
            ck_pack_scalar(plain, (ck_quant)quant, w, CK_F32, s % 2 ? x : NULL, n, k);
            expect(memcmp(packed, plain, size) == 0, "pack", unit, s);
            for (int with = 0; with < 2; with++) {
                float *y = noise(m * ldy, 1), *z = copy(y, m * ldy);
                ck_epilogue epilogue = {0};
                if (with) {
                    epilogue = (ck_epilogue){bias, scale, 1, 1};
                }
                ck_linear_packed(pool, y, ldy, x, ldx, packed, (ck_quant)quant, m, n, k, &epilogue);
                ck_linear_packed_scalar(z, ldy, x, ldx, packed, (ck_quant)quant, m, n, k, &epilogue, NULL);
                // The same integers; their scales are multiplied, and groups summed, in float32.
                compare(quant == CK_INT8 ? "int8" : "int4", unit, y, z, m * ldy, 2e-6f, m, n, k);
                free(y), free(z);
            }
            free(w), free(x), free(bias), free(scale), free(packed), free(plain);
        }
    }
}

/// Sums that float32 holds exactly, of the largest integers that there are.
static void test_extremes(ck_pool *pool, const char *unit) {
    enum { K = 256, MOST = 20 };
    size_t size;
    void *packed = packed_memory(CK_INT8, 2, K, &size);
    float w[2 * K], x[MOST * K], y[MOST * 2];
    for (int i = 0; i < K; i++) {
        w[i] = 127;
        w[K + i] = -127;
    }
    ck_pack(pool, packed, CK_INT8, w, CK_F32, NULL, 2, K);
    for (int m = 1; m <= MOST; m++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            for (int i = 0; i < m * K; i++) {
                x[i] = (float)(127 * sign);
            }
            ck_linear_packed(pool, y, 2, x, K, packed, CK_INT8, m, 2, K, NULL);
            for (int i = 0; i < m; i++) {
                float full = (float)(127 * 127 * K * sign);
                expect(y[2 * i] == full && y[2 * i + 1] == -full, "extremes", unit, m);
            }
        }
    }
    x[5] = NAN;
    ck_linear_packed(pool, y, 2, x, K, packed, CK_INT8, MOST, 2, K, NULL);
    expect(isnan(y[0]) && isnan(y[1]) && !isnan(y[2]), "NaN in one row", unit, 0);
    free(packed);
}

// ---- Attention --------------------------------------------------------------------------------------------------

static void test_attention(ck_pool *pool, const char *unit) {
    static const struct {
        ptrdiff_t n, past;
        int heads, kv_heads, dim, visible;
    } cases[] = {
        {1, 0, 2, 1, 3, 0},   {1, 33, 4, 2, 16, 0}, {5, 7, 6, 2, 20, 1},    {17, 100, 2, 2, 64, 0},
        {70, 0, 4, 1, 31, 0}, {65, 130, 2, 1, 64, 0}, {40, 9, 2, 2, 12, 1}, {129, 0, 1, 1, 64, 0},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const ptrdiff_t n = cases[c].n, past = cases[c].past, wide = cases[c].heads * cases[c].dim;
        const ptrdiff_t narrow = cases[c].kv_heads * cases[c].dim;
        float *q = noise(n * wide, 2), *keys = noise(past * narrow, 2), *values = noise(past * narrow, 2);
        float *new_keys = noise(n * narrow, 2), *new_values = noise(n * narrow, 2);
        float *y = noise(n * wide, 0), *z = noise(n * wide, 0);
        uint8_t *visible = malloc((size_t)(n * n));
        if (visible == NULL) {
            exit(2);
        }
        for (ptrdiff_t i = 0; i < n * n; i++) {
            visible[i] = i / n == i % n || bits() % 3 == 0;
        }
        const ck_run run = {keys, values, past, narrow}, recent = {new_keys, new_values, n, narrow};
        const ck_heads heads = {cases[c].heads, cases[c].kv_heads, cases[c].dim, 1 / sqrtf((float)cases[c].dim),
                                CK_F32};
        const uint8_t *mask = cases[c].visible ? visible : NULL;
        ck_attention(pool, y, wide, q, wide, n, &run, past > 0, &recent, mask, heads);
        ck_attention_scalar(z, wide, q, wide, n, &run, past > 0, &recent, mask, heads);
        compare("attention", unit, y, z, n * wide, 1e-5f, n, past, cases[c].dim);
        free(q), free(keys), free(values), free(new_keys), free(new_values), free(y), free(z), free(visible);
    }
}

// ---- Rows -------------------------------------------------------------------------------------------------------

static void test_rows(ck_pool *pool, const char *unit) {
    static const ptrdiff_t widths[] = {1, 2, 3, 4, 5, 31, 32, 33, 63, 65, 127, 1023, 4100};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        enum { ROWS = 5 };
        const ptrdiff_t columns = widths[i], count = ROWS * columns;
        float *x = noise(count, 3), *other = noise(count, 3), *weight = noise(columns, 1), *bias = noise(columns, 1);
        float *y = noise(count, 0), *z = noise(count, 0);
        ck_layer_norm(pool, y, x, weight, bias, 1e-6f, ROWS, columns);
        ck_layer_norm_scalar(z, x, weight, bias, 1e-6f, ROWS, columns);
        compare("layer norm", unit, y, z, count, 1e-5f, ROWS, columns, 0);
        ck_rms_norm(pool, y, x, weight, 1e-6f, ROWS, columns);
        ck_rms_norm_scalar(z, x, weight, 1e-6f, ROWS, columns);
        compare("RMS norm", unit, y, z, count, 1e-5f, ROWS, columns, 0);
        memcpy(y, x, (size_t)count * sizeof *y);
        memcpy(z, x, (size_t)count * sizeof *z);
        ck_swiglu(pool, y, other, count);
        ck_swiglu_scalar(z, other, count);
        compare("SwiGLU", unit, y, z, count, 2e-6f, ROWS, columns, 0);
        memcpy(y, x, (size_t)count * sizeof *y);
        ck_add(pool, y, other, count);
        for (ptrdiff_t j = 0; j < count; j++) {
            z[j] = x[j] + other[j];
        }
        compare("add", unit, y, z, count, 0, ROWS, columns, 0);
        ck_log_sum_exp(pool, y, x, ROWS, columns);
        ck_log_sum_exp_scalar(z, x, ROWS, columns);
        compare("log sum exp", unit, y, z, ROWS, 2e-6f, ROWS, columns, 0);
        for (int type = CK_F32; type <= CK_F16; type++) {
            char *bytes = stored(x, count, (ck_type)type, 2);
            ck_widen(y, bytes + 2, (ck_type)type, count);
            ck_widen_scalar(z, bytes + 2, (ck_type)type, count);
            compare("widen", unit, y, z, count, 0, type, columns, 0);
            free(bytes);
        }
        if (columns % 2 == 0) {
            const ptrdiff_t half = columns / 2;
            memcpy(y, x, (size_t)count * sizeof *y);
            memcpy(z, x, (size_t)count * sizeof *z);
            ck_rope(pool, y, columns, other, other + ROWS * half, ROWS, 1, (int)columns);
            ck_rope_scalar(z, columns, other, other + ROWS * half, ROWS, 1, (int)columns);
            compare("rope", unit, y, z, count, 2e-6f, ROWS, columns, 0);
        }
        x[count / 2] = NAN;
        x[count - 1] = x[count / 3] = 9;
        expect(ck_argmax(x, count) == ck_argmax_scalar(x, count), "argmax", unit, columns);
        free(x), free(other), free(weight), free(bias), free(y), free(z);
    }
    // All half-precision numbers but NaN, subnormal ones and infinities included.
    uint16_t *halves = malloc(65536 * sizeof *halves);
    float *y = noise(65536, 0), *z = noise(65536, 0);
    if (halves == NULL) {
        exit(2);
    }
    for (int i = 0; i < 65536; i++) {
        halves[i] = (uint16_t)((i & 0x7fff) > 0x7c00 ? 0 : i);
    }
    ck_widen(y, halves, CK_F16, 65536);
    ck_widen_scalar(z, halves, CK_F16, 65536);
    compare("all of float16", unit, y, z, 65536, 0, 0, 0, 0);
    free(halves), free(y), free(z);
}

/// The same bits with one thread as with three.
static void test_threads(const char *unit) {
    const ptrdiff_t m = 70, n = 300, k = 333;
    float *w = noise(n * k, 0.05f), *x = noise(m * k, 4), *results[3];
    const int threads[] = {1, 2, 3};
    size_t size;
    for (int t = 0; t < 3; t++) {
        ck_pool *pool = ck_pool_create_isa(threads[t], unit);
        results[t] = noise(3 * m * n, 0);
        if (pool == NULL) {
            expect(0, "a pool", unit, t);
            continue;
        }
        ck_linear(pool, results[t], n, x, k, w, CK_F32, m, n, k, NULL);
        for (int quant = CK_INT8; quant <= CK_INT4; quant++) {
            void *packed = packed_memory((ck_quant)quant, n, k, &size);
            ck_pack(pool, packed, (ck_quant)quant, w, CK_F32, NULL, n, k);
            ck_linear_packed(pool, results[t] + (quant + 1) * m * n, n, x, k, packed, (ck_quant)quant, m, n, k, NULL);
            free(packed);
        }
        ck_pool_destroy(pool);
        expect(memcmp(results[t], results[0], (size_t)(3 * m * n) * sizeof **results) == 0, "threads", unit, t + 1);
    }
    for (int t = 0; t < 3; t++) {
        free(results[t]);
    }
    free(w), free(x);
}

int main(int count, char **arguments) {
    static const char *const units[] = {
        "avx512bf16", "avx512vnni", "avx512", "avxvnni", "avx2", "neon-i8mm", "neon-dotprod", "neon", "portable",
    };
    if (count > 1 && strcmp(ck_isa(), arguments[1]) != 0) {
        printf("the best unit is %s, not %s\n", ck_isa(), arguments[1]);
        failures++;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int wanted = count < 2;
        for (int j = 1; j < count; j++) {
            wanted |= strcmp(arguments[j], units[i]) == 0;
        }
        ck_pool *pool = ck_pool_create_isa(2, units[i]);
        if (count > 1 && (pool != NULL) != wanted) {
            printf("%s is %s\n", units[i], wanted ? "missing" : "not expected");
            failures++;
        }
        if (pool == NULL) {
            continue;
        }
        const int before = failures, already = checks;
        test_linear(pool, units[i]);
        test_packed(pool, units[i]);
        test_extremes(pool, units[i]);
        test_attention(pool, units[i]);
        test_rows(pool, units[i]);
        ck_pool_destroy(pool);
        test_threads(units[i]);
        printf("%s: %d comparisons, %d failed\n", units[i], checks - already, failures - before);
    }
    return failures > 0;
}
