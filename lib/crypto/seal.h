/*
 * Sealing: authenticated encryption, key derivation, and HPKE (RFC 9180, base mode).
 *
 * The HPKE code is written over the AEAD, so that the published vectors of AES-128-GCM test all of
 * it but the key length. What is sealed for whom, and what binds it, is lib/wire's.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "crypto/hash.h"

enum {
    SEAL_KEY_LEN = 32,
    AEAD_KEY_LEN = 32,
    AEAD_NONCE_LEN = 12,
    AEAD_TAG_LEN = 16,
    HPKE_ENC_LEN = 32
};

/*
 * AES-256-GCM: ${out} receives plain.len + AEAD_TAG_LEN bytes. May not overlap. Each thread keeps
 * its context, as for hashing, and the last key stays in it until the next call or the thread's
 * end; cannot fail.
 */
void aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
               struct bytes aad, struct bytes plain, uint8_t *out);
/*
 * Opens into ${out} (sealed.len - AEAD_TAG_LEN bytes, which may be zeroed on failure);
 * COMITY_E_UNSEAL when it does not authenticate.
 */
int aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
              struct bytes aad, struct bytes sealed, uint8_t *out)
    __attribute__((warn_unused_result));

/* RFC 5869 HKDF-Expand with SHA-256, ${len} at most 255·32. */
void hkdf_expand(struct bytes prk, struct bytes info, uint8_t *out, size_t len);

/* X25519 key pairs. The secret is any 32 bytes (clamped in use, RFC 7748). */
int seal_public(const uint8_t secret[SEAL_KEY_LEN], uint8_t ret_pub[SEAL_KEY_LEN])
    __attribute__((warn_unused_result));
/* COMITY_E_BAD_KEY for a public key of low order. */
int seal_public_check(const uint8_t pub[SEAL_KEY_LEN]) __attribute__((warn_unused_result));

/*
 * HPKE base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, one message (sequence 0):
 * ${ret_enc} and plain.len + AEAD_TAG_LEN bytes at ${ret_ct}. COMITY_E_BAD_KEY for a public key of
 * low order.
 */
int hpke_seal(const uint8_t pub[SEAL_KEY_LEN], struct bytes info, struct bytes aad,
              struct bytes plain, uint8_t ret_enc[HPKE_ENC_LEN], uint8_t *ret_ct)
    __attribute__((warn_unused_result));
/* COMITY_E_UNSEAL when it does not open; ${ret_plain} (ct.len - AEAD_TAG_LEN bytes) may be zeroed
 * then. */
int hpke_open(const uint8_t secret[SEAL_KEY_LEN], struct bytes enc, struct bytes info,
              struct bytes aad, struct bytes ct, uint8_t *ret_plain)
    __attribute__((warn_unused_result));

#endif
