#include "rate.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { WAITING, MEASURING, GIVEN_UP };

typedef struct {
    cm_chunk chunk;
    void *context;
    double seconds;
    atomic_int ready;
    atomic_int state;
} gate;

typedef struct {
    gate *gate;
    double rate;
    pthread_t thread;
} runner;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double measure(const gate *g) {
    double start = now(), elapsed, work = 0;
    do {
        work += g->chunk(g->context);
        elapsed = now() - start;
    } while (elapsed < g->seconds);
    return work / elapsed;
}

static void *run(void *argument) {
    runner *r = argument;
    gate *g = r->gate;
    // The first chunk is not measured: a core lowers its clock when wide vectors begin.
    g->chunk(g->context);
    atomic_fetch_add(&g->ready, 1);
    while (atomic_load(&g->state) == WAITING) sched_yield();
    if (atomic_load(&g->state) == MEASURING) r->rate = measure(g);
    return NULL;
}

double cm_rate(cm_chunk chunk, void *context, int threads, double milliseconds) {
    if (threads < 1) return 0;
    runner *runners = calloc((size_t)threads, sizeof *runners);
    if (!runners) return 0;
    gate g = {.chunk = chunk, .context = context, .seconds = milliseconds * 1e-3};
    atomic_init(&g.ready, 0);
    atomic_init(&g.state, WAITING);
    int started = 1;
    for (; started < threads; started++) {
        runners[started].gate = &g;
        if (pthread_create(&runners[started].thread, NULL, run, &runners[started]) != 0) break;
    }
    if (started == threads) {
        chunk(context);
        while (atomic_load(&g.ready) < threads - 1) sched_yield();
        atomic_store(&g.state, MEASURING);
        runners[0].rate = measure(&g);
    } else {
        atomic_store(&g.state, GIVEN_UP);
    }
    double sum = started == threads ? runners[0].rate : 0;
    for (int i = 1; i < started; i++) {
        pthread_join(runners[i].thread, NULL);
        sum += runners[i].rate;
    }
    free(runners);
    return sum;
}
