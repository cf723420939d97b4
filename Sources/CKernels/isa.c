// Which vector unit this processor has.

#include "internal.h"

#include <string.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

static const ck_unit all[] = {
#if defined(__x86_64__)
    {"avx512bf16", &ck_ops_avx512, &ck_quant_ops_avx512vnni, &ck_pair_ops_avx512bf16},
    {"avx512vnni", &ck_ops_avx512, &ck_quant_ops_avx512vnni, NULL},
    {"avx512", &ck_ops_avx512, &ck_quant_ops_avx512, NULL},
    {"avxvnni", &ck_ops_avx2, &ck_quant_ops_avxvnni, NULL},
    {"avx2", &ck_ops_avx2, &ck_quant_ops_avx2, NULL},
#elif defined(__aarch64__)
    {"neon-i8mm", &ck_ops_neon, &ck_quant_ops_neoni8mm, NULL},
    {"neon-dotprod", &ck_ops_neon, &ck_quant_ops_neondotprod, NULL},
    {"neon", &ck_ops_neon, &ck_quant_ops_neon, NULL},
#endif
    {"portable", &ck_ops_portable, &ck_quant_ops_portable, NULL},
};

#if defined(__x86_64__)
static int has_avxvnni(void) {
#if defined(CK_AVXVNNI_AS_AVX512VL)
    return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#else
    return __builtin_cpu_supports("avxvnni");
#endif
}
#endif

#if defined(__aarch64__)
/// Bits of the auxiliary vector as the kernel documents them (Documentation/arch/arm64/elf_hwcaps.rst): older headers lack
/// the second.
enum { HAS_DOTPROD = 1 << 20, HAS_I8MM = 1 << 13 };

static int has_dotprod(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & HAS_DOTPROD) != 0;
#else
    return 0;
#endif
}

static int has_i8mm(void) {
#if defined(__linux__) && defined(AT_HWCAP2)
    return (getauxval(AT_HWCAP2) & HAS_I8MM) != 0;
#else
    return 0;
#endif
}
#endif

static int usable(const ck_unit *unit) {
#if defined(__x86_64__)
    if (unit->ops == &ck_ops_avx512) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               (unit->quant_ops != &ck_quant_ops_avx512vnni || __builtin_cpu_supports("avx512vnni")) &&
               (unit->pair_ops == NULL || __builtin_cpu_supports("avx512bf16"));
    }
    if (unit->ops == &ck_ops_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
               (unit->quant_ops != &ck_quant_ops_avxvnni || has_avxvnni());
    }
#elif defined(__aarch64__)
    if (unit->ops == &ck_ops_neon) {
        return (unit->quant_ops != &ck_quant_ops_neondotprod || has_dotprod()) &&
               (unit->quant_ops != &ck_quant_ops_neoni8mm || (has_dotprod() && has_i8mm()));
    }
#endif
    return unit->ops == &ck_ops_portable;
}

const ck_unit *ck_unit_named(const char *name) {
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].name, name) == 0 && usable(&all[i])) {
            return &all[i];
        }
    }
    return NULL;
}

const ck_unit *ck_best_unit(void) {
    size_t i = 0;
    while (!usable(&all[i])) {
        i++;
    }
    return &all[i];
}

const char *ck_isa(void) {
    return ck_best_unit()->name;
}
