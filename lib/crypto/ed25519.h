/*
 * Ed25519 (RFC 8032): the signature that stands under every note. Private to lib/crypto, so that
 * there is no way to sign anything else.
 */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "base/bytes.h"

enum { ED25519_LEN = 32, ED25519_SIGNATURE_LEN = 64 };

struct ed25519_key;

/* From a seed; computes the public key. COMITY_E_NOMEM. */
int ed25519_key_new(const uint8_t seed[ED25519_LEN], uint8_t ret_pub[ED25519_LEN],
                    struct ed25519_key **ret) __attribute__((warn_unused_result));
/* Also wipes it. */
void ed25519_key_free(struct ed25519_key *k);

int ed25519_sign(const struct ed25519_key *k, struct bytes message,
                 uint8_t ret_signature[ED25519_SIGNATURE_LEN]) __attribute__((warn_unused_result));

/* COMITY_E_SIGNATURE when it does not verify. */
int ed25519_verify(const uint8_t pub[ED25519_LEN], struct bytes message,
                   const uint8_t signature[ED25519_SIGNATURE_LEN])
    __attribute__((warn_unused_result));

/*
 * COMITY_OK for the canonical encoding (RFC 8032, 5.1.3) of a point that is on the curve and whose
 * order does not divide 8, COMITY_E_BAD_KEY for any other 32 bytes. OpenSSL takes them all as keys,
 * and under one of low order a signature that nobody made can verify.
 */
int ed25519_public_check(const uint8_t pub[ED25519_LEN]) __attribute__((warn_unused_result));

#endif
