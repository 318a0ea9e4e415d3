/*
 * A file of random bytes and its sealed blocks, with their paths. For tests of both ends of the
 * bulk socket; what fails here ends the program.
 */
#ifndef SUPPORT_SAMPLE_BLOB_H
#define SUPPORT_SAMPLE_BLOB_H

#include "wire/blob.h"

#include <stdlib.h>
#include <string.h>

struct sample_blob {
    uint64_t len;
    uint64_t blocks;
    uint8_t *plain;
    uint8_t secret[BLOB_SECRET_LEN];
    uint8_t key[32];
    struct hash sha256;
    struct hash sm3;
    struct hash id;
    struct blob_tree *tree;
    uint8_t *sealed; /* of the block last asked for */
};

static inline void sample_must(int failed)
{
    if (failed)
        abort();
}

/* Block ${i}, sealed; until the next call. */
static inline struct bytes sample_block(struct sample_blob *s, uint64_t i)
{
    size_t n = blob_block_plain(s->len, i);
    blob_block_seal(s->key, i, BYTES(s->plain + i * BLOB_PLAIN, n), s->sealed);
    return BYTES(s->sealed, n + (BLOB_SEALED - BLOB_PLAIN));
}

static inline void sample_init(struct sample_blob *s, uint64_t len)
{
    *s = (struct sample_blob){.len = len, .blocks = blob_blocks(len)};
    s->plain = malloc(len + 1);
    s->sealed = malloc(BLOB_SEALED);
    struct file_digest *d = file_digest_new();
    sample_must(!s->plain || !s->sealed || !d);
    random_bytes(s->plain, len);
    random_bytes(s->secret, sizeof s->secret);
    file_digest_add(d, BYTES(s->plain, len));
    file_digest_finish(d, &s->sha256, &s->sm3);
    file_digest_free(d);
    blob_key(s->secret, &s->sha256, len, s->key);
    sample_must(blob_tree_new(suite_get(SUITE_1), &s->tree));
    for (uint64_t i = 0; i < s->blocks; i++)
        sample_must(blob_tree_add(s->tree, sample_block(s, i)));
    sample_must(blob_tree_root(s->tree, &s->id));
}

static inline void sample_done(struct sample_blob *s)
{
    blob_tree_free(s->tree);
    free(s->plain);
    free(s->sealed);
}

/* The path of block ${i} into ${ret}, of which there are PROOF_PATH_MAX; as views into ${list}, to
 * be freed. */
static inline size_t sample_path(const struct sample_blob *s, uint64_t i, struct hash_list *list,
                                 struct bytes *ret)
{
    sample_must(blob_tree_path(s->tree, i, list));
    for (size_t k = 0; k < list->count; k++)
        ret[k] = hash_bytes(&list->at[k]);
    return list->count;
}

#endif
