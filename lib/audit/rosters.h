/*
 * Rosters, wherever they were found (rosters.c). What lib/package needs, too, is in shared.h.
 */
#ifndef AUDIT_ROSTERS_H
#define AUDIT_ROSTERS_H

#include "audit/shared.h"

struct audit_copy;

struct roster_file {
    uint64_t number;
    struct buf file;
    struct audit_copy *holder; /* NULL: given from outside */
    struct roster *roster;     /* NULL: not the authority's … */
    int err;                   /* … and why */
};

const struct roster_file *rosters_find(const struct audit *a, uint64_t number);
/* The ledger in the newest roster that names it; NULL when none does. */
const struct roster_origin *rosters_owner(const struct audit *a, struct bytes origin);

#endif
