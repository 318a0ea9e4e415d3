/*
 * The pause between attempts. See backoff.h.
 */
#include "link/backoff.h"

uint32_t link_backoff_next_ms(struct link_backoff *b, uint32_t random)
{
    uint32_t step = LINK_BACKOFF_MIN_MS * 2;
    for (uint32_t i = 0; i < b->failures && step < LINK_BACKOFF_MAX_MS; i++)
        step *= 2;
    if (step > LINK_BACKOFF_MAX_MS)
        step = LINK_BACKOFF_MAX_MS;
    if (b->failures < UINT32_MAX)
        b->failures++;
    uint32_t half = step / 2;
    return half + random % (step - half + 1);
}

void link_backoff_reset(struct link_backoff *b)
{
    b->failures = 0;
}
