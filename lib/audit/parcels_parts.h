/*
 * What the files about kept parcels share. Internal to lib/audit/parcels*.c.
 */
#ifndef AUDIT_PARCELS_PARTS_H
#define AUDIT_PARCELS_PARTS_H

#include "audit/claims.h"
#include "audit/finding.h"
#include "audit/internal.h"
#include "audit/parcels.h"

/* A row of parcel_in or parcel_out, and the own entry that it belongs to. */
struct kept {
    bool is_in;
    uint64_t id; /* own index, or row id */
    uint64_t first, count, size;
    struct hash root, hash;
    uint64_t head, statement; /* chunks; statement 0: none */
    uint64_t routed;
    uint64_t delivery_seq;
    bool has_token;
    struct entry entry; /* of parcel_in */
};

struct passing {
    bool has_routing; /* of the parcel that is looked at: its statement holds, and says so */
    struct parcel_routing routing;
    struct audit *a;
    struct audit_copy *c;
    const struct roster *roster; /* in force for the parcel at hand */
    struct buf head, parcel, statement, entry;
    uint64_t statement_chunk; /* what ${statement} holds; one may answer for many parcels */
    struct arena *statement_arena;
    struct parcel_facts *statement_facts;
    int statement_err;
    struct opening_reader openings, records;
    uint64_t next_own; /* everything below was looked at for whether its parcel is kept */
    uint64_t lost, lost_first;
};

/* A finding about the own entry that ${k} belongs to; ${why} is an error, or 0. */
int parcels_tell(struct passing *p, const struct kept *k, enum audit_code code, struct bytes other,
                 int why) __attribute__((warn_unused_result));
/* Everything that a verified parcel or statement proves of the ledger that it comes from. */
int parcels_note_facts(struct passing *p, const struct parcel_facts *f, enum claim_place place,
                       const struct kept *k) __attribute__((warn_unused_result));
/* The broker's statement about a parcel of ${from}. */
int parcels_take_statement(struct passing *p, const struct kept *k, struct parcel_node *n,
                           struct origin_node *from) __attribute__((warn_unused_result));

#endif
