// Counts what a thread asks the C library's allocator for. Linked into the test program only, where these functions take
// the place of the library's own and hand on to them.
#pragma once

/// Calls of malloc, calloc, realloc, aligned_alloc, memalign and posix_memalign on this thread until now; -1 where they
/// cannot be counted (another C library than glibc, or a sanitizer that has an allocator of its own).
long allocations_of_this_thread(void);
