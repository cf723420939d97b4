// Multiply-adds of single precision on registers.

#include "CMachine.h"
#include "rate.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// x = x * a + b converges to b / (1 - a) = 1: no overflow, no subnormal numbers.
static const float FACTOR = 0.75f, ADDEND = 0.25f;

#if defined(__x86_64__)

#define CHUNK chunk_avx512
#define TARGET "avx512f"
#define VECTOR __m512
#define OPERANDS __m512 a = _mm512_set1_ps(FACTOR), b = _mm512_set1_ps(ADDEND); CM_OPAQUE(a); CM_OPAQUE(b)
#define START(i) _mm512_set1_ps((float)(i))
#define STEP(x) _mm512_fmadd_ps(x, a, b)
#define CHAINS 24
#define OPERATIONS (2 * 16)
#include "chains.h"

#define CHUNK chunk_avx2
#define TARGET "avx2,fma"
#define VECTOR __m256
#define OPERANDS __m256 a = _mm256_set1_ps(FACTOR), b = _mm256_set1_ps(ADDEND); CM_OPAQUE(a); CM_OPAQUE(b)
#define START(i) _mm256_set1_ps((float)(i))
#define STEP(x) _mm256_fmadd_ps(x, a, b)
#define CHAINS 12
#define OPERATIONS (2 * 8)
#include "chains.h"

#elif defined(__aarch64__)

// vfmaq adds to its first operand: x += a * b.
#define CHUNK chunk_neon
#define VECTOR float32x4_t
#define OPERANDS float32x4_t a = vdupq_n_f32(FACTOR), b = vdupq_n_f32(ADDEND); CM_OPAQUE(a); CM_OPAQUE(b)
#define START(i) vdupq_n_f32((float)(i))
#define STEP(x) vfmaq_f32(x, a, b)
#define CHAINS 24
#define OPERATIONS (2 * 4)
#include "chains.h"

#endif

#if !defined(__aarch64__)
// Arrays in memory, for the compiler to make vectors of.
static double chunk_portable(void *context) {
    (void)context;
    enum { CHAINS = 32 };
    float x[CHAINS], a[2] = {FACTOR, ADDEND};
    CM_OPAQUE_MEMORY(a);
    for (int i = 0; i < CHAINS; i++) x[i] = (float)i;
    for (int step = 0; step < CM_STEPS; step++) {
        for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a[0] + a[1];
    }
    CM_OPAQUE_MEMORY(x);
    return 2.0 * CHAINS * CM_STEPS;
}
#endif

static cm_unit best(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return (cm_unit){chunk_avx512, "avx512"};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return (cm_unit){chunk_avx2, "avx2"};
    }
    return (cm_unit){chunk_portable, "portable"};
#elif defined(__aarch64__)
    return (cm_unit){chunk_neon, "neon"};
#else
    return (cm_unit){chunk_portable, "portable"};
#endif
}

double cm_fma_f32(int threads, double milliseconds) {
    return cm_rate(best().chunk, NULL, threads, milliseconds);
}

const char *cm_fma_f32_unit(void) {
    return best().name;
}
