/*
 * What ledgers say of one another: that a ledger had this root at this size, and how that shows.
 */
#ifndef AUDIT_CLAIMS_H
#define AUDIT_CLAIMS_H

#include "audit/copy.h"

enum claim_place {
    PLACE_CHECKPOINT, /* the table of own checkpoints */
    PLACE_ENTRY,      /* the entry itself, or the note in its body */
    PLACE_PARCEL_IN,  /* the head of the parcel that own entry ${at} is about */
    PLACE_STATEMENT_IN,
    PLACE_PARCEL_OUT, /* row ${at} of parcel_out */
    PLACE_STATEMENT_OUT
};

/* ${holder} shows that ${of} had this root at this size. */
struct claim_key {
    struct origin_node *of;
    uint64_t size;
    struct hash root;
};
struct claim {
    struct claim_key key;
    enum {
        CLAIM_STATED,
        CLAIM_DERIVED,
        CLAIM_SIGNED
    } basis; /* DERIVED: a cut of a signed parcel leads to it */
    struct audit_copy *holder;
    enum claim_place place;
    uint64_t at;
    uint64_t index; /* the holder's own entry, or UINT64_MAX */
    UT_hash_handle hh;
};

struct claim_at {
    struct audit_copy *holder;
    enum claim_place place;
    uint64_t at;
    uint64_t index;
};
int claim_add(struct audit *a, struct origin_node *of, uint64_t size, const struct hash *root,
              int basis, const struct claim_at *at) __attribute__((warn_unused_result));
int claims_check(struct audit *a) __attribute__((warn_unused_result));

#endif
