// Reading main memory: four streams a thread, as a matrix-vector product that walks four rows at
// once.
//
// The buffer is cut into blocks, and threads take the next block from a common counter that runs on
// from call to call: all threads work until the end, and a block returns only after all others.

#define _GNU_SOURCE

#include "CMachine.h"
#include "rate.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

enum {
    LINE = 64,
    STREAMS = 4,
    LINES_PER_STEP = 4,
    STEP = LINE * LINES_PER_STEP,
    // Bytes of a block in each stream; the hardware's prefetcher starts afresh at page borders
    // anyway.
    RUN = 256 << 10,
    // How far ahead lines are asked for, in bytes.
    AHEAD = 1024,
};

struct cm_memory {
    uint8_t *bytes;
    size_t stream;  // bytes of each of the four parts, a multiple of RUN
    atomic_size_t next;
};

// One binary for all machines: 64 bytes are one, two or four registers.
#if defined(__x86_64__) && defined(__linux__)
#define CM_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CM_CLONES
#endif

typedef uint64_t line __attribute__((vector_size(LINE), aligned(LINE)));

CM_CLONES
static void read_block(const uint8_t *bytes, size_t stream) {
    line sum[STREAMS] = {{0}};
    for (size_t offset = 0; offset < RUN; offset += STEP) {
#pragma GCC unroll 4
        for (int s = 0; s < STREAMS; s++) {
            const uint8_t *p = bytes + (size_t)s * stream + offset;
#pragma GCC unroll 4
            for (int l = 0; l < LINES_PER_STEP; l++) {
                __builtin_prefetch(p + AHEAD + l * LINE);
                sum[s] |= *(const line *)(p + l * LINE);
            }
        }
    }
    CM_OPAQUE_MEMORY(sum);
}

static double chunk(void *context) {
    cm_memory *memory = context;
    size_t index = atomic_fetch_add_explicit(&memory->next, 1, memory_order_relaxed);
    read_block(memory->bytes + index % (memory->stream / RUN) * RUN, memory->stream);
    return (double)STREAMS * RUN;
}

static size_t total(const cm_memory *memory) {
    return STREAMS * memory->stream;
}

cm_memory *cm_memory_create(size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    cm_memory *memory = malloc(sizeof *memory);
    if (!memory) return NULL;
    size_t part = (size_t)STREAMS * RUN;
    memory->stream = (bytes / part + (bytes % part != 0 || bytes == 0)) * RUN;
    atomic_init(&memory->next, 0);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *mapped = mmap(NULL, total(memory), PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mapped == MAP_FAILED) {
        free(memory);
        return NULL;
    }
    // Large pages where there are any: the limit is the memory's, not the page table's.
    madvise(mapped, total(memory), MADV_HUGEPAGE);
    memset(mapped, 1, total(memory));
    memory->bytes = mapped;
    return memory;
}

void cm_memory_destroy(cm_memory *memory) {
    if (!memory) return;
    munmap(memory->bytes, total(memory));
    free(memory);
}

double cm_memory_read(cm_memory *memory, int threads, double milliseconds) {
    return cm_rate(chunk, memory, threads, milliseconds);
}

void cm_return_freed_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}
