// Chains of 8-bit dot products on registers, as fma.c has them for single precision.

#include "CMachine.h"
#include "rate.h"

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

// Steps of a chunk: about 50 microseconds.
enum { STEPS = 4096 };

#if defined(__x86_64__)

__attribute__((target("avx512f,avx512vnni")))
static double chunk_avx512vnni(void *context) {
    (void)context;
    enum { CHAINS = 24 };
    __m512i x[CHAINS], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5);
    CM_OPAQUE(a);
    CM_OPAQUE(b);
    for (int i = 0; i < CHAINS; i++) x[i] = _mm512_set1_epi32(i);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++) x[i] = _mm512_dpbusd_epi32(x[i], a, b);
    }
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return 2.0 * 64 * CHAINS * STEPS;
}

__attribute__((target("avx2,avxvnni")))
static double chunk_avxvnni(void *context) {
    (void)context;
    enum { CHAINS = 12 };
    __m256i x[CHAINS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5);
    CM_OPAQUE(a);
    CM_OPAQUE(b);
    for (int i = 0; i < CHAINS; i++) x[i] = _mm256_set1_epi32(i);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) x[i] = _mm256_dpbusd_avx_epi32(x[i], a, b);
    }
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return 2.0 * 32 * CHAINS * STEPS;
}

// Without such an instruction: products to 16 bits, pairs to 32 bits, then the sum. The operand is
// made opaque before each product, or the compiler would compute all of them once.
__attribute__((target("avx2")))
static double chunk_avx2(void *context) {
    (void)context;
    enum { CHAINS = 8 };
    __m256i x[CHAINS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5);
    __m256i ones = _mm256_set1_epi16(1);
    CM_OPAQUE(b);
    CM_OPAQUE(ones);
    for (int i = 0; i < CHAINS; i++) x[i] = _mm256_set1_epi32(i);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 8
        for (int i = 0; i < CHAINS; i++) {
            CM_OPAQUE(a);
            __m256i pairs = _mm256_maddubs_epi16(a, b);
            x[i] = _mm256_add_epi32(x[i], _mm256_madd_epi16(pairs, ones));
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return 2.0 * 32 * CHAINS * STEPS;
}

#elif defined(__aarch64__)

__attribute__((target("dotprod")))
static double chunk_dotprod(void *context) {
    (void)context;
    enum { CHAINS = 24 };
    int32x4_t x[CHAINS];
    int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(-5);
    CM_OPAQUE(a);
    CM_OPAQUE(b);
    for (int i = 0; i < CHAINS; i++) x[i] = vdupq_n_s32(i);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++) x[i] = vdotq_s32(x[i], a, b);
    }
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return 2.0 * 16 * CHAINS * STEPS;
}

#endif

static double chunk_portable(void *context) {
    (void)context;
    enum { CHAINS = 32 };
    int32_t x[CHAINS];
    int8_t a[CHAINS], b[CHAINS];
    for (int i = 0; i < CHAINS; i++) {
        x[i] = i;
        a[i] = 3;
        b[i] = -5;
    }
    for (int step = 0; step < STEPS; step++) {
        CM_OPAQUE_MEMORY(a);
        CM_OPAQUE_MEMORY(b);
        for (int i = 0; i < CHAINS; i++) x[i] += a[i] * b[i];
    }
    CM_OPAQUE_MEMORY(x);
    return 2.0 * CHAINS * STEPS;
}

typedef struct {
    cm_chunk chunk;
    const char *name;
} unit;

static unit best(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni")) {
        return (unit){chunk_avx512vnni, "avx512vnni"};
    }
    if (__builtin_cpu_supports("avx2")) {
        return __builtin_cpu_supports("avxvnni") ? (unit){chunk_avxvnni, "avxvnni"}
                                                 : (unit){chunk_avx2, "avx2"};
    }
#elif defined(__aarch64__) && defined(__linux__)
    if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) return (unit){chunk_dotprod, "neon-dotprod"};
#endif
    return (unit){chunk_portable, "portable"};
}

double cm_dot_int8(int threads, double milliseconds) {
    return cm_rate(best().chunk, NULL, threads, milliseconds);
}

const char *cm_dot_int8_unit(void) {
    return best().name;
}
