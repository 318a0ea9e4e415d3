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
/* The next number of a sequence that a test keeps for itself. */
uint64_t dice_next(uint64_t *state);

#endif
