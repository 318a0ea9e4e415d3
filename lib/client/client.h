/*
 * What client.c (the connection) and transfer.c (files) share. Internal to lib/client; the
 * interface is comity/client.h.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/bytes.h"

#include <comity/client.h>

/* A reply that came while another one was waited for. */
struct kept {
    struct kept *next;
    struct buf message;
};

struct comity_client {
    int fd;
    bool is_broken; /* the node went away, or spoke nonsense: nothing more can be asked */
    uint64_t next_id;
    size_t in_flight;
    struct buf out;
    size_t out_at; /* written up to here */
    struct buf in;
    size_t in_at; /* read up to here */
    struct kept *first;
    struct kept **last;
    struct arena *arena; /* what the reply given out last points to */
    struct buf explained;
};

/* Fill ${ret} (may be NULL) with the error ${err} of the client itself, and return ${err}. */
int client_fail(comity_client *c, int err, struct comity_reply *ret);

#endif
