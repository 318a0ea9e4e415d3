/*
 * Chance from a seed: keys, salts, epochs, and what SQLite draws, so that what a test does twice is
 * the same twice, byte for byte. Whoever calls dice_seed gets it; in all other programs chance
 * stays chance.
 */
#ifndef SUPPORT_DICE_H
#define SUPPORT_DICE_H

#include <stdint.h>

/* From now on. All threads draw from one sequence. */
void dice_seed(uint64_t seed);
/* The next number of a sequence that a test keeps for itself: splitmix64. */
static inline uint64_t dice_next(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

#endif
