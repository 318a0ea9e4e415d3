/*
 * How long to wait before the next attempt: doubling from at most 0.5 s to at most 30 s, the upper
 * half of each step left to chance, so that 3,200 nodes do not come back in the same second. Pure:
 * the caller brings the chance.
 */
#ifndef LINK_BACKOFF_H
#define LINK_BACKOFF_H

#include <stdint.h>

enum { LINK_BACKOFF_MIN_MS = 250, LINK_BACKOFF_MAX_MS = 30000 };

struct link_backoff {
    uint32_t failures;
};

#define LINK_BACKOFF_INIT ((struct link_backoff){.failures = 0})

/* Count one more failure; the pause before the next attempt, LINK_BACKOFF_MIN_MS to
 * LINK_BACKOFF_MAX_MS. ${random}: any 32 bits of the caller's chance. */
uint32_t link_backoff_next_ms(struct link_backoff *b, uint32_t random);

/* It worked: begin anew. */
void link_backoff_reset(struct link_backoff *b);

#endif
