/*
 * What a parcel that failed verification claims to be: enough to name it in a REFUSED entry.
 * Nothing of it is verified.
 */
#ifndef WIRE_PARCEL_CLAIMS_H
#define WIRE_PARCEL_CLAIMS_H

#include "wire/parcel.h"

struct parcel_claims {
    struct hash hash; /* parcel_hash */
    struct bytes origin;
    bool has_index;
    uint64_t index; /* of the first entry */
    uint32_t count; /* entries */
    uint64_t size;  /* of the checkpoint */
    struct hash root;
};

/* Errors of decoding only. Views into ${a}. */
int parcel_read_claims(struct arena *a, struct bytes parcel, const struct suite *suite,
                       struct parcel_claims *ret) __attribute__((warn_unused_result));

/* Whether ${err} says that bytes do not decode, so that there is nothing to be named in a REFUSED
 * entry. */
bool parcel_is_undecodable(int err);

/* The source of a REFUSED entry about ${c}; views into ${c}. */
struct entry_source parcel_claims_source(const struct parcel_claims *c);

#endif
