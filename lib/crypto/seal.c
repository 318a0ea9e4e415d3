/*
 * AES-GCM, HKDF and X25519. See seal.h; HPKE, which is made of these, is in hpke.c.
 */
#include "crypto/seal.h"

#include "crypto/hpke_internal.h"

#include <assert.h>
#include <comity/err.h>
#include <openssl/err.h>
#include <string.h>

/* ---- AEAD ---- */

/* OpenSSL counts in int; GCM takes a message in any pieces. ${out} is NULL for additional data. */
static void update(EVP_CIPHER_CTX *ctx, uint8_t *out, struct bytes in)
{
    enum { STEP_MAX = 1 << 30 };
    while (in.len > 0) {
        int step = in.len > STEP_MAX ? STEP_MAX : (int)in.len;
        int done = 0;
        must(EVP_CipherUpdate(ctx, out, &done, in.data, step) == 1 && done == step);
        if (out)
            out += step;
        in = bytes_slice(in, (size_t)step, in.len);
    }
}

void aead_seal_with(enum aead_alg alg, const uint8_t *key, const uint8_t nonce[AEAD_NONCE_LEN],
                    struct bytes aad, struct bytes plain, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = context_seal(alg);
    uint8_t none[AEAD_TAG_LEN];
    int rest = 0;
    must(EVP_EncryptInit_ex2(ctx, NULL, key, nonce, NULL) == 1);
    update(ctx, NULL, aad);
    update(ctx, out, plain);
    must(EVP_EncryptFinal_ex(ctx, none, &rest) == 1);
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, out + plain.len) == 1);
}

int aead_open_with(enum aead_alg alg, const uint8_t *key, const uint8_t nonce[AEAD_NONCE_LEN],
                   struct bytes aad, struct bytes sealed, uint8_t *out)
{
    if (sealed.len < AEAD_TAG_LEN)
        return COMITY_E_UNSEAL;
    EVP_CIPHER_CTX *ctx = context_open(alg);
    struct bytes body = bytes_slice(sealed, 0, sealed.len - AEAD_TAG_LEN);
    uint8_t tag[AEAD_TAG_LEN], none[AEAD_TAG_LEN];
    int rest = 0;
    memcpy(tag, sealed.data + body.len, sizeof tag);
    must(EVP_DecryptInit_ex2(ctx, NULL, key, nonce, NULL) == 1);
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) == 1);
    update(ctx, NULL, aad);
    update(ctx, out, body);
    if (EVP_DecryptFinal_ex(ctx, none, &rest) == 1)
        return COMITY_OK;
    wipe(out, body.len); /* nobody may see what did not authenticate */
    ERR_clear_error();
    return COMITY_E_UNSEAL;
}

void aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
               struct bytes aad, struct bytes plain, uint8_t *out)
{
    aead_seal_with(AEAD_AES_256_GCM, key, nonce, aad, plain, out);
}

int aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
              struct bytes aad, struct bytes sealed, uint8_t *out)
{
    return aead_open_with(AEAD_AES_256_GCM, key, nonce, aad, sealed, out);
}

/* ---- key derivation ---- */

void hmac_parts(struct bytes key, const struct bytes *parts, size_t n, uint8_t ret[HASH_LEN])
{
    static const uint8_t
        zero[1]; /* HMAC fills a short key up with zeros, so this is the empty one */
    EVP_MAC_CTX *ctx = context_hmac();
    size_t len = 0;
    if (key.len == 0)
        key = BYTES(zero, sizeof zero);
    must(EVP_MAC_init(ctx, key.data, key.len, NULL) == 1);
    for (size_t i = 0; i < n; i++)
        if (parts[i].len > 0)
            must(EVP_MAC_update(ctx, parts[i].data, parts[i].len) == 1);
    must(EVP_MAC_final(ctx, ret, &len, HASH_LEN) == 1 && len == HASH_LEN);
}

void hkdf_expand(struct bytes prk, struct bytes info, uint8_t *out, size_t len)
{
    assert(len <= 255 * HASH_LEN);
    uint8_t block[HASH_LEN];
    struct bytes previous = BYTES_NONE;
    for (uint8_t i = 1; len > 0; i++) {
        const struct bytes parts[] = {previous, info, BYTES(&i, 1)};
        hmac_parts(prk, parts, 3, block);
        previous = BYTES(block, sizeof block);
        size_t step = len < sizeof block ? len : sizeof block;
        memcpy(out, block, step);
        out += step;
        len -= step;
    }
    wipe(block, sizeof block);
}

/* ---- X25519 ---- */

static EVP_PKEY *x25519_private(const uint8_t secret[SEAL_KEY_LEN], uint8_t ret_pub[SEAL_KEY_LEN])
{
    size_t len = SEAL_KEY_LEN;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, SEAL_KEY_LEN);
    if (own && EVP_PKEY_get_raw_public_key(own, ret_pub, &len) == 1)
        return own;
    EVP_PKEY_free(own);
    return NULL;
}

int x25519(const uint8_t secret[SEAL_KEY_LEN], const uint8_t peer[SEAL_KEY_LEN],
           uint8_t ret_pub[SEAL_KEY_LEN], uint8_t ret_shared[SEAL_KEY_LEN])
{
    int err = COMITY_E_NOMEM;
    uint8_t pub[SEAL_KEY_LEN], shared[SEAL_KEY_LEN];
    size_t len = sizeof shared;
    EVP_PKEY *own = x25519_private(secret, pub);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, SEAL_KEY_LEN);
    EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    if (ctx && other && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, other) == 1)
        err = EVP_PKEY_derive(ctx, shared, &len) == 1 ? COMITY_OK : COMITY_E_BAD_KEY;
    if (err) {
        ERR_clear_error();
    } else {
        memcpy(ret_pub, pub, sizeof pub);
        memcpy(ret_shared, shared, sizeof shared);
    }
    wipe(shared, sizeof shared);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return err;
}

int seal_public(const uint8_t secret[SEAL_KEY_LEN], uint8_t ret_pub[SEAL_KEY_LEN])
{
    uint8_t pub[SEAL_KEY_LEN];
    EVP_PKEY *own = x25519_private(secret, pub);
    if (!own) {
        ERR_clear_error();
        return COMITY_E_NOMEM;
    }
    EVP_PKEY_free(own);
    memcpy(ret_pub, pub, sizeof pub);
    return COMITY_OK;
}

/* Clamping makes every secret a multiple of 8, so any one of them sends each point of low order to
 * zero. */
int seal_public_check(const uint8_t pub[SEAL_KEY_LEN])
{
    static const uint8_t any[SEAL_KEY_LEN] = {8};
    uint8_t ours[SEAL_KEY_LEN], shared[SEAL_KEY_LEN];
    return x25519(any, pub, ours, shared);
}
