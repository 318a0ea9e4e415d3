/*
 * What the files of lib/ledger share.
 */
#ifndef LEDGER_INTERNAL_H
#define LEDGER_INTERNAL_H

#include "ledger/ledger.h"
#include "ledger/tree.h"

enum turn {
    TURN_NONE,
    TURN_OPEN,   /* begun; entries may be appended */
    TURN_SIGNED, /* nothing more may be appended */
    TURN_FAILED, /* can only be taken back */
    TURN_LOST    /* a commit failed, and what the disk holds is unknown: no turn begins any more */
};

/* A checkpoint with its note; size 0: there is none. */
struct signed_checkpoint {
    struct checkpoint c;
    struct buf note;
};

struct ledger {
    struct store *store;
    struct db *db;
    const struct note_signer *signer; /* NULL: for reading only */
    char origin[ORIGIN_MAX + 1];
    const struct suite *suite;
    struct checkpoint predecessor; /* size 0 and no origin: none */
    struct hash genesis;

    struct tree tree;
    bool loaded; /* the tree's edge stands; always, when open for writing */
    uint64_t size;
    struct hash
        last[2]; /* the leaf of the newest entry, and the one before; genesis when there is none */
    unsigned last_at;
    struct signed_checkpoint stored;

    enum turn turn;
    uint64_t base;         /* the size when the turn began */
    struct hash base_last; /* and the last leaf */
    struct buf data;       /* the turn's entries, each as lp(bytes) */
    size_t *at;            /* where in data each begins */
    size_t at_cap;
    struct signed_checkpoint own; /* the turn's, in TURN_SIGNED */
};

/* Bring the edge of the tree into memory, if it is not there. */
int ledger_load(struct ledger *l) __attribute__((warn_unused_result));

#endif
