/*
 * The control socket, as the loop sees it.
 */
#ifndef NODE_CONTROL_H
#define NODE_CONTROL_H

#include "link/poll.h"

#include <stdint.h>

struct node;
struct turn;
struct control;

/* Bind site->control. */
int control_open(struct node *n, struct control **ret) __attribute__((warn_unused_result));
void control_close(struct control *c);

/* What to wait for: up to ${max} items; the number filled in. */
size_t control_poll(struct control *c, struct link_poll_item *items, size_t max);
/* Milliseconds until it wants to be called anyway; -1 for never. */
int control_timeout_ms(const struct control *c);

/* At the start of a turn: accept, read, dispatch. Requests that append call turn_add, and reply
 * from `done`; others reply at once. ${items} are those that control_poll filled in, after the
 * wait. Stops reading when turn_is_full. */
void control_take(struct control *c, struct turn *t, const struct link_poll_item *items, size_t n);
/* After the turn: write replies, wake those who wait for a stage (the tables may have changed). */
void control_settle(struct control *c);

#endif
