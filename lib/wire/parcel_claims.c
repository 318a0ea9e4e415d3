/*
 * Reading what a refused parcel claims. See parcel_claims.h.
 */
#include "wire/parcel_claims.h"

#include <comity/err.h>

bool parcel_is_undecodable(int err)
{
    switch (err) {
    case COMITY_E_MALFORMED:
    case COMITY_E_NOT_CANONICAL:
    case COMITY_E_TOO_LARGE:
    case COMITY_E_TOO_DEEP:
    case COMITY_E_UNKNOWN_MESSAGE:
        return true;
    default:
        return false;
    }
}

int parcel_read_claims(struct arena *a, struct bytes parcel, const struct suite *suite,
                       struct parcel_claims *ret)
{
    struct parcel p;
    struct parcel_head head;
    struct checkpoint checkpoint;
    struct parcel_claims c = {0};
    int err = parcel_decode(a, parcel, &p);
    if (!err)
        err = parcel_head_decode(a, p.head, &head);
    if (!err)
        err = checkpoint_peek(head.checkpoint, &checkpoint);
    if (!err && head.entry_count) {
        struct entry first;
        err = entry_decode(a, head.entries[0], &first);
        c.has_index = true;
        c.index = err ? 0 : first.index;
    }
    if (err)
        return err;
    parcel_hash(suite, p.head, &c.hash);
    c.origin = head.origin;
    c.count = (uint32_t)head.entry_count;
    c.size = checkpoint.size;
    c.root = checkpoint.root;
    *ret = c;
    return COMITY_OK;
}

struct entry_source parcel_claims_source(const struct parcel_claims *c)
{
    return (struct entry_source){.origin = c->origin,
                                 .has_index = c->has_index,
                                 .index = c->index,
                                 .has_size = true,
                                 .size = c->size,
                                 .root = hash_bytes(&c->root)};
}
