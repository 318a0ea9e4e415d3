/*
 * Attachments: the thread that moves sealed blocks, as the turn sees it.
 *
 * What is to be moved stands in two tables, written by the turn alone (lib/site/schema_node.c):
 * attachment_out, the files of own records, whose upload may begin in state ATTACHMENT_READY (an
 * accepted parcel names them; the digest and the secret of such a file stand in view_file);
 * attachment_in, the files of records received. The thread reads them over a connection of its own
 * (DB_READ) and reports what it has finished; the turn writes that down and appends the FILE
 * entries.
 *
 * What is being fetched lies in files/fetch/, as far as it is here, and is continued after a
 * restart.
 */
#ifndef NODE_BULK_H
#define NODE_BULK_H

#include "crypto/hash.h"

struct node;

/* Column `state` of attachment_out and attachment_in. Numbered for ever. */
enum attachment_state {
    ATTACHMENT_WAITING = 0, /* out: the parcel is not accepted yet */
    ATTACHMENT_READY = 1,   /* out: may be uploaded; in: to be fetched */
    ATTACHMENT_DONE =
        2, /* out: complete at the broker; in: complete, verified, durable in files/ */
    ATTACHMENT_FAILED = 3 /* what was tried cannot succeed; `token` says why */
};

struct bulk_finished {
    struct hash blob;
    bool is_upload;
    int err; /* COMITY_OK, or why it cannot succeed (COMITY_E_BLOB, _UNKNOWN_BLOB …) */
    /* Of a fetched one: it is about those rows of attachment_in that have these digests. Records of
     * two members may name one blob and differ in what they say of it, and only one of them is
     * right. */
    struct hash sha256;
    struct hash sm3;
};

/* Start and stop the thread. It makes its socket from ${n}->link. Without a roster it waits for
 * bulk_wake. */
int bulk_start(struct node *n) __attribute__((warn_unused_result));
void bulk_stop(struct node *n);

/* The tables or the roster may have changed. After a commit; also when nothing is new. Does nothing
 * when the thread does not run. */
void bulk_wake(struct node *n);

/* Readable when something was finished: for the loop. -1 when the thread does not run. */
int bulk_fd(const struct node *n);
/* Take what was finished since the last call, at most ${max}. A fetched file is durable by then. It
 * is reported again after a restart, and after a while, as long as its row is in state
 * ATTACHMENT_READY; never twice in one call. */
size_t bulk_take_finished(struct node *n, struct bulk_finished *ret, size_t max);

#endif
