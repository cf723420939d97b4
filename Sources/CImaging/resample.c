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

// Weights of 1/128 keep the whole interpolation in 32-bit integers and make it independent of summation order.
static inline int bilinear(const uint8_t *plane, ptrdiff_t stride, int width, int height, float sx, float sy) {
    float fx = floorf(sx), fy = floorf(sy);
    int x = (int)fx, y = (int)fy;
    int wx = (int)((sx - fx) * 128.0f + 0.5f), wy = (int)((sy - fy) * 128.0f + 0.5f);
    int x0, x1, y0, y1;
    if (x >= 0 && y >= 0 && x + 1 < width && y + 1 < height) {
        x0 = x, x1 = x + 1, y0 = y, y1 = y + 1;
    } else {
        x0 = clamp(x, 0, width - 1), x1 = clamp(x + 1, 0, width - 1);
        y0 = clamp(y, 0, height - 1), y1 = clamp(y + 1, 0, height - 1);
    }
    const uint8_t *r0 = plane + y0 * stride, *r1 = plane + y1 * stride;
    int top = r0[x0] * (128 - wx) + r0[x1] * wx;
    int bottom = r1[x0] * (128 - wx) + r1[x1] * wx;
    return top * (128 - wy) + bottom * wy;  // 14 fractional bits
}

static inline float unit_clamp(float v) {
    return v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v;
}

void ci_warp(float *out, const ci_output *f, const ci_picture *p, const float map[6]) {
    const float unit = 1.0f / 16384.0f;
    const float *m = p->matrix;
    // Coordinates far outside would overflow an int; they show the edge or black all the same.
    const float limit = 1.0e6f;
    for (int y = 0; y < f->height; y++) {
        float *row = out + y * f->row_stride;
        for (int x = 0; x < f->width; x++) {
            float cx = (float)x + 0.5f, cy = (float)y + 0.5f;
            float sx = map[0] * cx + map[1] * cy + map[2], sy = map[3] * cx + map[4] * cy + map[5];
            float *pixel = row + x * f->pixel_stride;
            sx = sx > limit ? limit : sx < -limit ? -limit : sx;
            sy = sy > limit ? limit : sy < -limit ? -limit : sy;
            float r = 0, g = 0, b = 0;
            if (f->replicate_edge || (sx >= 0 && sy >= 0 && sx < (float)p->width && sy < (float)p->height)) {
                float v0 = (float)bilinear(p->plane[0], p->stride[0], p->width, p->height, sx - 0.5f, sy - 0.5f) * unit;
                if (p->planes == 1) {
                    r = g = b = unit_clamp((v0 - p->offset[0]) * m[0]);
                } else {
                    float ux = sx * p->chroma_scale_x - 0.5f, uy = sy * p->chroma_scale_y - 0.5f;
                    float v1 =
                        (float)bilinear(p->plane[1], p->stride[1], p->chroma_width, p->chroma_height, ux, uy) * unit;
                    float v2 =
                        (float)bilinear(p->plane[2], p->stride[2], p->chroma_width, p->chroma_height, ux, uy) * unit;
                    v0 -= p->offset[0], v1 -= p->offset[1], v2 -= p->offset[2];
                    r = unit_clamp(m[0] * v0 + m[1] * v1 + m[2] * v2);
                    g = unit_clamp(m[3] * v0 + m[4] * v1 + m[5] * v2);
                    b = unit_clamp(m[6] * v0 + m[7] * v1 + m[8] * v2);
                }
            }
            if (f->grey) {
                pixel[0] = (0.299f * r + 0.587f * g + 0.114f * b) * f->scale[0] + f->bias[0];
            } else {
                pixel[0] = r * f->scale[0] + f->bias[0];
                pixel[f->channel_stride] = g * f->scale[1] + f->bias[1];
                pixel[2 * f->channel_stride] = b * f->scale[2] + f->bias[2];
            }
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

double ci_mean_absolute_difference(const uint8_t *a, const uint8_t *b, size_t count) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) total += (uint64_t)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
    return count ? (double)total / (double)count : 0;
}

#ifndef FACELLM_PREFIX
#define FACELLM_PREFIX "/usr/local"
#endif

const char *ci_install_prefix(void) {
    return FACELLM_PREFIX;
}
