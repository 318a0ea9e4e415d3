/*
 * How an RFC 6962 tree splits. Internal to lib/ledger.
 */
#ifndef LEDGER_SHAPE_H
#define LEDGER_SHAPE_H

#include <stdint.h>

/* The largest power of two that is at most ${n}, which is not 0. */
static inline uint64_t power_of_two_within(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n));
}

/* Where the tree over leaves lo … hi-1, at least two, splits: behind the largest power of two below
 * their number. */
static inline uint64_t split_of(uint64_t lo, uint64_t hi)
{
    return lo + power_of_two_within(hi - lo - 1);
}

#endif
