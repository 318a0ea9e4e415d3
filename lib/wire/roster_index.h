/*
 * A roster's content: the rules it must keep, and the indexes over it. Internal to lib/wire;
 * whether the authority has signed it is roster.c's.
 */
#ifndef WIRE_ROSTER_INDEX_H
#define WIRE_ROSTER_INDEX_H

#include "wire/roster.h"

/* Sorted arrays: 3,200 members are found in a dozen steps, and an array once built cannot be wrong
 * for one of two threads. */
struct roster_index {
    struct roster_origin *origins; /* by origin */
    size_t origin_count;
    const struct roster_member **by_curve;
    size_t curve_count;
    size_t
        *current; /* for each member in the document's order, a place in ${origins}, or SIZE_MAX */
};

/* Check the members of ${doc}, whose authority is ${network}, and index them; the index points into
 * ${doc}. COMITY_E_MALFORMED, COMITY_E_BAD_KEY, COMITY_E_SUITE, COMITY_E_NOMEM. */
int roster_index_init(struct roster_index *x, const struct roster_doc *doc,
                      const struct network *network) __attribute__((warn_unused_result));
void roster_index_done(struct roster_index *x);

/* The place of ${origin} in x->origins, or SIZE_MAX. */
size_t roster_index_find(const struct roster_index *x, struct bytes origin);

#endif
