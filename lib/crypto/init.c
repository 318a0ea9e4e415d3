/*
 * Self-tests: before anything is hashed, signed or sealed, OpenSSL gives known answers. See
 * crypto_init in hash.h.
 */
#include "crypto/contexts.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/hpke_internal.h"

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

/* McGrew and Viega's GCM paper, test cases 1 and 14: a zero key, a zero nonce; one block of zeros
 * under 256 bits. */
static bool aead_answers(void)
{
    static const uint8_t zero[AEAD_KEY_LEN];
    static const uint8_t known_128[AEAD_TAG_LEN] = {0x58, 0xe2, 0xfc, 0xce, 0xfa, 0x7e, 0x30, 0x61,
                                                    0x36, 0x7f, 0x1d, 0x57, 0xa4, 0xe7, 0x45, 0x5a};
    static const uint8_t known_256[16 + AEAD_TAG_LEN] = {
        0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5,
        0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99,
        0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    uint8_t tag[AEAD_TAG_LEN], sealed[sizeof known_256], plain[16] = {1};
    aead_seal_with(AEAD_AES_128_GCM, zero, zero, BYTES_NONE, BYTES_NONE, tag);
    aead_seal(zero, zero, BYTES_NONE, BYTES(zero, 16), sealed);
    return memcmp(tag, known_128, sizeof tag) == 0 &&
           memcmp(sealed, known_256, sizeof sealed) == 0 &&
           aead_open(zero, zero, BYTES_NONE, BYTES(sealed, sizeof sealed), plain) == COMITY_OK &&
           memcmp(plain, zero, sizeof plain) == 0 &&
           aead_open(zero, zero, BYTES_LIT("x"), BYTES(sealed, sizeof sealed), plain) ==
               COMITY_E_UNSEAL;
}

/* RFC 4231, test case 2. */
static bool hmac_answers(void)
{
    static const uint8_t known[HASH_LEN] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                            0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
                                            0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
                                            0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    const struct bytes parts[] = {BYTES_LIT("what do ya want "), BYTES_LIT("for nothing?")};
    uint8_t mac[HASH_LEN];
    hmac_parts(BYTES_LIT("Jefe"), parts, 2, mac);
    return memcmp(mac, known, sizeof mac) == 0;
}

/* RFC 7748, 6.1: Alice's secret and Bob's public key. */
static bool agreement_answers(void)
{
    static const uint8_t secret[SEAL_KEY_LEN] = {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
                                                 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
                                                 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
                                                 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
    static const uint8_t peer[SEAL_KEY_LEN] = {0xde, 0x9e, 0xdb, 0x7d, 0x7b, 0x7d, 0xc1, 0xb4,
                                               0xd3, 0x5b, 0x61, 0xc2, 0xec, 0xe4, 0x35, 0x37,
                                               0x3f, 0x83, 0x43, 0xc8, 0x5b, 0x78, 0x67, 0x4d,
                                               0xad, 0xfc, 0x7e, 0x14, 0x6f, 0x88, 0x2b, 0x4f};
    static const uint8_t known[SEAL_KEY_LEN] = {0x4a, 0x5d, 0x9d, 0x5b, 0xa4, 0xce, 0x2d, 0xe1,
                                                0x72, 0x8e, 0x3b, 0xf4, 0x80, 0x35, 0x0f, 0x25,
                                                0xe0, 0x7e, 0x21, 0xc9, 0x47, 0xd1, 0x9e, 0x33,
                                                0x76, 0xf0, 0x9b, 0x3c, 0x1e, 0x16, 0x17, 0x42};
    static const uint8_t low_order[SEAL_KEY_LEN] = {1};
    uint8_t pub[SEAL_KEY_LEN], shared[SEAL_KEY_LEN];
    return x25519(secret, peer, pub, shared) == COMITY_OK &&
           memcmp(shared, known, sizeof shared) == 0 &&
           seal_public_check(low_order) == COMITY_E_BAD_KEY;
}

static int result = COMITY_E_INTERNAL;

static void self_test(void)
{
    if (contexts_fetch() && digests_answer() && signatures_answer() && aead_answers() &&
        hmac_answers() && agreement_answers())
        result = COMITY_OK;
    ERR_clear_error();
}

int crypto_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, self_test) == 0 ? result : COMITY_E_INTERNAL;
}
