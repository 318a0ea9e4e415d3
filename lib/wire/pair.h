/*
 * pair_seq at the recipient: which numbers of a sender were taken, and which are missing.
 *
 * Entries with recipients are numbered 1, 2, 3 … for each (origin, recipient). What a parcel brings
 * is a range of numbers: one an entry, but for a REFUSED entry that voids numbers of parcels which
 * the broker refused, and stands for all of them. The first range ever seen sets the base; from
 * there on each is next, beyond next (the numbers between are a gap, recorded and shown), inside a
 * recorded gap, or below: seen before.
 *
 * Pure but for memory: who keeps the state, and what a duplicate is, is the caller's.
 */
#ifndef WIRE_PAIR_H
#define WIRE_PAIR_H

#include "msg/entry.h"

/* More holes than an honest sender can make: beyond it a parcel is refused. */
enum { PAIR_GAPS_MAX = 1024 };

/* Numbers first … last, both included. */
struct pair_range {
    uint64_t first;
    uint64_t last;
};

struct pair {
    uint64_t next;          /* 0: nothing was seen yet */
    struct pair_range *gap; /* ascending, apart from each other, all below next */
    size_t gap_count;
    size_t gap_cap;
};

#define PAIR_INIT ((struct pair){0})
void pair_free(struct pair *p);

enum pair_verdict {
    PAIR_FIRST, /* sets the base */
    PAIR_NEXT,
    PAIR_BEYOND, /* leaves a gap */
    PAIR_FILLS,  /* inside a recorded gap */
    PAIR_BELOW   /* taken before, or from before the base */
};

/*
 * Where ${r} stands. COMITY_E_PAIR_SEQ for numbers that are none (0, last below first, or above
 * 2^62), or of which some were taken and others not. COMITY_E_LIMIT when it would make more than
 * PAIR_GAPS_MAX gaps.
 */
int pair_judge(const struct pair *p, struct pair_range r, enum pair_verdict *ret)
    __attribute__((warn_unused_result));

/* Mark ${r}, which pair_judge has judged to be other than PAIR_BELOW, as taken. COMITY_E_NOMEM:
 * nothing has changed. */
int pair_take(struct pair *p, struct pair_range r) __attribute__((warn_unused_result));

/* Add the gap ${r}, which lies above all others: when reading the state back. COMITY_E_INVALID,
 * COMITY_E_NOMEM. */
int pair_add_gap(struct pair *p, struct pair_range r) __attribute__((warn_unused_result));

/* How many of its numbers ${e} stands for: 1, or the count in the `ref` of a REFUSED entry that
 * voids own numbers (its source is the broker's REFUSED entry, with leaf and without size).
 * COMITY_E_MALFORMED for such a `ref` that is none, or counts 0. */
int pair_span(const struct entry *e, uint32_t *ret) __attribute__((warn_unused_result));
bool pair_is_void(const struct entry *e);

/*
 * The range that the entries of a parcel have for ${member}, each of them consecutive to the one
 * before. COMITY_E_PAIR_SEQ when they are not, or ${member} is in none; COMITY_E_MALFORMED.
 */
int pair_of_entries(const struct entry *entries, size_t n, struct bytes member,
                    struct pair_range *ret) __attribute__((warn_unused_result));

#endif
