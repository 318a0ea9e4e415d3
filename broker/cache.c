/*
 * A bounded ring of parcels that came in lately. See parts.h.
 */
#include "parts.h"

#include <stdlib.h>

enum { CACHE_SLOTS = 1024 };

struct cached {
    uint64_t id;
    struct buf parcel;
};

struct parcel_cache {
    size_t max_bytes;
    size_t bytes;
    size_t oldest;
    size_t count;
    struct cached slot[CACHE_SLOTS];
};

struct parcel_cache *parcel_cache_new(size_t max_bytes)
{
    struct parcel_cache *c = calloc(1, sizeof *c);
    if (c)
        c->max_bytes = max_bytes;
    return c;
}

static void forget_oldest(struct parcel_cache *c)
{
    struct cached *e = &c->slot[c->oldest];
    c->bytes -= e->parcel.len;
    buf_free(&e->parcel);
    c->oldest = (c->oldest + 1) % CACHE_SLOTS;
    c->count--;
}

void parcel_cache_free(struct parcel_cache *c)
{
    if (!c)
        return;
    parcel_cache_clear(c);
    free(c);
}

void parcel_cache_put(struct parcel_cache *c, uint64_t id, struct bytes parcel)
{
    if (parcel.len > c->max_bytes)
        return;
    while (c->count == CACHE_SLOTS || (c->count && c->bytes + parcel.len > c->max_bytes))
        forget_oldest(c);
    struct cached *e = &c->slot[(c->oldest + c->count) % CACHE_SLOTS];
    *e = (struct cached){.id = id};
    buf_put_bytes(&e->parcel, parcel);
    if (buf_check(&e->parcel)) {
        buf_free(&e->parcel);
        return;
    }
    c->bytes += parcel.len;
    c->count++;
}

struct bytes parcel_cache_get(const struct parcel_cache *c, uint64_t id)
{
    /* Ids ascend with the slots. */
    size_t lo = 0;
    size_t hi = c->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct cached *e = &c->slot[(c->oldest + mid) % CACHE_SLOTS];
        if (e->id == id)
            return buf_bytes(&e->parcel);
        if (e->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return BYTES_NONE;
}

void parcel_cache_clear(struct parcel_cache *c)
{
    while (c->count)
        forget_oldest(c);
}
