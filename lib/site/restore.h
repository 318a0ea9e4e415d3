/*
 * A folder that was put back from an old copy: how that is remembered, and the way out of it. See
 * docs/LEDGER.md, Rollback.
 *
 * The daemon that is told so writes the file `rollback` into its folder and ends: its ledger must
 * not grow, so it is not written there. Commands read it, to say what is the matter.
 */
#ifndef SITE_RESTORE_H
#define SITE_RESTORE_H

#include "site/site.h"

/* What was found, and when. The other side may know a larger ledger, or another one of this size.
 */
struct site_rollback {
    uint64_t size;       /* entries of the ledger here */
    uint64_t known_size; /* entries that the broker has seen of it; 0: it did not say */
    int64_t time_ms;
};

int site_rollback_write(const struct site *s, const struct site_rollback *r)
    __attribute__((warn_unused_result));
/* What the folder ${dir} remembers. COMITY_E_NOT_FOUND when it is nothing, COMITY_E_MALFORMED. */
int site_rollback_read(const char *dir, struct site_rollback *ret)
    __attribute__((warn_unused_result));
/* The ledger is in order (again): forget it. A file that is not there is fine. */
int site_rollback_forget(const struct site *s) __attribute__((warn_unused_result));

#endif
