/*
 * What the parts of the parcel code share with one another, and with nobody else.
 */
#ifndef WIRE_PARCEL_INTERNAL_H
#define WIRE_PARCEL_INTERNAL_H

#include "wire/parcel.h"

/* H("comity-parcel/v1\n" ‖ lp(sealed) ‖ list(wraps) ‖ list(blobs)): what each entry of the parcel
 * commits to. */
void parcel_seal_hash(const struct suite *suite, struct bytes sealed, const struct bytes *wraps,
                      size_t wrap_count, const struct bytes *blobs, size_t blob_count,
                      struct hash *ret);

/* The cuts of a proof at ${size}: the distinct sizes of ${since} that lie strictly between 0 and
 * ${size}, ascending; at most since_count go to ${ret}. */
size_t parcel_cuts(const struct parcel_since *since, size_t since_count, uint64_t size,
                   uint64_t *ret);

/* Sort ${n} indices (and what belongs to each) ascending. */
int uint64_compare(const void *a, const void *b);

#endif
