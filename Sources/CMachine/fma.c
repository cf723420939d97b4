// Chains of multiply-adds on registers. Enough of them run side by side to hide the latency of one
// (4 or 5 cycles times 2 units on today's cores), and no more than there are registers.

#include "CMachine.h"
#include "rate.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Steps of a chunk: about 50 microseconds.
enum { STEPS = 4096 };

// x = x * a + b converges to b / (1 - a) = 1: no overflow, no subnormal numbers.
static const float FACTOR = 0.75f, ADDEND = 0.25f;

#if defined(__x86_64__)

__attribute__((target("avx512f")))
static double chunk_avx512(void *context) {
    (void)context;
    enum { CHAINS = 24 };
    __m512 x[CHAINS], a = _mm512_set1_ps(FACTOR), b = _mm512_set1_ps(ADDEND);
    CM_OPAQUE(a);
    CM_OPAQUE(b);
    for (int i = 0; i < CHAINS; i++) x[i] = _mm512_set1_ps((float)i);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++) x[i] = _mm512_fmadd_ps(x[i], a, b);
    }
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return 2.0 * 16 * CHAINS * STEPS;
}

__attribute__((target("avx2,fma")))
static double chunk_avx2(void *context) {
    (void)context;
    enum { CHAINS = 12 };
    __m256 x[CHAINS], a = _mm256_set1_ps(FACTOR), b = _mm256_set1_ps(ADDEND);
    CM_OPAQUE(a);
    CM_OPAQUE(b);
    for (int i = 0; i < CHAINS; i++) x[i] = _mm256_set1_ps((float)i);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) x[i] = _mm256_fmadd_ps(x[i], a, b);
    }
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return 2.0 * 8 * CHAINS * STEPS;
}

#elif defined(__aarch64__)

static double chunk_neon(void *context) {
    (void)context;
    enum { CHAINS = 24 };
    float32x4_t x[CHAINS], a = vdupq_n_f32(FACTOR), b = vdupq_n_f32(ADDEND);
    CM_OPAQUE(a);
    CM_OPAQUE(b);
    for (int i = 0; i < CHAINS; i++) x[i] = vdupq_n_f32((float)i);
    // vfmaq adds to its first operand: x += a * b.
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++) x[i] = vfmaq_f32(x[i], a, b);
    }
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return 2.0 * 4 * CHAINS * STEPS;
}

#endif

#if !defined(__aarch64__)
static double chunk_portable(void *context) {
    (void)context;
    enum { CHAINS = 32 };
    float x[CHAINS], a[2] = {FACTOR, ADDEND};
    CM_OPAQUE_MEMORY(a);
    for (int i = 0; i < CHAINS; i++) x[i] = (float)i;
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a[0] + a[1];
    }
    CM_OPAQUE_MEMORY(x);
    return 2.0 * CHAINS * STEPS;
}
#endif

typedef struct {
    cm_chunk chunk;
    const char *name;
} unit;

static unit best(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return (unit){chunk_avx512, "avx512"};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return (unit){chunk_avx2, "avx2"};
    }
    return (unit){chunk_portable, "portable"};
#elif defined(__aarch64__)
    return (unit){chunk_neon, "neon"};
#else
    return (unit){chunk_portable, "portable"};
#endif
}

double cm_fma_f32(int threads, double milliseconds) {
    return cm_rate(best().chunk, NULL, threads, milliseconds);
}

const char *cm_fma_f32_unit(void) {
    return best().name;
}
