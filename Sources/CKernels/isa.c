// Which vector unit this processor has.

#include "internal.h"

#include <string.h>

static int usable(const ck_ops *ops) {
#if defined(__x86_64__)
    if (ops == &ck_ops_avx512) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    }
    if (ops == &ck_ops_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
#endif
    return ops == &ck_ops_portable;
}

static const ck_ops *const all[] = {
#if defined(__x86_64__)
    &ck_ops_avx512,
    &ck_ops_avx2,
#endif
    &ck_ops_portable,
};

const ck_ops *ck_ops_named(const char *name) {
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i]->name, name) == 0 && usable(all[i])) {
            return all[i];
        }
    }
    return NULL;
}

const ck_ops *ck_ops_best(void) {
    size_t i = 0;
    while (!usable(all[i])) {
        i++;
    }
    return all[i];
}

const char *ck_isa(void) {
    return ck_ops_best()->name;
}
