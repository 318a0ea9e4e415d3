/*
 * Looking at what a power cut has left of a member's folder: it is opened as at a start, and held
 * against what had left that member before (struct due) and against itself.
 */
#ifndef CRASH_LOOK_H
#define CRASH_LOOK_H

#include "trace.h"

#include "base/clock.h"
#include "disk/image.h"
#include "site/site.h"
#include "store/store.h"

#include <stdio.h>

enum { DUE_BLOBS_MAX = 256, DUE_NAMES_MAX = 16, DUE_ERASED_MAX = 32 };

/* The highest number that was said of somebody. */
struct due_number {
    char who[96];
    uint64_t number;
};

struct due_file {
    struct hash hash;
    uint64_t len;
    bool is_gone;
};

/* An entry's content that goes, or has gone. */
struct due_erased {
    uint64_t index;
    char text[96];
    bool is_done;
};

/* What must be there, by what was said so far. */
struct due {
    uint64_t marks; /* so many */
    uint64_t size;  /* of the ledger, with … */
    struct hash root;
    uint64_t told; /* entry told last, with … */
    struct hash leaf;
    bool has_told;
    uint64_t taken;
    uint64_t answered;
    struct due_number known[DUE_NAMES_MAX];
    struct due_number given[DUE_NAMES_MAX];
    struct due_file file[DUE_BLOBS_MAX]; /* KEPT of a node, BLOB of the broker */
    size_t files;
    struct due_erased erased[DUE_ERASED_MAX];
    size_t erasures;
};
void due_take(struct due *d, const struct mark *m);

/* Whose folder it is, where, and what was found. */
struct look {
    struct site site;
    const struct site_keys *keys;
    const struct due *due;
    struct bytes roster; /* for an auditor: the day's last one */
    struct clock clock;
    bool is_known; /* this content was looked at before: only what is due is still to be seen */
    char why[400]; /* the first thing that is wrong; "" when nothing is */
};

/* Say what is wrong, once; false. */
bool look_fails(struct look *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The store of what is left, opened for writing: whatever a cut has done is brought into order by
 * that. In memory as far as SQLite goes, because this is done for every state. A hash of all that
 * there is then; what is equal behaves equally from here on.
 */
bool look_store(struct look *l, const struct left *left, uint64_t *ret_hash);
/* Everything else, on the disk: the daemon's core opened, all that is due, all that is there, the
 * projections rebuilt, one more turn. */
bool look_node(struct look *l);
bool look_broker(struct look *l);

/* ---- shared by the two ---- */

bool look_ledger(struct look *l, struct ledger *ledger);
/* What is erased by what the ledger says is in no file of the folder. */
bool look_erased(struct look *l, struct ledger *ledger);
/* What an auditor says of the folder alone. */
bool look_audit(struct look *l);

#endif
