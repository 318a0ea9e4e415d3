/*
 * Parcels, heads and openings, between bytes and structs. See msg/entry.h for what decoding
 * promises; whether a parcel is true is for lib/wire to say.
 */
#ifndef MSG_PARCEL_H
#define MSG_PARCEL_H

#include "msg/entry.h"

enum {
    PARCEL_BYTES_MAX = 960 * 1024,
    PARCEL_ENTRIES_MAX = 1024,
    PARCEL_RECIPIENTS_MAX = 64,
    PARCEL_SINCE_MAX = 130, /* each recipient and the broker, and what receipts asked for besides */
    PARCEL_PROOF_MAX = 8192,
    PARCEL_BLOBS_MAX = 1024,
    PARCEL_ENCLOSURES_MAX = 256,
    PARCEL_BLOB_LEN = 40, /* blob id[32] ‖ u64be plain length */
    PARCEL_WRAP_LEN = 88  /* key id[8] ‖ enc[32] ‖ ct[48] */
};

struct parcel_since {
    struct bytes member;
    uint64_t size;
};

struct parcel_enclosure {
    struct bytes entry;
    struct bytes checkpoint;   /* none: the entry is of the parcel's own ledger */
    const struct bytes *proof; /* 32 bytes each */
    size_t proof_count;
    struct bytes routed;
};

struct parcel_head {
    struct bytes origin;
    const struct bytes *recipients;
    size_t recipient_count;
    const struct bytes *entries;
    size_t entry_count;
    struct bytes checkpoint;
    const struct parcel_since *since;
    size_t since_count;
    const struct bytes *proof; /* 32 bytes each */
    size_t proof_count;
    const struct bytes *blobs; /* PARCEL_BLOB_LEN each */
    size_t blob_count;
    const struct parcel_enclosure *enclosures;
    size_t enclosure_count;
};

struct parcel {
    struct bytes head;
    struct bytes sealed;
    const struct bytes *wraps; /* PARCEL_WRAP_LEN each */
    size_t wrap_count;
};

int parcel_head_encode(const struct parcel_head *h, struct buf *out)
    __attribute__((warn_unused_result));
int parcel_head_decode(struct arena *a, struct bytes bytes, struct parcel_head *ret)
    __attribute__((warn_unused_result));
int parcel_encode(const struct parcel *p, struct buf *out) __attribute__((warn_unused_result));
int parcel_decode(struct arena *a, struct bytes bytes, struct parcel *ret)
    __attribute__((warn_unused_result));

/* A salt without a body opens the empty body, which has no bytes; a body without its salt is
 * refused. */
struct opening {
    struct bytes salt; /* SALT_LEN bytes or none */
    struct bytes body; /* a body's exact bytes */
};

struct openings {
    const struct opening *opening;
    size_t count;
};

int openings_encode(const struct openings *o, struct buf *out) __attribute__((warn_unused_result));
int openings_decode(struct arena *a, struct bytes bytes, struct openings *ret)
    __attribute__((warn_unused_result));

#endif
