/*
 * A tree in memory: every leaf, and the nodes from eight leaves up: 40 bytes an entry. From it the
 * root at any size, and any proof, takes a few dozen hashes, and an entry's leaf takes none.
 */
#include "audit/leaves.h"

#include <stdlib.h>
#include <string.h>

static void free_levels(struct leaves *t)
{
    for (size_t h = 0; h < sizeof t->level / sizeof t->level[0]; h++) {
        free(t->level[h]);
        t->level[h] = NULL;
    }
}

void leaves_done(struct leaves *t)
{
    free_levels(t);
    LIST_FREE(t->leaf);
}

/* The node over leaves lo … lo+2^h-1, below the lowest level that is kept. */
static void small_node(const struct leaves *t, uint64_t lo, unsigned h, struct hash *ret)
{
    struct hash left, right;
    if (h == 0) {
        *ret = t->leaf.at[lo];
        return;
    }
    small_node(t, lo, h - 1, &left);
    small_node(t, lo + ((uint64_t)1 << (h - 1)), h - 1, &right);
    hash_node(t->suite, &left, &right, ret);
}

int leaves_build(struct leaves *t)
{
    free_levels(t);
    for (unsigned h = LEAVES_LOWEST; t->leaf.count >> h; h++) {
        size_t n = t->leaf.count >> h;
        struct hash *level = reallocarray(NULL, n, sizeof *level);
        if (!level)
            return COMITY_E_NOMEM;
        const struct hash *below = t->level[h - 1];
        for (size_t i = 0; i < n; i++) {
            if (h == LEAVES_LOWEST)
                small_node(t, (uint64_t)i << h, h, &level[i]);
            else
                hash_node(t->suite, &below[2 * i], &below[2 * i + 1], &level[i]);
        }
        t->level[h] = level;
    }
    return COMITY_OK;
}

static int subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    const struct leaves *t = self;
    unsigned h = (unsigned)__builtin_ctzll(hi - lo);
    if (hi > t->leaf.count)
        return COMITY_E_NOT_FOUND;
    if (h >= LEAVES_LOWEST)
        *ret = t->level[h][lo >> h];
    else
        small_node(t, lo, h, ret);
    return COMITY_OK;
}

struct tree_source leaves_source(struct leaves *t)
{
    return (struct tree_source){.subtree = subtree, .self = t, .suite = t->suite};
}

int leaves_root(struct leaves *t, uint64_t size, struct hash *ret)
{
    struct tree_source src = leaves_source(t);
    return size > t->leaf.count ? COMITY_E_NOT_FOUND : tree_hash(&src, 0, size, ret);
}
