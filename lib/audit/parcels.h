/*
 * Parcels as the ledgers at hand know them: who sent them, who had them, and which numbers they
 * bore.
 */
#ifndef AUDIT_PARCELS_H
#define AUDIT_PARCELS_H

#include "audit/copy.h"
#include "wire/pair.h"

/* The numbers of one sender, as they came. */
struct taken_from {
    struct origin_node *origin;
    struct pair pair;
    UT_hash_handle hh;
};

/* A parcel on its way to one member. */
struct parcel_to {
    struct bytes member; /* in the audit's arena */
    uint64_t delivery_seq;
    struct origin_node *broker;
    uint64_t routed; /* index there */
    bool is_accepted;
    bool is_routed_here; /* the broker's own copy says so */
    bool is_received;    /* the recipient's own ledger has it */
    bool is_refused;
    bool is_receipted; /* the sender holds what the recipient signed about it */
};

struct parcel_node {
    struct hash hash;
    struct origin_node *from;
    bool is_out;     /* the sender's own ledger has it */
    bool is_refused; /* by the broker */
    bool has_class;
    bool is_receipt;
    uint64_t first;
    uint64_t count;
    struct parcel_to *to; /* by member */
    size_t to_count;
    UT_hash_handle hh;
};

/* What one ledger sent to one member, in parcels; receipts apart. */
struct pair_row {
    struct pair_key {
        struct origin_node *from;
        const uint8_t *member; /* of an interned text */
    } key;
    struct bytes member;
    bool has_sent; /* the sender's ledger is at hand */
    uint64_t sent, accepted, received, receipted, refused, open;
    UT_hash_handle hh;
};

int parcels_verify(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
struct parcel_node *parcel_node(struct audit *a,
                                struct bytes hash); /* made if missing; NULL without memory */
struct parcel_to *parcel_node_to(struct audit *a, struct parcel_node *n, struct bytes member);

#endif
