/*
 * The tree over a blob's sealed blocks. See blob.h.
 *
 * Every hash of a complete subtree is kept, in the order in which the subtrees become complete: the
 * leaf of block i, then those subtrees that end with it, from small to large. A subtree of 2^k
 * leaves that ends with leaf e then stands k places behind that leaf, and before leaf e there are
 * 2e - popcount(e) hashes: e leaves, and e - popcount(e) larger ones.
 */
#include "wire/blob.h"

#include "base/file.h"
#include "crypto/seal.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

struct blob_tree {
    const struct suite *suite;
    struct hash_list hashes;
    uint64_t count;
};

/* The hash of the complete subtree of 2^${level} leaves that ends with leaf ${end}. */
static const struct hash *hash_at(const struct blob_tree *t, uint64_t end, unsigned level)
{
    return &t->hashes.at[2 * end - (uint64_t)__builtin_popcountll(end) + level];
}

static int subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    const struct blob_tree *t = self;
    if (hi <= lo || hi > t->count)
        return COMITY_E_INTERNAL;
    *ret = *hash_at(t, hi - 1, (unsigned)__builtin_ctzll(hi - lo));
    return COMITY_OK;
}

static struct tree_source source_of(const struct blob_tree *t)
{
    return (struct tree_source){
        .subtree = subtree, .self = (void *)(uintptr_t)t, .suite = t->suite};
}

int blob_tree_new(const struct suite *suite, struct blob_tree **ret)
{
    struct blob_tree *t = calloc(1, sizeof *t);
    if (!t)
        return COMITY_E_NOMEM;
    t->suite = suite;
    *ret = t;
    return COMITY_OK;
}

void blob_tree_free(struct blob_tree *t)
{
    if (!t)
        return;
    hash_list_free(&t->hashes);
    free(t);
}

int blob_tree_add(struct blob_tree *t, struct bytes sealed)
{
    struct hash h;
    uint64_t end = t->count;
    size_t before = t->hashes.count;
    hash_leaf(t->suite, sealed, &h);
    int err = hash_list_add(&t->hashes, &h);
    /* The leaf closes a subtree of 2^(k+1) leaves for each one bit at the end of its number. */
    for (unsigned level = 0; !err && (end >> level & 1); level++) {
        hash_node(t->suite, hash_at(t, end - (UINT64_C(1) << level), level), &h, &h);
        err = hash_list_add(&t->hashes, &h);
    }
    if (err)
        t->hashes.count = before;
    else
        t->count++;
    return err;
}

uint64_t blob_tree_count(const struct blob_tree *t)
{
    return t->count;
}

int blob_tree_root(const struct blob_tree *t, struct hash *ret)
{
    struct tree_source src = source_of(t);
    return tree_hash(&src, 0, t->count, ret);
}

int blob_tree_path(const struct blob_tree *t, uint64_t i, struct hash_list *out)
{
    struct tree_source src = source_of(t);
    if (i >= t->count)
        return COMITY_E_INVALID;
    return proof_inclusion(&src, i, t->count, out);
}

/* ${plain} and ${sealed} are room for one block. */
static int seal_file(struct blob_tree *t, int fd, uint64_t len, const uint8_t key[32],
                     const volatile int *stop, uint8_t *plain, uint8_t *sealed)
{
    uint64_t blocks = blob_blocks(len);
    int err = COMITY_OK;
    for (uint64_t i = 0; !err && i < blocks; i++) {
        size_t n = blob_block_plain(len, i);
        if (*stop)
            return COMITY_E_INTERRUPTED;
        err = file_pread_all(fd, plain, n, (off_t)(i * BLOB_PLAIN));
        if (err)
            return err;
        blob_block_seal(key, i, BYTES(plain, n), sealed);
        err = blob_tree_add(t, BYTES(sealed, n + AEAD_TAG_LEN));
    }
    return err;
}

int blob_tree_of_file(const struct suite *suite, int fd, uint64_t len, const uint8_t key[32],
                      const volatile int *stop, struct blob_tree **ret)
{
    struct blob_tree *t = NULL;
    uint8_t *room = malloc(BLOB_PLAIN + BLOB_SEALED);
    int err = room && len <= INT64_MAX ? COMITY_OK : room ? COMITY_E_TOO_LARGE : COMITY_E_NOMEM;
    if (!err)
        err = blob_tree_new(suite, &t);
    if (!err)
        err = seal_file(t, fd, len, key, stop, room, room + BLOB_PLAIN);
    free(room);
    if (err)
        blob_tree_free(t);
    else
        *ret = t;
    return err;
}
