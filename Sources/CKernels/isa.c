// Which vector unit this processor has.

#include "internal.h"

#include <string.h>

static const ck_unit all[] = {
#if defined(__x86_64__)
    {"avx512vnni", &ck_ops_avx512, &ck_quant_ops_avx512vnni},
    {"avx512", &ck_ops_avx512, &ck_quant_ops_avx512},
    {"avx2", &ck_ops_avx2, &ck_quant_ops_avx2},
#endif
#if defined(__aarch64__)
    {"neon", &ck_ops_portable, &ck_quant_ops_portable},
#else
    {"portable", &ck_ops_portable, &ck_quant_ops_portable},
#endif
};

static int usable(const ck_unit *unit) {
#if defined(__x86_64__)
    if (unit->ops == &ck_ops_avx512) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               (unit->quant_ops != &ck_quant_ops_avx512vnni || __builtin_cpu_supports("avx512vnni"));
    }
    if (unit->ops == &ck_ops_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
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
