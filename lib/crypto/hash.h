/*
 * The suites, and hashing.
 *
 * A suite fixes every algorithm of one ledger for its whole life: the roster names it, never a
 * message. Suite 1 is SHA-256, Ed25519, X25519, AES-256-GCM. Nothing outside lib/crypto names an
 * algorithm, except for attachments, whose SHA-256 and SM3 are facts about files that an officer
 * checks with stock tools.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/bytes.h"

enum { HASH_LEN = 32, SUITE_1 = 1 };

struct hash {
    uint8_t b[HASH_LEN];
};

static inline struct bytes hash_bytes(const struct hash *h)
{
    return BYTES(h->b, HASH_LEN);
}

bool hash_equal(const struct hash *a, const struct hash *b);

/* A suite: constant, shared by all threads. */
struct suite;

/* The suite numbered ${id}, or NULL when this build does not know it. */
const struct suite *suite_get(uint32_t id);
uint32_t suite_id(const struct suite *s);

/*
 * Fetch the algorithms once and check them against known answers; to be called first in main(),
 * before any other function of lib/crypto. Later calls do nothing. COMITY_E_INTERNAL when OpenSSL
 * lacks or fails one.
 */
int crypto_init(void) __attribute__((warn_unused_result));

/*
 * The suite's hash of the parts, one after the other. Cannot fail: each thread keeps one context
 * per algorithm, made at its first use (a process that has no memory for that ends there). Any
 * thread.
 */
void hash_parts(const struct suite *s, const struct bytes *parts, size_t n, struct hash *ret);

#define hash_of(suite, ret, ...)                             \
    hash_parts((suite), (const struct bytes[]){__VA_ARGS__}, \
               sizeof((const struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes), (ret))

/* RFC 6962, 2.1: H(0x00 ‖ entry). */
void hash_leaf(const struct suite *s, struct bytes entry, struct hash *ret);
/* RFC 6962, 2.1: H(0x01 ‖ left ‖ right). */
void hash_node(const struct suite *s, const struct hash *left, const struct hash *right,
               struct hash *ret);

/* The digests of a file, side by side: SHA-256 and SM3 (GB/T 32905). */
struct file_digest;
struct file_digest *file_digest_new(void);
void file_digest_free(struct file_digest *d);
void file_digest_add(struct file_digest *d, struct bytes bytes);
/* The digests of everything added; the object can only be freed after this. */
void file_digest_finish(struct file_digest *d, struct hash *ret_sha256, struct hash *ret_sm3);

/* Fill ${out} with ${len} random bytes. Ends the process when the machine has no randomness. */
void random_bytes(uint8_t *out, size_t len);

/* Equal in constant time: for secrets and tags. */
bool secret_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
