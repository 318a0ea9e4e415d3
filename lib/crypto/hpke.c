/*
 * HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256. See seal.h and
 * hpke_internal.h.
 *
 * One message a context: the sequence number is always 0, so the base nonce is the nonce.
 */
#include "crypto/hpke_internal.h"

#include <assert.h>
#include <comity/err.h>
#include <string.h>

enum { KEM_ID = 0x0020, KDF_ID = 0x0001, MODE_BASE = 0x00 };

const struct hpke_suite hpke_aes_128_gcm = {
    .aead_id = 0x0001, .aead = AEAD_AES_128_GCM, .key_len = 16};
const struct hpke_suite hpke_aes_256_gcm = {
    .aead_id = 0x0002, .aead = AEAD_AES_256_GCM, .key_len = 32};

static const uint8_t kem_suite_id[] = {'K', 'E', 'M', KEM_ID >> 8, KEM_ID & 0xff};

/* 4: LabeledExtract. */
static void labeled_extract(struct bytes suite_id, struct bytes salt, const char *label,
                            struct bytes ikm, uint8_t ret[HASH_LEN])
{
    const struct bytes parts[] = {BYTES_LIT("HPKE-v1"), suite_id, bytes_of(label), ikm};
    hmac_parts(salt, parts, 4, ret);
}

struct expansion {
    struct bytes suite_id;
    struct bytes prk;
    const char *label;
    struct bytes info;
};

/* 4: LabeledExpand, for at most HASH_LEN bytes: one block of HKDF-Expand, whose counter is 1. */
static void labeled_expand(const struct expansion *e, uint8_t *ret, size_t len)
{
    assert(len <= HASH_LEN);
    const uint8_t length[] = {(uint8_t)(len >> 8), (uint8_t)len};
    const uint8_t counter = 1;
    const struct bytes parts[] = {
        BYTES(length, sizeof length),
        BYTES_LIT("HPKE-v1"),
        e->suite_id,
        bytes_of(e->label),
        e->info,
        BYTES(&counter, 1),
    };
    uint8_t block[HASH_LEN];
    hmac_parts(e->prk, parts, sizeof parts / sizeof parts[0], block);
    memcpy(ret, block, len);
    wipe(block, sizeof block);
}

/* 4.1: ExtractAndExpand over what X25519 gave; the context is enc ‖ pkR. */
static void shared_from_dh(const uint8_t dh[SEAL_KEY_LEN], const uint8_t enc[HPKE_ENC_LEN],
                           const uint8_t pub[SEAL_KEY_LEN], uint8_t ret_shared[HASH_LEN])
{
    struct bytes suite_id = BYTES(kem_suite_id, sizeof kem_suite_id);
    uint8_t prk[HASH_LEN], context[HPKE_ENC_LEN + SEAL_KEY_LEN];
    memcpy(context, enc, HPKE_ENC_LEN);
    memcpy(context + HPKE_ENC_LEN, pub, SEAL_KEY_LEN);
    labeled_extract(suite_id, BYTES_NONE, "eae_prk", BYTES(dh, SEAL_KEY_LEN), prk);
    labeled_expand(&(struct expansion){.suite_id = suite_id,
                                       .prk = BYTES(prk, sizeof prk),
                                       .label = "shared_secret",
                                       .info = BYTES(context, sizeof context)},
                   ret_shared, HASH_LEN);
    wipe(prk, sizeof prk);
}

int hpke_encap(const uint8_t ephemeral[SEAL_KEY_LEN], const uint8_t pub[SEAL_KEY_LEN],
               uint8_t ret_enc[HPKE_ENC_LEN], uint8_t ret_shared[HASH_LEN])
{
    uint8_t dh[SEAL_KEY_LEN], enc[HPKE_ENC_LEN];
    int err = x25519(ephemeral, pub, enc, dh);
    if (err)
        return err;
    shared_from_dh(dh, enc, pub, ret_shared);
    memcpy(ret_enc, enc, sizeof enc);
    wipe(dh, sizeof dh);
    return COMITY_OK;
}

int hpke_decap(const uint8_t secret[SEAL_KEY_LEN], const uint8_t enc[HPKE_ENC_LEN],
               uint8_t ret_shared[HASH_LEN])
{
    uint8_t dh[SEAL_KEY_LEN], pub[SEAL_KEY_LEN];
    int err = x25519(secret, enc, pub, dh);
    if (err)
        return err;
    shared_from_dh(dh, enc, pub, ret_shared);
    wipe(dh, sizeof dh);
    return COMITY_OK;
}

void hpke_key_schedule(const struct hpke_suite *suite, const uint8_t shared[HASH_LEN],
                       struct bytes info, struct hpke_context *ret)
{
    const uint8_t id[] = {'H',
                          'P',
                          'K',
                          'E',
                          KEM_ID >> 8,
                          KEM_ID & 0xff,
                          KDF_ID >> 8,
                          KDF_ID & 0xff,
                          (uint8_t)(suite->aead_id >> 8),
                          (uint8_t)suite->aead_id};
    struct bytes suite_id = BYTES(id, sizeof id);
    uint8_t secret[HASH_LEN], context[1 + 2 * HASH_LEN] = {MODE_BASE};
    labeled_extract(suite_id, BYTES_NONE, "psk_id_hash", BYTES_NONE, context + 1);
    labeled_extract(suite_id, BYTES_NONE, "info_hash", info, context + 1 + HASH_LEN);
    labeled_extract(suite_id, BYTES(shared, HASH_LEN), "secret", BYTES_NONE, secret);

    struct expansion e = {.suite_id = suite_id,
                          .prk = BYTES(secret, sizeof secret),
                          .info = BYTES(context, sizeof context)};
    e.label = "key";
    labeled_expand(&e, ret->key, suite->key_len);
    e.label = "base_nonce";
    labeled_expand(&e, ret->base_nonce, sizeof ret->base_nonce);
    wipe(secret, sizeof secret);
}

int hpke_seal(const uint8_t pub[SEAL_KEY_LEN], struct bytes info, struct bytes aad,
              struct bytes plain, uint8_t ret_enc[HPKE_ENC_LEN], uint8_t *ret_ct)
{
    uint8_t ephemeral[SEAL_KEY_LEN], shared[HASH_LEN];
    struct hpke_context c;
    random_bytes(ephemeral, sizeof ephemeral);
    int err = hpke_encap(ephemeral, pub, ret_enc, shared);
    wipe(ephemeral, sizeof ephemeral);
    if (err)
        return err;
    hpke_key_schedule(&hpke_aes_256_gcm, shared, info, &c);
    aead_seal_with(hpke_aes_256_gcm.aead, c.key, c.base_nonce, aad, plain, ret_ct);
    wipe(shared, sizeof shared);
    wipe(&c, sizeof c);
    return COMITY_OK;
}

int hpke_open(const uint8_t secret[SEAL_KEY_LEN], struct bytes enc, struct bytes info,
              struct bytes aad, struct bytes ct, uint8_t *ret_plain)
{
    uint8_t shared[HASH_LEN];
    struct hpke_context c;
    if (enc.len != HPKE_ENC_LEN)
        return COMITY_E_UNSEAL;
    int err = hpke_decap(secret, enc.data, shared);
    if (err)
        return err == COMITY_E_BAD_KEY ? COMITY_E_UNSEAL : err;
    hpke_key_schedule(&hpke_aes_256_gcm, shared, info, &c);
    err = aead_open_with(hpke_aes_256_gcm.aead, c.key, c.base_nonce, aad, ct, ret_plain);
    wipe(shared, sizeof shared);
    wipe(&c, sizeof c);
    return err;
}
