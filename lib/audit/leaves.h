/*
 * A tree in memory, from which the root at any size is had.
 */
#ifndef AUDIT_LEAVES_H
#define AUDIT_LEAVES_H

#include "audit/list.h"
#include "ledger/proof.h"

struct leaves {
    const struct suite *suite;
    LIST(struct hash) leaf;
    struct hash *level[64]; /* level[h]: nodes over 2^h leaves, from LEAVES_LOWEST up */
};
enum { LEAVES_LOWEST = 3 };
void leaves_done(struct leaves *t);
/* Build the levels above, again if leaves were changed since. */
int leaves_build(struct leaves *t) __attribute__((warn_unused_result));
struct tree_source leaves_source(struct leaves *t);
/* ${size} is at most the number of leaves. */
int leaves_root(struct leaves *t, uint64_t size, struct hash *ret)
    __attribute__((warn_unused_result));

#endif
