/*
 * The outbox: own parcels from the turn that builds them to the broker's answer and the recipients'
 * receipts.
 */
#ifndef NODE_OUTBOX_H
#define NODE_OUTBOX_H

#include "base/bytes.h"
#include "msg/frame.h"

#include <comity/err.h>

struct node;
struct turn;
struct peer;
struct planned;

/* Column `state` of parcel_out. Numbered for ever. */
enum parcel_state {
    PARCEL_QUEUED = 0,   /* not answered yet */
    PARCEL_ACCEPTED = 1, /* the broker's ROUTED entry is in the statement */
    PARCEL_REFUSED = 2   /* its REFUSED entry is; or the parcel was voided behind a refused one and
                            has no number */
};

/* Column `state` of parcel_out_to. */
enum reader_state {
    READER_WAITING = 0,
    READER_RECEIVED = 1, /* opened, every body matched, durable in his signed ledger */
    READER_REFUSED = 2   /* he could not take it; or the parcel was refused on the way */
};

int outbox_load(struct node *n) __attribute__((warn_unused_result));
void outbox_unload(struct node *n);
int outbox_write_peers(struct node *n) __attribute__((warn_unused_result));
/* The row of ${member}, made if missing; NULL without memory. */
struct peer *outbox_peer(struct node *n, struct bytes member);

/* ANSWER: verify its statement and match it with what was sent. An error ends the session. */
int outbox_take_answer(struct turn *t, const struct frame *f) __attribute__((warn_unused_result));
int outbox_write_answers(struct turn *t) __attribute__((warn_unused_result));
/* What recipients said of own parcels and attachments. */
int outbox_write_receipts(struct turn *t) __attribute__((warn_unused_result));

/* After the signature: prove a planned parcel, and queue it. */
int outbox_queue(struct turn *t, struct planned *p) __attribute__((warn_unused_result));
/* A parcel without entries. */
int outbox_queue_checkpoint(struct turn *t) __attribute__((warn_unused_result));

/* Refusals (PROTOCOL.md): before the transaction, drafts for the numbers that become void … */
int outbox_plan_refusal(struct turn *t) __attribute__((warn_unused_result));
/* … inside it, before anything is queued, let go of the numbers of the parcels behind … */
int outbox_unnumber(struct turn *t) __attribute__((warn_unused_result));
/* … and after the parcels of the void numbers are queued, prove and number those behind anew. */
int outbox_rebuild(struct turn *t) __attribute__((warn_unused_result));

/* Append the SUBMIT frame of parcel ${parcel_seq}. COMITY_E_NOT_FOUND when it is not queued. */
int outbox_put_submit(struct node *n, uint64_t parcel_seq, struct bytes epoch, struct buf *out)
    __attribute__((warn_unused_result));

#endif
