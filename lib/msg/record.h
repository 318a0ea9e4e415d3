/*
 * Records, between bytes and the structs of domain/record.h.
 *
 * Decoding promises what msg/entry.h promises: bounded, canonical, every length that the format
 * fixes is checked, and what decodes encodes to the same bytes. Whether a record is acceptable is
 * for domain/rules.h to say: an empty title decodes.
 */
#ifndef MSG_RECORD_H
#define MSG_RECORD_H

#include "domain/record.h"
#include "msg/entry.h"

/* A record lies in a body, beside notes and the body's own few bytes. */
enum { RECORD_BYTES_MAX = BODY_BYTES_MAX - 1024 };

/*
 * Append the bytes of ${r} to ${out}, which is as it was on failure. COMITY_E_INVALID when a
 * length, bound or text of the format is not kept, or the kind is none that has content;
 * COMITY_E_TOO_LARGE beyond RECORD_BYTES_MAX.
 */
int record_encode(const struct record *r, struct buf *out) __attribute__((warn_unused_result));

/*
 * Views point into ${a}. COMITY_E_MALFORMED, COMITY_E_NOT_CANONICAL, COMITY_E_TOO_LARGE,
 * COMITY_E_TOO_DEEP; COMITY_E_UNSUPPORTED for a kind that a later version may know; COMITY_E_NOMEM
 * when the arena's cap is reached.
 */
int record_decode(struct arena *a, struct bytes bytes, struct record *ret)
    __attribute__((warn_unused_result));

#endif
