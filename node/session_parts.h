/*
 * What the parts of the session share. Internal to node/session*.c.
 */
#ifndef NODE_SESSION_PARTS_H
#define NODE_SESSION_PARTS_H

#include "session.h"

/* Append to what is sent. _buf takes the bytes over. */
int session_send(struct node_out *out, const struct frame *f) __attribute__((warn_unused_result));
int session_send_buf(struct node_out *out, struct buf *frame) __attribute__((warn_unused_result));

/* A checkpoint of the broker that is verified and linked. */
void session_see_root(struct node *n, const struct checkpoint *c, struct bytes note);

/* COMITY_E_CONSISTENCY unless the broker's checkpoint ${to} extends ${from}. */
int session_check_consistency(struct turn *t, const struct checkpoint *from,
                              const struct checkpoint *to, const struct bytes *proof, size_t n)
    __attribute__((warn_unused_result));

/* WELCOME. Errors of the broker; COMITY_E_ROLLBACK for this ledger's. */
int session_welcome(struct turn *t, const struct frame *f, struct node_out *out)
    __attribute__((warn_unused_result));

/* Ask for the next part of the wanted roster, if one is wanted. */
int session_ask_roster(struct node *n, struct node_out *out) __attribute__((warn_unused_result));

#endif
