#include "CImaging.h"

#include <math.h>
#include <string.h>

// One binary for all machines: the loops are compiled twice and the loader picks by CPU feature.
#if defined(__x86_64__) && defined(__linux__)
#define CI_CLONES __attribute__((target_clones("default", "avx2")))
#else
#define CI_CLONES
#endif

CI_CLONES
static void halve_row(uint8_t *restrict dst, const uint8_t *restrict a, const uint8_t *restrict b, int pairs) {
    for (int x = 0; x < pairs; x++) {
        dst[x] = (uint8_t)((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) >> 2);
    }
}

void ci_halve(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int width, int height) {
    int rows = (height + 1) / 2, pairs = width / 2;
    for (int y = 0; y < rows; y++) {
        const uint8_t *a = src + 2 * y * src_stride;
        const uint8_t *b = 2 * y + 1 < height ? a + src_stride : a;
        uint8_t *row = dst + y * dst_stride;
        halve_row(row, a, b, pairs);
        if (width & 1) row[pairs] = (uint8_t)((a[width - 1] + b[width - 1] + 1) >> 1);
    }
}

static inline int clamp(int v, int low, int high) {
    return v < low ? low : v > high ? high : v;
}

static inline float unit_clamp(float v) {
    return v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v;
}

// A row is worked on in strips, so that positions, samples and colours are separate loops over short arrays: the first
// and the last become vector code, and the middle one is free of everything but loads and multiplications.
enum { STRIP = 256 };

typedef struct {
    int x[STRIP], y[STRIP];    // top-left of the four pixels
    int wx[STRIP], wy[STRIP];  // weight of the right and the lower ones, of 128
} positions;

// Weights of 1/128 keep the whole interpolation in 32-bit integers and make it independent of summation order.
static inline __attribute__((always_inline)) void locate(positions *p, const float *restrict sx, const float *restrict sy, int count, float scale_x,
                          float scale_y) {
    for (int i = 0; i < count; i++) {
        float u = sx[i] * scale_x - 0.5f, v = sy[i] * scale_y - 0.5f;
        float fu = floorf(u), fv = floorf(v);
        p->x[i] = (int)fu;
        p->y[i] = (int)fv;
        p->wx[i] = (int)((u - fu) * 128.0f + 0.5f);
        p->wy[i] = (int)((v - fv) * 128.0f + 0.5f);
    }
}

static inline int blend(const uint8_t *r0, const uint8_t *r1, int x0, int x1, int wx, int wy) {
    int top = r0[x0] * (128 - wx) + r0[x1] * wx;
    int bottom = r1[x0] * (128 - wx) + r1[x1] * wx;
    return top * (128 - wy) + bottom * wy;  // 14 fractional bits
}

// The first two of four bytes in memory.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LEFT_BYTE(word) ((word) & 255)
#define NEXT_BYTE(word) ((word) >> 8 & 255)
#else
#define LEFT_BYTE(word) ((word) >> 24)
#define NEXT_BYTE(word) ((word) >> 16 & 255)
#endif

static inline __attribute__((always_inline)) void interpolate(float *restrict out, const positions *p, int count, const uint8_t *plane,
                               ptrdiff_t stride, int width, int height) {
    const float unit = 1.0f / 16384.0f;
    // Positions lie on a line: when its ends are inside, everything is. Four bytes are read where two are needed, so
    // the right edge is not inside.
    int last = count - 1;
    int inside = p->x[0] >= 0 && p->y[0] >= 0 && p->x[last] >= 0 && p->y[last] >= 0 && p->x[0] + 3 < width &&
                 p->x[last] + 3 < width && p->y[0] + 1 < height && p->y[last] + 1 < height;
    if (inside) {
        uint32_t upper[STRIP], lower[STRIP];
        for (int i = 0; i < count; i++) {
            const uint8_t *r = plane + p->y[i] * stride + p->x[i];
            memcpy(&upper[i], r, 4);
            memcpy(&lower[i], r + stride, 4);
        }
        for (int i = 0; i < count; i++) {
            int wx = p->wx[i], wy = p->wy[i];
            int top = (int)LEFT_BYTE(upper[i]) * (128 - wx) + (int)NEXT_BYTE(upper[i]) * wx;
            int bottom = (int)LEFT_BYTE(lower[i]) * (128 - wx) + (int)NEXT_BYTE(lower[i]) * wx;
            out[i] = (float)(top * (128 - wy) + bottom * wy) * unit;
        }
        return;
    }
    for (int i = 0; i < count; i++) {
        int x0 = clamp(p->x[i], 0, width - 1), x1 = clamp(p->x[i] + 1, 0, width - 1);
        int y0 = clamp(p->y[i], 0, height - 1), y1 = clamp(p->y[i] + 1, 0, height - 1);
        out[i] = (float)blend(plane + y0 * stride, plane + y1 * stride, x0, x1, p->wx[i], p->wy[i]) * unit;
    }
}

static inline __attribute__((always_inline)) void to_rgb(float *restrict a, float *restrict b, float *restrict c, int count, const float m[9],
                          const float offset[3]) {
    for (int i = 0; i < count; i++) {
        float v0 = a[i] - offset[0], v1 = b[i] - offset[1], v2 = c[i] - offset[2];
        a[i] = unit_clamp(m[0] * v0 + m[1] * v1 + m[2] * v2);
        b[i] = unit_clamp(m[3] * v0 + m[4] * v1 + m[5] * v2);
        c[i] = unit_clamp(m[6] * v0 + m[7] * v1 + m[8] * v2);
    }
}

CI_CLONES
static void warp_strip(float *out, const ci_output *f, const ci_picture *p, const float map[6], int y, int from,
                       int count) {
    // Coordinates far outside would overflow an int; they show the edge or black all the same.
    const float limit = 1.0e6f;
    float sx[STRIP], sy[STRIP], r[STRIP], g[STRIP], b[STRIP];
    positions at;
    float cy = (float)y + 0.5f;
    for (int i = 0; i < count; i++) {
        float cx = (float)(from + i) + 0.5f;
        float u = map[0] * cx + (map[1] * cy + map[2]), v = map[3] * cx + (map[4] * cy + map[5]);
        sx[i] = u > limit ? limit : u < -limit ? -limit : u;
        sy[i] = v > limit ? limit : v < -limit ? -limit : v;
    }
    locate(&at, sx, sy, count, 1, 1);
    interpolate(r, &at, count, p->plane[0], p->stride[0], p->width, p->height);
    if (p->planes == 1) {
        for (int i = 0; i < count; i++) r[i] = g[i] = b[i] = unit_clamp((r[i] - p->offset[0]) * p->matrix[0]);
    } else {
        if (p->chroma_scale_x != 1 || p->chroma_scale_y != 1) {
            locate(&at, sx, sy, count, p->chroma_scale_x, p->chroma_scale_y);
        }
        interpolate(g, &at, count, p->plane[1], p->stride[1], p->chroma_width, p->chroma_height);
        interpolate(b, &at, count, p->plane[2], p->stride[2], p->chroma_width, p->chroma_height);
        to_rgb(r, g, b, count, p->matrix, p->offset);
    }
    if (!f->replicate_edge) {
        float width = (float)p->width, height = (float)p->height;
        for (int i = 0; i < count; i++) {
            if (!(sx[i] >= 0 && sy[i] >= 0 && sx[i] < width && sy[i] < height)) r[i] = g[i] = b[i] = 0;
        }
    }
    float *pixel = out + (ptrdiff_t)from * f->pixel_stride;
    if (f->grey) {
        for (int i = 0; i < count; i++) {
            pixel[i * f->pixel_stride] = (0.299f * r[i] + 0.587f * g[i] + 0.114f * b[i]) * f->scale[0] + f->bias[0];
        }
    } else {
        for (int i = 0; i < count; i++) {
            float *o = pixel + i * f->pixel_stride;
            o[0] = r[i] * f->scale[0] + f->bias[0];
            o[f->channel_stride] = g[i] * f->scale[1] + f->bias[1];
            o[2 * f->channel_stride] = b[i] * f->scale[2] + f->bias[2];
        }
    }
}

void ci_warp(float *out, const ci_output *f, const ci_picture *p, const float map[6]) {
    for (int y = 0; y < f->height; y++) {
        for (int x = 0; x < f->width; x += STRIP) {
            int count = f->width - x < STRIP ? f->width - x : STRIP;
            warp_strip(out + y * f->row_stride, f, p, map, y, x, count);
        }
    }
}

void ci_laplacian_moments(const float *grey, int width, int height, double *sum, double *sum_of_squares) {
    double s = 0, q = 0;
    for (int y = 1; y + 1 < height; y++) {
        const float *row = grey + (ptrdiff_t)y * width;
        for (int x = 1; x + 1 < width; x++) {
            double v = row[x - 1] + row[x + 1] + row[x - width] + row[x + width] - 4.0f * row[x];
            s += v;
            q += v * v;
        }
    }
    *sum = s;
    *sum_of_squares = q;
}

uint64_t ci_checksum(const uint8_t *bytes, size_t count, uint64_t seed) {
    const uint64_t prime = 0x9E3779B97F4A7C15u;
    uint64_t hash = seed ^ (count * prime);
    while (count > 0) {
        uint64_t word = 0;
        size_t size = count < 8 ? count : 8;
        memcpy(&word, bytes, size);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 29;
        bytes += size;
        count -= size;
    }
    return hash;
}

#ifndef FACELLM_PREFIX
#define FACELLM_PREFIX "/usr/local"
#endif

const char *ci_install_prefix(void) {
    return FACELLM_PREFIX;
}
