/*
 * The broker's main socket: what came in becomes events of a step, what the step gives out is sent.
 *
 * Who may come in is decided by lib/link from the keys of the roster in force; what a message
 * means, by broker.c.
 */
#ifndef BROKER_FRONT_H
#define BROKER_FRONT_H

#include "broker.h"
#include "link/link.h"
#include "link/poll.h"

struct front;

/* Bind site->listen; ${link}'s allow table need not be loaded yet. Errors of link_listen. */
int front_open(struct broker *b, struct link *link, struct front **ret)
    __attribute__((warn_unused_result));
void front_close(struct front *f);
struct link_socket *front_socket(struct front *f);

/* Let the keys of the roster in force in, and nobody else. */
int front_allow(struct broker *b, struct link *link) __attribute__((warn_unused_result));

/* Cut all connections, on which anything has come, of keys that may not come in any more: to be
 * called when front_allow has closed the door. Those that were told BYE are cut in their time. */
void front_cut_gone(struct front *f);

/* One turn: take in what is there (bounded in number, bytes and time), step, send. A step that
 * failed but after which the broker goes on is no error; any that is returned must end the process.
 * ${ret_busy}: there is more to do at once. */
int front_turn(struct front *f, bool *ret_busy) __attribute__((warn_unused_result));

/* Connections that were told BYE are cut a moment later, so that they hear it: when front_tidy
 * wants to be called next, in milliseconds, or -1; and that call. */
int front_timeout_ms(const struct front *f);
void front_tidy(struct front *f);

/* Send what the broker has queued outside a turn (a new roster). */
void front_send(struct front *f);

#endif
