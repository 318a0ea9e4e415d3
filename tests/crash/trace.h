/*
 * One day of a small network, as its disks have seen it: every call that changed a file of some
 * member, in order, and between them, as marks, what left that member and so must never be lost.
 */
#ifndef CRASH_TRACE_H
#define CRASH_TRACE_H

#include "crypto/hash.h"
#include "disk/tap.h"

enum { TRACE_PARTIES = 4 };

enum mark_kind {
    MARK_SHOWN,    /* its checkpoint of size ${number}, with root ${hash} */
    MARK_TOLD,     /* somebody was told that entry ${number} stands, whose leaf is ${hash} */
    MARK_TAKEN,    /* node: it has told the broker that it took delivery ${number} */
    MARK_ANSWERED, /* node: that it needs no answer up to parcel ${number} any more */
    MARK_KEPT,     /* node: an officer, that the file of SHA-256 ${hash} is kept, ${number} bytes */
    MARK_KNOWN,    /* broker: it has answered parcel ${number} of the ledger ${who} */
    MARK_GIVEN,    /* broker: it has handed delivery ${number} to member ${who} */
    MARK_BLOB,     /* broker: that it has the whole blob ${hash}, ${number} plain bytes */
    MARK_FREED,    /* broker: nobody needs blob ${hash} any more */
    MARK_ERASING,  /* node: entry ${number}, with the text ${who}, is about to be erased … */
    MARK_ERASED    /* … and was */
};

struct mark {
    enum mark_kind kind;
    uint64_t number;
    struct hash hash;
    char who[96];
};

struct event {
    int party;
    bool is_mark;
    struct tap_call call; /* paths are below the member's folder */
    struct mark mark;
};

struct trace {
    struct event *at;
    size_t count;
    size_t cap;
    size_t calls;
};

void trace_add_call(struct trace *t, int party, const struct tap_call *call);
void trace_add_mark(struct trace *t, int party, const struct mark *mark);
void trace_free(struct trace *t);

#endif
