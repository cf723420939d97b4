// Compiles what stands between BEGIN and END for an instruction set, whatever the command line says.
#pragma once

#define CK_PRAGMA(x) _Pragma(#x)
#if defined(__clang__)
#define CK_TARGET_BEGIN(features) CK_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define CK_TARGET_END CK_PRAGMA(clang attribute pop)
#define CK_UNROLL CK_PRAGMA(clang loop unroll(full))
#else
#define CK_TARGET_BEGIN(features) CK_PRAGMA(GCC push_options) CK_PRAGMA(GCC target(features))
#define CK_TARGET_END CK_PRAGMA(GCC pop_options)
#define CK_UNROLL CK_PRAGMA(GCC unroll 32)
#endif

#define CK_INLINE static inline __attribute__((always_inline))
