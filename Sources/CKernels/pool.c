// The threads that share one call: an atomic counter hands out indices, the caller takes part, and a worker that
// wakes late is not waited for.

#define _GNU_SOURCE
#include "internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

struct ck_pool {
    const ck_unit *unit;
    int threads;
    int started;  // workers that exist, `threads - 1` once created

    pthread_mutex_t lock;
    pthread_cond_t opened;    // a job was published, or `stopping`
    pthread_cond_t finished;  // `running` became 0
    int sleeping;             // workers in `opened`, under `lock`
    int open;                 // a job may be joined, under `lock`
    int next_thread;          // number that the next worker to join gets, under `lock`
    int stopping;

    atomic_uint generation;  // grows with each job
    atomic_int running;      // workers inside the job; grows under `lock` only
    atomic_ptrdiff_t next;
    ptrdiff_t count;
    ck_task task;
    void *context;

    void *scratch;
    size_t scratch_size;

    pthread_t workers[];
};

/// How long a thread looks for work before it sleeps: longer than the gap between two kernels of a decode step.
enum { SPIN_NANOSECONDS = 10000, SPINS_PER_LOOK = 16 };

enum { HUGE_PAGE = 2 << 20 };

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void take_indices(ck_pool *pool, int thread) {
    for (;;) {
        ptrdiff_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count) {
            return;
        }
        pool->task(pool->context, index, thread);
    }
}

/// Spins until the generation differs from `seen`, sleeps if that takes too long.
static void await_generation(ck_pool *pool, unsigned seen) {
    int64_t limit = now() + SPIN_NANOSECONDS;
    do {
        for (int i = 0; i < SPINS_PER_LOOK; i++) {
            if (atomic_load_explicit(&pool->generation, memory_order_acquire) != seen) {
                return;
            }
            relax();
        }
    } while (now() < limit);

    pthread_mutex_lock(&pool->lock);
    pool->sleeping++;
    while (atomic_load_explicit(&pool->generation, memory_order_relaxed) == seen) {
        pthread_cond_wait(&pool->opened, &pool->lock);
    }
    pool->sleeping--;
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *argument) {
    ck_pool *pool = argument;
    unsigned seen = 0;
    for (;;) {
        await_generation(pool, seen);

        pthread_mutex_lock(&pool->lock);
        seen = atomic_load_explicit(&pool->generation, memory_order_relaxed);
        int stopping = pool->stopping;
        int joins = pool->open && !stopping;
        int thread = 0;
        if (joins) {
            thread = pool->next_thread++;
            atomic_fetch_add_explicit(&pool->running, 1, memory_order_relaxed);
        }
        pthread_mutex_unlock(&pool->lock);

        if (stopping) {
            return NULL;
        }
        if (!joins) {
            continue;
        }
        take_indices(pool, thread);
        // Release: what the task wrote is visible to the caller that sees 0.
        if (atomic_fetch_sub_explicit(&pool->running, 1, memory_order_release) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void await_workers(ck_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->open = 0;
    pthread_mutex_unlock(&pool->lock);

    int64_t limit = now() + SPIN_NANOSECONDS;
    do {
        for (int i = 0; i < SPINS_PER_LOOK; i++) {
            if (atomic_load_explicit(&pool->running, memory_order_acquire) == 0) {
                return;
            }
            relax();
        }
    } while (now() < limit);

    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->running, memory_order_acquire) != 0) {
        pthread_cond_wait(&pool->finished, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

void ck_run_tasks(ck_pool *pool, ptrdiff_t count, ck_task task, void *context) {
    if (pool->threads == 1 || count <= 1) {
        for (ptrdiff_t index = 0; index < count; index++) {
            task(context, index, 0);
        }
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->task = task;
    pool->context = context;
    pool->count = count;
    pool->next_thread = 1;
    pool->open = 1;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
    int sleeping = pool->sleeping;
    pthread_mutex_unlock(&pool->lock);
    if (sleeping > 0) {
        pthread_cond_broadcast(&pool->opened);
    }

    take_indices(pool, 0);
    await_workers(pool);
}

ck_pool *ck_pool_create_isa(int threads, const char *isa) {
    const ck_unit *unit = ck_unit_named(isa);
    if (threads < 1 || unit == NULL) {
        return NULL;
    }
    ck_pool *pool = calloc(1, sizeof *pool + (size_t)(threads - 1) * sizeof pool->workers[0]);
    if (pool == NULL) {
        return NULL;
    }
    pool->unit = unit;
    pool->threads = threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->opened, NULL);
    pthread_cond_init(&pool->finished, NULL);
    while (pool->started < threads - 1) {
        if (pthread_create(&pool->workers[pool->started], NULL, work, pool) != 0) {
            ck_pool_destroy(pool);
            return NULL;
        }
        pool->started++;
    }
    return pool;
}

ck_pool *ck_pool_create(int threads) {
    return ck_pool_create_isa(threads, ck_isa());
}

void ck_pool_destroy(ck_pool *pool) {
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stopping = 1;
    atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
    pthread_cond_broadcast(&pool->opened);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++) {
        pthread_join(pool->workers[i], NULL);
    }
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->opened);
    pthread_mutex_destroy(&pool->lock);
    free(pool->scratch);
    free(pool);
}

int ck_pool_threads(const ck_pool *pool) {
    return pool->threads;
}

const ck_ops *ck_pool_ops(const ck_pool *pool) {
    return pool->unit->ops;
}

const ck_quant_ops *ck_pool_quant_ops(const ck_pool *pool) {
    return pool->unit->quant_ops;
}

const ck_pair_ops *ck_pool_pair_ops(const ck_pool *pool) {
    return pool->unit->pair_ops;
}

void *ck_pool_scratch(ck_pool *pool, size_t size) {
    if (size <= pool->scratch_size) {
        return pool->scratch;
    }
    // Whole huge pages: packed panels are walked with strides that a small page's TLB entries do not cover.
    size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *scratch = NULL;
    if (posix_memalign(&scratch, HUGE_PAGE, size) != 0) {
        return NULL;
    }
    madvise(scratch, size, MADV_HUGEPAGE);
    free(pool->scratch);
    pool->scratch = scratch;
    pool->scratch_size = size;
    return scratch;
}
