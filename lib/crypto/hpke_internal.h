/*
 * What HPKE is made of, so that tests can put published vectors through each step. Private to
 * lib/crypto.
 *
 * Names are those of RFC 9180: encapsulation makes a shared secret for a public key, the key
 * schedule turns it into a key and a nonce.
 */
#ifndef CRYPTO_HPKE_INTERNAL_H
#define CRYPTO_HPKE_INTERNAL_H

#include "crypto/contexts.h"
#include "crypto/seal.h"

/* As aead_seal and aead_open, with the algorithm named; its key has hpke_suite.key_len bytes. */
void aead_seal_with(enum aead_alg alg, const uint8_t *key, const uint8_t nonce[AEAD_NONCE_LEN],
                    struct bytes aad, struct bytes plain, uint8_t *out);
int aead_open_with(enum aead_alg alg, const uint8_t *key, const uint8_t nonce[AEAD_NONCE_LEN],
                   struct bytes aad, struct bytes sealed, uint8_t *out)
    __attribute__((warn_unused_result));

/* HMAC-SHA-256 (RFC 2104) of the parts, one after the other. An empty key stands for zeros. */
void hmac_parts(struct bytes key, const struct bytes *parts, size_t n, uint8_t ret[HASH_LEN]);

/*
 * RFC 7748: the public key of ${secret}, and what it shares with ${peer}. COMITY_E_BAD_KEY when
 * that is zero, as it is for every ${peer} of low order.
 */
int x25519(const uint8_t secret[SEAL_KEY_LEN], const uint8_t peer[SEAL_KEY_LEN],
           uint8_t ret_pub[SEAL_KEY_LEN], uint8_t ret_shared[SEAL_KEY_LEN])
    __attribute__((warn_unused_result));

struct hpke_suite {
    uint16_t aead_id;
    enum aead_alg aead;
    size_t key_len;
};

extern const struct hpke_suite hpke_aes_128_gcm;
extern const struct hpke_suite hpke_aes_256_gcm;

struct hpke_context {
    uint8_t key[AEAD_KEY_LEN]; /* the first key_len bytes */
    uint8_t base_nonce[AEAD_NONCE_LEN];
};

/* 4.1: Encap with ${ephemeral} as the sender's secret. COMITY_E_BAD_KEY. */
int hpke_encap(const uint8_t ephemeral[SEAL_KEY_LEN], const uint8_t pub[SEAL_KEY_LEN],
               uint8_t ret_enc[HPKE_ENC_LEN], uint8_t ret_shared[HASH_LEN])
    __attribute__((warn_unused_result));
/* 4.1: Decap. COMITY_E_BAD_KEY. */
int hpke_decap(const uint8_t secret[SEAL_KEY_LEN], const uint8_t enc[HPKE_ENC_LEN],
               uint8_t ret_shared[HASH_LEN]) __attribute__((warn_unused_result));
/* 5.1: KeySchedule in base mode. */
void hpke_key_schedule(const struct hpke_suite *suite, const uint8_t shared[HASH_LEN],
                       struct bytes info, struct hpke_context *ret);

#endif
