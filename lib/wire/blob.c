/*
 * Attachments, block by block: sizes, the key, sealing, opening, and checking one block. See
 * blob.h; the tree over the blocks is in blob_tree.c.
 */
#include "wire/blob.h"

#include "crypto/seal.h"

#include <assert.h>
#include <comity/err.h>
#include <string.h>

static_assert(BLOB_SEALED - BLOB_PLAIN == AEAD_TAG_LEN, "a sealed block ends with its tag");

uint64_t blob_blocks(uint64_t len)
{
    uint64_t n = len / BLOB_PLAIN + (len % BLOB_PLAIN != 0);
    return n > 0 ? n : 1;
}

size_t blob_block_plain(uint64_t len, uint64_t i)
{
    uint64_t whole = len / BLOB_PLAIN;
    if (i < whole)
        return BLOB_PLAIN;
    return i == whole ? (size_t)(len % BLOB_PLAIN) : 0;
}

void blob_key(const uint8_t secret[BLOB_SECRET_LEN], const struct hash *sha256, uint64_t len,
              uint8_t ret_key[32])
{
    static const char label[] = "comity-blob/v1\n";
    enum { LABEL_LEN = sizeof label - 1 };
    uint8_t info[LABEL_LEN + HASH_LEN + 8];
    memcpy(info, label, LABEL_LEN);
    memcpy(info + LABEL_LEN, sha256->b, HASH_LEN);
    put_u64be(info + LABEL_LEN + HASH_LEN, len);
    hkdf_expand(BYTES(secret, BLOB_SECRET_LEN), BYTES(info, sizeof info), ret_key, 32);
}

/* The block's number, as 96 bits. */
static void nonce_of(uint64_t i, uint8_t ret[AEAD_NONCE_LEN])
{
    put_u32be(ret, 0);
    put_u64be(ret + 4, i);
}

void blob_block_seal(const uint8_t key[32], uint64_t i, struct bytes plain, uint8_t *out)
{
    uint8_t nonce[AEAD_NONCE_LEN];
    assert(plain.len <= BLOB_PLAIN);
    nonce_of(i, nonce);
    aead_seal(key, nonce, BYTES_NONE, plain, out);
}

int blob_block_open(const uint8_t key[32], uint64_t i, struct bytes sealed, uint8_t *out)
{
    uint8_t nonce[AEAD_NONCE_LEN];
    if (sealed.len < AEAD_TAG_LEN || sealed.len > BLOB_SEALED)
        return COMITY_E_UNSEAL;
    nonce_of(i, nonce);
    return aead_open(key, nonce, BYTES_NONE, sealed, out);
}

int blob_block_verify(const struct suite *suite, const struct hash *id, uint64_t len, uint64_t i,
                      struct bytes sealed, const struct hash *path, size_t n)
{
    struct hash leaf;
    uint64_t blocks = blob_blocks(len);
    if (i >= blocks || sealed.len != blob_block_plain(len, i) + AEAD_TAG_LEN)
        return COMITY_E_BLOB;
    hash_leaf(suite, sealed, &leaf);
    if (proof_inclusion_verify(suite, &leaf, i, blocks, path, n, id))
        return COMITY_E_BLOB;
    return COMITY_OK;
}
