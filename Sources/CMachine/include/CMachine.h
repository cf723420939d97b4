// What this machine can do, measured: the limits that benchmarks are compared with.
//
// Each measurement runs the same loop on `threads` threads (the caller's own included) for about
// `milliseconds` and returns the sum of their rates; 0 where `threads` < 1 or threads cannot be
// had. The instruction set is the best that the processor has, chosen at run time. Neither prints;
// measure one thing at a time.
#pragma once

#include <stddef.h>

/// Single-precision multiply-adds on registers, in operations a second (a multiply-add counts as
/// two).
double cm_fma_f32(int threads, double milliseconds);
/// The vector unit that cm_fma_f32 uses: "avx512", "avx2", "neon" or "portable".
const char *cm_fma_f32_unit(void);

/// Products of 8-bit integers accumulated in 32 bits, on registers, in operations a second (a
/// multiply-add counts as two).
double cm_dot_int8(int threads, double milliseconds);
/// The vector unit that cm_dot_int8 uses: "avx512vnni", "avxvnni", "avx2", "neon-i8mm",
/// "neon-dotprod" or "portable".
const char *cm_dot_int8_unit(void);

/// Gives memory that has been freed back to the kernel, where the C library can, so that it no
/// longer counts.
void cm_return_freed_memory(void);

/// Memory to read from.
typedef struct cm_memory cm_memory;
/// Takes at least `bytes` of memory and writes to all of it, so that it is resident. At least 16
/// times the last cache level makes sense, 512 MiB or more. NULL where the memory cannot be had.
cm_memory *cm_memory_create(size_t bytes);
void cm_memory_destroy(cm_memory *memory);
/// Reading from main memory, four streams a thread with prefetch, in bytes a second. Goes on where
/// the last call stopped, so that short calls do not find in the caches what an earlier one has
/// read.
double cm_memory_read(cm_memory *memory, int threads, double milliseconds);
