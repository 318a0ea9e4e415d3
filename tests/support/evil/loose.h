/*
 * A ledger that keeps no promise: entries in memory, signed at any size, as often and with as many
 * histories as its owner likes. It begins with the entries of a site's real ledger, which stays as
 * it is, and keeps what is added in a file beside it.
 */
#ifndef EVIL_LOOSE_H
#define EVIL_LOOSE_H

#include "ledger/checkpoint.h"
#include "ledger/proof.h"
#include "msg/entry.h"
#include "site/site.h"

struct loose_entry {
    struct buf bytes;
    struct hash leaf;
};

struct loose {
    const struct suite *suite;
    const struct note_signer *signer;
    struct hash genesis;
    struct loose_entry *at;
    size_t count;
    size_t cap;
};

/* Everything that fails here ends the program. */
void loose_open(struct loose *l, const struct site *site, const struct site_keys *keys);
/* Keep all entries for the next time. */
void loose_save(const struct loose *l, const struct site *site);
void loose_done(struct loose *l);

/* Append ${e}: index is filled in, and prev unless it is given. The index. */
uint64_t loose_append(struct loose *l, struct entry *e);
/* Put ${e}, as it is, in the place of the last entry. */
void loose_replace_last(struct loose *l, const struct entry *e);
/* Forget all entries from ${size} on. */
void loose_cut(struct loose *l, size_t size);
/* The note over the first ${size} entries, appended to ${note}. */
void loose_sign(struct loose *l, size_t size, struct checkpoint *ret, struct buf *note);
struct tree_source loose_tree(struct loose *l);

#endif
