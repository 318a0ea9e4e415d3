/*
 * Projections: cases, evidence, recognitions, inbox. What they show can be deleted and built again
 * from the ledger and the parcels received.
 *
 * The turn calls view_apply inside its transaction, in the order of the own ledger: for every own
 * entry, and for every entry of a delivery that was opened (what it encloses first). `node
 * --reindex` calls view_clear and then the same for all that is kept.
 */
#ifndef NODE_VIEW_H
#define NODE_VIEW_H

#include "domain/record.h"
#include "ledger/ledger.h"

struct node;

enum view_from {
    VIEW_ARCHIVED,  /* an entry of a ledger of this member before this one; `received` is its place
                     */
    VIEW_OWN,       /* an entry of this ledger */
    VIEW_DELIVERED, /* an entry of a parcel that was delivered to this member, opened and checked */
    VIEW_ENCLOSED /* brought along by such a parcel: a shared record, its signatures, officers' KEY
                     entries. May come again with every parcel. */
};

struct view_item {
    enum view_from from;
    struct bytes origin; /* of the ledger whose entry this is */
    uint64_t index;
    struct hash leaf;
    const struct entry *entry;
    struct bytes salt;
    struct bytes body; /* exact bytes of a Body; none when there is none, or it is withheld */
    const struct record *record; /* of the body, when it was decoded already; else NULL, and there
                                    may still be one */
    int64_t time_ms;             /* own: when the entry was made; others: when it was received */
    /* Delivered and enclosed: */
    uint64_t received;   /* place of the own RECEIVED entry: node->base and its index */
    struct bytes sender; /* member whose parcel brought it */
};

/* Views in ${item} live until the call returns. An error undoes the turn, so content that makes no
 * sense to a projection is passed over, not an error: by then it is in a signed ledger. */
int view_apply(struct node *n, const struct view_item *item) __attribute__((warn_unused_result));
/* Once before the turn commits: write what was gathered. */
int view_flush(struct node *n) __attribute__((warn_unused_result));
/* The turn was undone, or is over: forget what was gathered. */
void view_forget(struct node *n);
/* Empty the projections, inside a transaction. */
int view_clear(struct node *n) __attribute__((warn_unused_result));

#endif
