/*
 * Suites, hashing, file digests and randomness. See hash.h.
 */
#include "crypto/hash.h"

#include "crypto/contexts.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

struct suite {
    uint32_t id;
    enum digest_alg digest;
};

static const struct suite suites[] = {
    {.id = SUITE_1, .digest = DIGEST_SHA256},
};

const struct suite *suite_get(uint32_t id)
{
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        if (suites[i].id == id)
            return &suites[i];
    return NULL;
}

uint32_t suite_id(const struct suite *s)
{
    return s->id;
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, HASH_LEN) == 0;
}

/* Without a type, OpenSSL starts the context over with the digest that it has: the cheapest way in.
 */
static EVP_MD_CTX *begin(const struct suite *s)
{
    EVP_MD_CTX *ctx = context_digest(s->digest);
    must(EVP_DigestInit_ex2(ctx, NULL, NULL) == 1);
    return ctx;
}

static void add(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    if (len > 0)
        must(EVP_DigestUpdate(ctx, data, len) == 1);
}

static void finish(EVP_MD_CTX *ctx, struct hash *ret)
{
    must(EVP_DigestFinal_ex(ctx, ret->b, NULL) == 1);
}

void hash_parts(const struct suite *s, const struct bytes *parts, size_t n, struct hash *ret)
{
    EVP_MD_CTX *ctx = begin(s);
    for (size_t i = 0; i < n; i++)
        add(ctx, parts[i].data, parts[i].len);
    finish(ctx, ret);
}

void hash_leaf(const struct suite *s, struct bytes entry, struct hash *ret)
{
    EVP_MD_CTX *ctx = begin(s);
    add(ctx, (const uint8_t[]){0x00}, 1);
    add(ctx, entry.data, entry.len);
    finish(ctx, ret);
}

void hash_node(const struct suite *s, const struct hash *left, const struct hash *right,
               struct hash *ret)
{
    uint8_t node[1 + 2 * HASH_LEN];
    node[0] = 0x01;
    memcpy(node + 1, left->b, HASH_LEN);
    memcpy(node + 1 + HASH_LEN, right->b, HASH_LEN);
    EVP_MD_CTX *ctx = begin(s);
    add(ctx, node, sizeof node);
    finish(ctx, ret);
}

struct file_digest {
    EVP_MD_CTX *sha256;
    EVP_MD_CTX *sm3;
};

struct file_digest *file_digest_new(void)
{
    struct file_digest *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->sha256 = EVP_MD_CTX_new();
    d->sm3 = EVP_MD_CTX_new();
    if (d->sha256 && d->sm3 &&
        EVP_DigestInit_ex2(d->sha256, contexts_md(DIGEST_SHA256), NULL) == 1 &&
        EVP_DigestInit_ex2(d->sm3, contexts_md(DIGEST_SM3), NULL) == 1)
        return d;
    file_digest_free(d);
    return NULL;
}

void file_digest_free(struct file_digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->sha256);
    EVP_MD_CTX_free(d->sm3);
    free(d);
}

void file_digest_add(struct file_digest *d, struct bytes bytes)
{
    add(d->sha256, bytes.data, bytes.len);
    add(d->sm3, bytes.data, bytes.len);
}

void file_digest_finish(struct file_digest *d, struct hash *ret_sha256, struct hash *ret_sm3)
{
    finish(d->sha256, ret_sha256);
    finish(d->sm3, ret_sm3);
}

/* The private generator also for what is public, such as a salt: one that is never seen cannot be
 * guessed from others. */
void random_bytes(uint8_t *out, size_t len)
{
    while (len > 0) {
        int step = len > INT_MAX ? INT_MAX : (int)len;
        must(RAND_priv_bytes(out, step) == 1);
        out += step;
        len -= (size_t)step;
    }
}

bool secret_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
