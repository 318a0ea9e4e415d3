/*
 * One turn of the node, seen from whoever has something to append.
 *
 * A turn takes in control requests and frames, appends, signs, commits, and only then answers. What
 * wants to append during a turn (an officer's request, a delivery's RECEIVED, a finished
 * attachment) adds a draft; the turn groups the drafts by recipients, seals, appends, numbers,
 * proves and queues them. After the append each draft knows its index and leaf; after the commit
 * its `done` is called, which is where a reply is sent. When the turn fails, `done` gets the error
 * instead.
 *
 * A turn begins with node_begin (node.h) and ends with node_step. Between the two the database may
 * be read, and must not be written: what is to be written in the turn's transaction stands in a
 * draft, or is done by view_apply.
 */
#ifndef NODE_TURN_H
#define NODE_TURN_H

#include "ledger/ledger.h"
#include "wire/parcel.h"

struct node;
struct turn;

enum {
    TURN_DRAFTS_MAX = 4096,
    TURN_ENCLOSED_MAX = 128,              /* enclosures of one draft */
    TURN_ENCLOSED_BYTES_MAX = 192 * 1024, /* foreign ones of one draft, with their openings */
    TURN_REQUEST_DRAFTS = 1024, /* stop taking in requests once there are so many drafts … */
    TURN_REQUEST_BYTES = 8 * 1024 * 1024 /* … or so many bytes of bodies */
};

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
    /* Attachments of the record: PARCEL_BLOB_LEN each, sorted. They are registered for upload;
     * without recipients they are passed over. */
    const struct bytes *blobs;
    size_t blob_count;
    /* What travels along: own entries by index, ascending (the KEY entries of officers who signed;
     * the record and SIGNATURE entries of a SHARE), whose openings are looked up here; and foreign
     * ones, complete, each with its opening or an empty one. An own entry whose content was erased
     * travels without it. */
    const uint64_t *enclosed_own;
    size_t enclosed_own_count;
    const struct parcel_enclosure *enclosed_foreign;
    const struct opening *enclosed_opening;
    size_t enclosed_foreign_count;

    /* Filled in by the turn, before view_apply and `done`. */
    uint64_t index;
    struct hash leaf;

    /* Called once: with COMITY_OK after the commit, or with the error that undid the turn. May be
     * NULL. */
    void (*done)(struct draft *d, int err);
    void *owner;
};

/*
 * Add a draft, which is copied; views in it must live until `done`: in the turn's arena
 * (turn_arena), or with the caller. Checks what can be checked before the transaction, so that one
 * bad draft never undoes the others' turn. After an error the draft is not part of the turn and
 * `done` is not called. COMITY_E_UNKNOWN_MEMBER, COMITY_E_CLOSED (a recipient that is no bureau
 * with an open ledger), COMITY_E_NO_ROSTER, COMITY_E_RECIPIENTS (unsorted, twice, too many, or this
 * very member), COMITY_E_TOO_LARGE, COMITY_E_LIMIT, COMITY_E_NOT_FOUND (an own enclosed entry that
 * does not exist), COMITY_E_INVALID, COMITY_E_NOMEM.
 */
int turn_add(struct turn *t, const struct draft *d) __attribute__((warn_unused_result));

/* Whether the turn has taken in as much as it should: leave further requests to the next one. */
bool turn_is_full(const struct turn *t);

/* Lives until the turn is over, that is until node_step has returned. */
struct arena *turn_arena(struct turn *t);

#endif
