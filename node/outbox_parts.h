/*
 * What the parts of the outbox share. Internal to node/outbox*.c.
 */
#ifndef NODE_OUTBOX_PARTS_H
#define NODE_OUTBOX_PARTS_H

#include "wire/parcel.h"

struct turn;
struct peer;

/* A head that was proven and stored. */
struct proven {
    struct checkpoint checkpoint;
    struct hash hash;
    uint64_t head; /* chunk */
};

/* Choose the cuts for the recipients of ${plan} (one of ${peers} each) and the broker, prove, and store the head. */
int outbox_prove(struct turn *t, struct parcel_plan *plan, struct peer *const *peers,
                 struct proven *ret) __attribute__((warn_unused_result));

#endif
