/*
 * The ledger's tree: complete tiles in the store, the right edge in memory. Internal to lib/ledger.
 *
 * A tile of level L holds 256 hashes, each over 256^L leaves (C2SP tlog-tiles): a row of 8 KiB,
 * written once, when it is complete. What is not complete yet, at most one tile a level, is kept in
 * memory with all its inner nodes, so that a leaf costs about one hash of two nodes and a root
 * about one a level. Tiles completed since the last commit wait in memory, too: that makes it cheap
 * to take a turn back.
 *
 * Tiles read are believed: it is for the ledger to check what it opens.
 */
#ifndef LEDGER_TREE_H
#define LEDGER_TREE_H

#include "crypto/hash.h"
#include "store/db.h"

enum {
    TILE_HEIGHT = 8,
    TILE_WIDTH = 256,
    TILE_BYTES = TILE_WIDTH * HASH_LEN,
    TREE_LEVELS = 8, /* 256^8 leaves: more than any size of a proof */
    TREE_CACHE = 32  /* tiles of 16 KiB */
};

/* Row 0 are the hashes themselves, row h the nodes over 2^h of them, one row behind the other. */
struct tile {
    unsigned count; /* of row 0 */
    bool built;     /* the rows above stand, as far as row 0 goes */
    struct hash node[2 * TILE_WIDTH - 1];
};

struct tile_place {
    unsigned level;
    uint64_t index;
    struct tile *tile;
    uint64_t used; /* in the cache: when last */
};

struct tree {
    const struct suite *suite;
    struct db *db;
    uint64_t size;
    struct tile *edge[TREE_LEVELS];
    struct tile *spare[TREE_LEVELS]; /* what becomes the edge when one is full */
    struct tile_place *pending;      /* complete, not committed, oldest first */
    size_t pending_count;
    size_t pending_cap;
    struct tile_place cache[TREE_CACHE];
    uint64_t clock;
};

/* The number of complete tiles of ${level} in a tree of ${size}. */
static inline uint64_t tile_count(uint64_t size, unsigned level)
{
    unsigned shift = TILE_HEIGHT * (level + 1);
    return shift < 64 ? size >> shift : 0;
}

/* An empty tree. ${db} must outlive it. */
int tree_init(struct tree *t, const struct suite *suite, struct db *db)
    __attribute__((warn_unused_result));
void tree_done(struct tree *t);

/*
 * Make ${t} the tree of ${size} leaves: level 0 of the edge from ${leaf}, the size % 256 last leaf
 * hashes, the levels above from the complete tiles below them. Once, on an empty tree.
 * COMITY_E_LEDGER_DAMAGED when a tile is missing.
 */
int tree_load(struct tree *t, uint64_t size, const struct hash *leaf)
    __attribute__((warn_unused_result));
/* Whether the last complete tile of each level above 0 is what its 256 tiles below make.
 * COMITY_E_LEDGER_DAMAGED. */
int tree_check_last_tiles(struct tree *t) __attribute__((warn_unused_result));

/* One more leaf. On failure nothing has changed. */
int tree_add(struct tree *t, const struct hash *leaf) __attribute__((warn_unused_result));
/* Put the tiles completed since the last tree_settle into the transaction. */
int tree_store(struct tree *t) __attribute__((warn_unused_result));
/* They are committed. */
void tree_settle(struct tree *t);
/* Back to ${size}, which must not be below that at the last tree_settle. */
void tree_truncate(struct tree *t, uint64_t size);

/* The hash of leaves lo … hi-1, hi - lo a power of two, lo a multiple of it, hi at most the size
 * (COMITY_E_NOT_FOUND). */
int tree_subtree(struct tree *t, uint64_t lo, uint64_t hi, struct hash *ret)
    __attribute__((warn_unused_result));

#endif
