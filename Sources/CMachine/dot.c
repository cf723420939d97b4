// Dot products of 8-bit integers on registers.

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

#if defined(__x86_64__)

#define CHUNK chunk_avx512vnni
#define TARGET "avx512f,avx512vnni"
#define VECTOR __m512i
#define OPERANDS __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5); CM_OPAQUE(a); CM_OPAQUE(b)
#define START(i) _mm512_set1_epi32(i)
#define STEP(x) _mm512_dpbusd_epi32(x, a, b)
#define CHAINS 24
#define OPERATIONS (2 * 64)
#include "chains.h"

#define CHUNK chunk_avxvnni
#define TARGET "avx2,avxvnni"
#define VECTOR __m256i
#define OPERANDS __m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5); CM_OPAQUE(a); CM_OPAQUE(b)
#define START(i) _mm256_set1_epi32(i)
#define STEP(x) _mm256_dpbusd_avx_epi32(x, a, b)
#define CHAINS 12
#define OPERATIONS (2 * 32)
#include "chains.h"

// Without such an instruction: products to 16 bits, pairs to 32 bits, then the sum. The operand is made opaque before each
// product, or the compiler would compute all of them once.
__attribute__((target("avx2")))
static inline __m256i add_products(__m256i x, __m256i a, __m256i b, __m256i ones) {
    CM_OPAQUE(a);
    return _mm256_add_epi32(x, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
}

#define CHUNK chunk_avx2
#define TARGET "avx2"
#define VECTOR __m256i
#define OPERANDS \
    __m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5), ones = _mm256_set1_epi16(1); \
    CM_OPAQUE(b); \
    CM_OPAQUE(ones)
#define START(i) _mm256_set1_epi32(i)
#define STEP(x) add_products(x, a, b, ones)
#define CHAINS 8
#define OPERATIONS (2 * 32)
#include "chains.h"

#elif defined(__aarch64__)

#define CHUNK chunk_i8mm
#define TARGET "arch=armv8.2-a+i8mm"
#define VECTOR int32x4_t
#define OPERANDS int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(-5); CM_OPAQUE(a); CM_OPAQUE(b)
#define START(i) vdupq_n_s32(i)
#define STEP(x) vmmlaq_s32(x, a, b)
#define CHAINS 24
#define OPERATIONS (2 * 32)
#include "chains.h"

#define CHUNK chunk_dotprod
#define TARGET "arch=armv8.2-a+dotprod"
#define VECTOR int32x4_t
#define OPERANDS int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(-5); CM_OPAQUE(a); CM_OPAQUE(b)
#define START(i) vdupq_n_s32(i)
#define STEP(x) vdotq_s32(x, a, b)
#define CHAINS 24
#define OPERATIONS (2 * 16)
#include "chains.h"

// Bits of the auxiliary vector, which older headers do not all name.
enum { HAS_DOTPROD = 1 << 20, HAS_I8MM = 1 << 13 };

#endif

// Arrays in memory, for the compiler to make vectors of.
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
    for (int step = 0; step < CM_STEPS; step++) {
        CM_OPAQUE_MEMORY(a);
        CM_OPAQUE_MEMORY(b);
        for (int i = 0; i < CHAINS; i++) x[i] += a[i] * b[i];
    }
    CM_OPAQUE_MEMORY(x);
    return 2.0 * CHAINS * CM_STEPS;
}

static cm_unit best(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni")) {
        return (cm_unit){chunk_avx512vnni, "avx512vnni"};
    }
    if (__builtin_cpu_supports("avx2")) {
        return __builtin_cpu_supports("avxvnni") ? (cm_unit){chunk_avxvnni, "avxvnni"}
                                                 : (cm_unit){chunk_avx2, "avx2"};
    }
#elif defined(__aarch64__) && defined(__linux__)
    if (getauxval(AT_HWCAP2) & HAS_I8MM) return (cm_unit){chunk_i8mm, "neon-i8mm"};
    if (getauxval(AT_HWCAP) & HAS_DOTPROD) return (cm_unit){chunk_dotprod, "neon-dotprod"};
#endif
    return (cm_unit){chunk_portable, "portable"};
}

double cm_dot_int8(int threads, double milliseconds) {
    return cm_rate(best().chunk, NULL, threads, milliseconds);
}

const char *cm_dot_int8_unit(void) {
    return best().name;
}
