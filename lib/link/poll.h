/*
 * The one place where a loop waits: our sockets and plain descriptors together.
 */
#ifndef LINK_POLL_H
#define LINK_POLL_H

#include <stddef.h>

struct link_socket;

enum {
    LINK_IN = 1,    /* there is something to read */
    LINK_OUT = 2,   /* there is room to write. On a server this says nothing about any one peer:
                       credit decides. */
    LINK_STATE = 4, /* clients: link_client_state() has something to read */
    LINK_ERROR =
        8, /* plain descriptors: error, hang-up, not open; always reported, as by poll(2) */
};

struct link_poll_item {
    struct link_socket *socket; /* either this */
    int fd;                     /* or, when socket is NULL, this; below 0 the item is left out */
    unsigned events;            /* what to wait for; none: the item is left out */
    unsigned ready;             /* set: what is there */
};

/* Most items in one call. */
enum { LINK_POLL_MAX = 128 };

/*
 * Wait until something is there or ${timeout_ms} have passed (-1: for ever, 0: only look). 0 with
 * no `ready` set means that the time is over, or that a signal came. The items' sockets must belong
 * to the calling thread.
 *
 * Errors: COMITY_E_LIMIT for more than LINK_POLL_MAX items; COMITY_E_IO.
 */
int link_poll(struct link_poll_item *items, size_t n, int timeout_ms)
    __attribute__((warn_unused_result));

#endif
