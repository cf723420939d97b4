// A measured loop: chains of one operation on registers. Enough of them run side by side to hide the operation's latency
// (4 or 5 cycles times 2 units on today's cores), and no more than there are registers.
//
// A template: the including file defines, and this one undefines,
//   CHUNK          the function's name
//   TARGET         its instruction set, if more than the compiler's own
//   VECTOR         the type of a chain
//   OPERANDS       declarations of what the operation takes beside a chain, opaque to the compiler
//   START(i)       what chain i starts with
//   STEP(x)        a chain's next value
//   CHAINS         how many there are
//   OPERATIONS     what one step of one chain counts for

#if defined(TARGET)
__attribute__((target(TARGET)))
#endif
static double CHUNK(void *context) {
    (void)context;
    VECTOR x[CHAINS];
    OPERANDS;
    for (int i = 0; i < CHAINS; i++) x[i] = START(i);
    for (int step = 0; step < CM_STEPS; step++) {
#pragma GCC unroll 32
        for (int i = 0; i < CHAINS; i++) x[i] = STEP(x[i]);
    }
#pragma GCC unroll 32
    for (int i = 0; i < CHAINS; i++) CM_OPAQUE(x[i]);
    return (double)OPERATIONS * CHAINS * CM_STEPS;
}

#undef CHUNK
#undef TARGET
#undef VECTOR
#undef OPERANDS
#undef START
#undef STEP
#undef CHAINS
#undef OPERATIONS
