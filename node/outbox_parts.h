/*
 * What the parts of the outbox share. Internal to node/outbox*.c.
 */
#ifndef NODE_OUTBOX_PARTS_H
#define NODE_OUTBOX_PARTS_H

#include "wire/parcel.h"

struct node;
struct turn;
struct peer;

/* A head that was proven and stored. */
struct proven {
    struct checkpoint checkpoint;
    struct hash hash;
    uint64_t head; /* chunk */
};

/* Choose the cuts for the recipients of ${plan} (one of ${peers} each) and the broker, prove, and
 * store the head. */
int outbox_prove(struct turn *t, struct parcel_plan *plan, struct peer *const *peers,
                 struct proven *ret) __attribute__((warn_unused_result));

/*
 * Parcel ${id} was refused or voided: its files wait for its acceptance no longer. An earlier
 * parcel may have named the same ones, so whether one is still to be uploaded is the broker's to
 * say. Those that a queued parcel names wait for that one.
 */
int outbox_ask_for_files(struct node *n, uint64_t id) __attribute__((warn_unused_result));

#endif
