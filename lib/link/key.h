/*
 * CURVE keys (X25519): 32 raw bytes everywhere in Comity. Z85 (ZeroMQ RFC 32) stays inside this
 * module.
 *
 * All functions are safe from any thread. Secrets pass through the stack and are wiped there.
 */
#ifndef LINK_KEY_H
#define LINK_KEY_H

#include <stdint.h>

enum { LINK_KEY_LEN = 32, LINK_KEY_TEXT_LEN = 64 };

/* A new pair. COMITY_E_UNSUPPORTED when libzmq has no CURVE. */
int link_key_new(uint8_t ret_secret[LINK_KEY_LEN], uint8_t ret_public[LINK_KEY_LEN])
    __attribute__((warn_unused_result));

/* The public key of ${secret}. COMITY_E_BAD_KEY for a secret of zeros only. */
int link_key_public(const uint8_t secret[LINK_KEY_LEN], uint8_t ret_public[LINK_KEY_LEN])
    __attribute__((warn_unused_result));

/* ${key} as 64 digits of lower-case hex with an end mark: for logs, and the form of the User-Id. */
void link_key_to_text(const uint8_t key[LINK_KEY_LEN], char ret_text[LINK_KEY_TEXT_LEN + 1]);

#endif
