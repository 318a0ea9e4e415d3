/*
 * Parcels of a loose ledger: honest ones, and ones that are wrong in one chosen way but signed and
 * proven all the same.
 */
#ifndef EVIL_FORGE_H
#define EVIL_FORGE_H

#include "evil/peer.h"
#include "wire/parcel.h"

struct forge {
    const char *to[EVIL_TO_MAX]; /* sorted */
    size_t to_count;
    size_t count; /* entries, each a CASE; 0 for one */
    /* what is wrong with it */
    const char *claims_to;          /* what the entries name instead of the recipients */
    int64_t pair_shift;             /* numbers of the first entry's, from what would be right */
    bool is_unlinked;               /* no `since` for the broker */
    bool is_unlinked_to_all;        /* none for the recipients either */
    bool breaks_prev;               /* the second entry's prev */
    bool misplaces;                 /* entries claim the place before theirs */
    bool lies_about_body;           /* body_hash of something else */
    bool breaks_rule;               /* the record has no title */
    bool names_a_file;              /* that no record names */
    bool spoils_wrap;               /* of the first recipient, before the entries commit to it */
    bool spoils_sealed;             /* likewise: the commitment to the key */
    const char *seals_for;          /* another member than the recipient */
    const struct hash *receipt_for; /* one RECEIVED entry for this parcel instead of cases */
};

/* Append the entries to the loose ledger and the parcel's bytes to ${out}; it is in flight as the
 * next parcel_seq. */
void forge_parcel(struct evil *e, const struct forge *what, struct buf *out);

/* Likewise a parcel without entries: the checkpoint alone, however old it is. */
void forge_checkpoint(struct evil *e, struct buf *out);

/* The parcel in ${parcel}, decoded, changed by ${edit} and encoded again. Views into ${e}->arena.
 */
void forge_edit(struct evil *e, struct buf *parcel,
                void (*edit)(struct evil *e, struct parcel *p, struct parcel_head *h));

#endif
