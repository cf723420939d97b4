// What the units with dot products of bytes have in common. See vector_quant.h.

enum { GROUP_ROWS = 2, SEGMENTS = 2, X_OFFSET = 0 };

/// sum + products of four bytes in each lane, exact.
static inline vi dot_signed(vi sum, vi x, vi w) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(w));
}

static inline vi dot_nibbles(vi sum, vi w, vi x) {
    return dot_signed(sum, x, w);
}

/// Each of these units brings a tile of its own.
#define CK_OWN_TILE_INT8
