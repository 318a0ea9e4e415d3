/*
 * The connections of one key from which something came: so that all of them can be cut when the
 * key's time is over, and so that there are not too many. A node has one of each kind; a few more
 * may be left from before, for nobody tells when a connection ends.
 */
#ifndef BROKER_LINES_H
#define BROKER_LINES_H

#include "link/message.h"

enum { LINES_A_KEY = 8 };

struct line {
    struct link_peer peer;
    int64_t full_ms; /* since when nothing more can be sent on it; 0: it can */
    int64_t try_ms;  /* when to try again */
    int pause_ms;
};

struct lines {
    struct line at[LINES_A_KEY]; /* in the order in which they were first heard of */
    size_t count;
};

/* The line of ${peer}, or NULL. */
struct line *lines_find(struct lines *l, const struct link_peer *peer);
/* ${peer} has spoken. True: the oldest one has given way, and ${ret_old} is to be cut. */
bool lines_heard(struct lines *l, const struct link_peer *peer, struct link_peer *ret_old);
void lines_forget(struct lines *l, const struct link_peer *peer);

#endif
