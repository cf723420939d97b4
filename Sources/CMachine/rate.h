// Runs a measured loop on several threads at once.
#pragma once

/// A piece of work of some 10 to 200 microseconds: returns what it did, in operations or bytes.
/// Called by all threads at once with the same context.
typedef double (*cm_chunk)(void *context);

/// Steps of a chunk of chains: about 50 microseconds.
enum { CM_STEPS = 4096 };

/// A chunk and the vector unit that it uses.
typedef struct {
    cm_chunk chunk;
    const char *name;
} cm_unit;

/// The sum over `threads` threads of work done by time taken; 0 where threads cannot be had.
double cm_rate(cm_chunk chunk, void *context, int threads, double milliseconds);

/// Makes a value look unknown to the compiler, at no cost, so that loops over it are neither folded
/// nor hoisted.
#if defined(__x86_64__)
#define CM_OPAQUE(v) __asm__ volatile("" : "+v"(v))
#elif defined(__aarch64__)
#define CM_OPAQUE(v) __asm__ volatile("" : "+w"(v))
#endif
/// The same for an array or structure in memory, which the compiler must also keep up to date.
#define CM_OPAQUE_MEMORY(v) __asm__ volatile("" : "+m"(v))
