/*
 * The officers' signatures under a record, wherever they stand: in the body of its RECORD entry, or
 * in SIGNATURE entries of the same ledger.
 */
#ifndef NODE_SIGNATURES_H
#define NODE_SIGNATURES_H

#include "records.h"
#include "wire/officer_check.h"

enum { SIGNATURES_MAX = 64 };

struct signed_by {
    struct bytes note;
    struct officer_signature sig;
    uint64_t
        entry; /* of the record's ledger: the RECORD or SIGNATURE entry in which the note stands */
    int64_t time_ms; /* as the note says */
    bool has_key;
    uint64_t key;      /* index of the KEY entry, of the same ledger, that enrolled him */
    struct bytes name; /* as enrolled; none without a key */
    int err;           /* of verifying it now: COMITY_OK, COMITY_E_UNKNOWN_KEY, COMITY_E_SIGNATURE,
                          COMITY_E_ROLE … */
};

struct signatures {
    struct signed_by at[SIGNATURES_MAX];
    size_t count;
    size_t collectors; /* different ones, whose signatures are good */
};

/* Gather and verify the signatures under ${row}, whose content is ${c}. Views into ${a}. Notes
 * beyond SIGNATURES_MAX are left out. */
int signatures_load(struct node *n, struct arena *a, const struct record_row *row,
                    const struct content_of *c, struct signatures *ret)
    __attribute__((warn_unused_result));

#endif
