/*
 * One turn of the node, seen from whoever has something to append.
 *
 * A turn takes in control requests and frames, appends, signs, commits, and only then answers. What wants to append during
 * a turn (an officer's request, a delivery's RECEIVED, a finished attachment) adds a draft; the turn groups the drafts by
 * recipients, seals, appends, numbers, proves and queues them. After the append each draft knows its index and leaf; after
 * the commit its `done` is called, which is where a reply is sent. When the turn fails, `done` gets the error instead.
 */
#ifndef NODE_TURN_H
#define NODE_TURN_H

#include "ledger/ledger.h"
#include "wire/parcel.h"

struct node;
struct turn;

struct draft {
    uint32_t kind; /* enum entry_kind */
    bool has_source;
    struct entry_source source;
    struct bytes ref;
    /* The body, or none. The salt is chosen here when absent. */
    struct bytes salt;
    struct bytes body;
    /* Member ids, sorted, unique; none for an entry that stays here. */
    const struct bytes *to;
    size_t to_count;
    /* Attachments of the record: PARCEL_BLOB_LEN each, sorted. */
    const struct bytes *blobs;
    size_t blob_count;
    /* What travels along: own entries by index (the KEY entries of officers who signed; the record and SIGNATURE entries of
     * a SHARE), and foreign ones, complete, each with its opening or an empty one. */
    const uint64_t *enclosed_own;
    size_t enclosed_own_count;
    const struct parcel_enclosure *enclosed_foreign;
    const struct opening *enclosed_opening;
    size_t enclosed_foreign_count;

    /* Filled in by the turn. */
    uint64_t index;
    struct hash leaf;

    /* Called once: with COMITY_OK after the commit, or with the error that undid the turn. May be NULL. */
    void (*done)(struct draft *d, int err);
    void *owner;
};

/*
 * Add a draft; views in it must live until `done`: in the turn's arena (turn_arena), or with the caller. Checks what can be
 * checked before the transaction: members exist in the roster and are open, sizes, bounds. After this returned an error the
 * draft is not part of the turn and `done` is not called.
 */
int turn_add(struct turn *t, const struct draft *d) __attribute__((warn_unused_result));

/* Lives until the turn is over. */
struct arena *turn_arena(struct turn *t);
/* The wall clock when the turn began. */
int64_t turn_now_ms(const struct turn *t);
struct node *turn_node(struct turn *t);

#endif
