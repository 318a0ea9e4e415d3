/*
 * Self-tests: before anything is hashed, signed or sealed, OpenSSL gives known answers. See
 * crypto_init in hash.h.
 */
#include "crypto/contexts.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"

#include <comity/err.h>
#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

static bool digests_answer(void)
{
    static const uint8_t sha256_abc[HASH_LEN] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                                 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                                 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                                 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const uint8_t sm3_abc[HASH_LEN] = {0x66, 0xc7, 0xf0, 0xf4, 0x62, 0xee, 0xed, 0xd9,
                                              0xd1, 0xf2, 0xd4, 0x6b, 0xdc, 0x10, 0xe4, 0xe2,
                                              0x41, 0x67, 0xc4, 0x87, 0x5c, 0xf2, 0xf7, 0xa2,
                                              0x29, 0x7d, 0xa0, 0x2b, 0x8f, 0x4b, 0xa8, 0xe0};
    struct file_digest *d = file_digest_new();
    if (!d)
        return false;
    struct hash sha256, sm3, parts;
    file_digest_add(d, BYTES_LIT("abc"));
    file_digest_finish(d, &sha256, &sm3);
    file_digest_free(d);
    hash_of(suite_get(SUITE_1), &parts, BYTES_LIT("a"), BYTES_NONE, BYTES_LIT("bc"));
    return memcmp(sha256.b, sha256_abc, HASH_LEN) == 0 && memcmp(sm3.b, sm3_abc, HASH_LEN) == 0 &&
           hash_equal(&sha256, &parts);
}

/* RFC 8032, 7.1, test 1: the empty message. */
static bool signatures_answer(void)
{
    static const uint8_t seed[ED25519_LEN] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
                                              0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
                                              0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
                                              0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    static const uint8_t known[ED25519_SIGNATURE_LEN] = {
        0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80,
        0x6e, 0x82, 0x8a, 0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73,
        0xe0, 0x65, 0x22, 0x49, 0x01, 0x55, 0x5f, 0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b,
        0xac, 0xc6, 0x1e, 0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b, 0xd2, 0x5b, 0xf5, 0xf0,
        0x59, 0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b};
    uint8_t pub[ED25519_LEN], signature[ED25519_SIGNATURE_LEN];
    struct ed25519_key *key = NULL;
    if (ed25519_key_new(seed, pub, &key))
        return false;
    bool good = ed25519_sign(key, BYTES_LIT(""), signature) == COMITY_OK &&
                memcmp(signature, known, sizeof known) == 0 &&
                ed25519_verify(pub, BYTES_LIT(""), known) == COMITY_OK &&
                ed25519_verify(pub, BYTES_LIT("x"), known) == COMITY_E_SIGNATURE;
    ed25519_key_free(key);
    return good;
}

static int result = COMITY_E_INTERNAL;

static void self_test(void)
{
    if (contexts_fetch() && digests_answer() && signatures_answer())
        result = COMITY_OK;
    ERR_clear_error();
}

int crypto_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, self_test) == 0 ? result : COMITY_E_INTERNAL;
}
