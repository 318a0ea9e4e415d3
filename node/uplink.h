/*
 * The connection to the broker: a DEALER socket, made from what the roster in force says of the
 * broker, watched, and made anew with growing pauses. What is said over it is the session's.
 */
#ifndef NODE_UPLINK_H
#define NODE_UPLINK_H

#include "link/poll.h"
#include "node.h"

struct uplink;

/* ${link} must outlive it. Nothing is connected before the node has a roster. */
int uplink_open(struct node *n, struct link *link, struct uplink **ret)
    __attribute__((warn_unused_result));
void uplink_close(struct uplink *u);

void uplink_poll(struct uplink *u, struct link_poll_item *ret);
int uplink_timeout_ms(const struct uplink *u);

/* Take in what has come, within the bounds of a turn. Views in ${ret} live until uplink_settle. */
int uplink_take(struct uplink *u, struct node_in *ret) __attribute__((warn_unused_result));
/* After the turn: send, rebuild where the turn or the roster asks for it. Takes the frames out of
 * ${out}. */
int uplink_settle(struct uplink *u, struct node_out *out) __attribute__((warn_unused_result));

#endif
