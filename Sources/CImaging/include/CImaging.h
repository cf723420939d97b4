// Pixel loops: halving a plane and resampling a planar picture through an affine map.
//
// Conventions: planes are rows of bytes, top row first; a pixel's centre has the coordinates (x + 0.5, y + 0.5);
// nothing here allocates, and outputs never alias inputs.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// A planar 8-bit picture. Chroma planes may be subsampled by powers of two, sited at the centre of their luma block.
typedef struct {
    const uint8_t *plane[3];  ///< Y, Cb, Cr or R, G, B; grey pictures have plane[0] alone
    ptrdiff_t stride[3];      ///< bytes from a row to the next; may be negative
    int width, height;        ///< of plane[0]
    int chroma_width, chroma_height;
    float chroma_scale_x, chroma_scale_y;  ///< chroma pixels per luma pixel
    int planes;                            ///< 1 or 3
    float matrix[9];                       ///< rgb = matrix * (sample - offset), row-major
    float offset[3];
} ci_picture;

/// What a resampled pixel looks like: `out[c] = value * scale[c] + bias[c]` at
/// `out + y * row_stride + x * pixel_stride + c * channel_stride` (in floats).
typedef struct {
    int width, height;
    ptrdiff_t row_stride, pixel_stride, channel_stride;
    float scale[3], bias[3];
    int grey;            ///< 1: one channel, Rec. 601 luma of the RGB value
    int replicate_edge;  ///< 1: outside pixels repeat the edge; 0: they are black
} ci_output;

/// dst[y, x] = rounded mean of the 2 x 2 source pixels; the last odd column or row is averaged with itself.
/// dst is ceil(width / 2) x ceil(height / 2).
void ci_halve(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int width, int height);

/// Bilinear resampling. `map` takes output pixel coordinates to source coordinates:
/// sx = map[0] x + map[1] y + map[2], sy = map[3] x + map[4] y + map[5], both at pixel centres.
void ci_warp(float *out, const ci_output *format, const ci_picture *picture, const float map[6]);

/// Sum of |4 p - left - right - up - down| squared, its plain sum, and the sum of the pixels, over the inner pixels of
/// a grey float picture; the variance of the Laplacian follows from them.
void ci_laplacian_moments(const float *grey, int width, int height, double *sum, double *sum_of_squares);

/// A 64-bit checksum that tells damaged files from whole ones; not for telling forged ones. Continue with the last
/// result as `seed`, 0 at first; all parts but the last must be multiples of 8 bytes.
uint64_t ci_checksum(const uint8_t *bytes, size_t count, uint64_t seed);

/// The prefix that the package was configured with: where OpenVINO and the models lie.
const char *ci_install_prefix(void);
