/* Ed25519: RFC 8032's vectors, and the public keys that must not be used. */
#include "crypto/ed25519.h"

#include "crypto/hash.h"
#include "helper.h"

#include <comity/err.h>
#include <string.h>

static void sign_rfc8032_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *seed, *pub, *message, *signature;
    } rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9b4"
         "6bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0f11d"
         "8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "84dc6"
         "594a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t seed[ED25519_LEN], pub[ED25519_LEN], message[2];
        uint8_t signature[ED25519_SIGNATURE_LEN];
        struct bytes text = BYTES(message, strlen(rows[i].message) / 2);
        struct ed25519_key *key = NULL;
        unhex(rows[i].seed, seed, sizeof seed);
        unhex(rows[i].message, message, text.len);
        assert_int_equal(ed25519_key_new(seed, pub, &key), 0);
        assert_hex(pub, sizeof pub, rows[i].pub);
        assert_int_equal(ed25519_public_check(pub), 0);
        assert_int_equal(ed25519_sign(key, text, signature), 0);
        assert_hex(signature, sizeof signature, rows[i].signature);
        ed25519_key_free(key);
        assert_int_equal(ed25519_verify(pub, text, signature), 0);
    }
}

static void verify_any_changed_bit_is_refused(void **state)
{
    (void)state;
    uint8_t seed[ED25519_LEN] = {7}, pub[ED25519_LEN], signature[ED25519_SIGNATURE_LEN];
    struct ed25519_key *key = NULL;
    assert_int_equal(ed25519_key_new(seed, pub, &key), 0);
    assert_int_equal(ed25519_sign(key, BYTES_LIT("message"), signature), 0);
    ed25519_key_free(key);
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 0x10;
        assert_int_equal(ed25519_verify(pub, BYTES_LIT("message"), signature), COMITY_E_SIGNATURE);
        signature[i] ^= 0x10;
    }
    assert_int_equal(ed25519_verify(pub, BYTES_LIT("massage"), signature), COMITY_E_SIGNATURE);
    assert_int_equal(ed25519_verify(pub, BYTES_LIT("message"), signature), COMITY_OK);
}

/* S + L in place of S: a second signature that anybody could make of the first (RFC 8032, 5.1.7).
 */
static void verify_second_spelling_of_a_signature_is_refused(void **state)
{
    (void)state;
    uint8_t order[32], seed[ED25519_LEN] = {7}, pub[ED25519_LEN];
    uint8_t signature[ED25519_SIGNATURE_LEN];
    struct ed25519_key *key = NULL;
    unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", order, sizeof order);
    assert_int_equal(ed25519_key_new(seed, pub, &key), 0);
    assert_int_equal(ed25519_sign(key, BYTES_LIT("message"), signature), 0);
    ed25519_key_free(key);
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof order; i++) {
        carry += signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(ed25519_verify(pub, BYTES_LIT("message"), signature), COMITY_E_SIGNATURE);
}

/* All 14 strings of 32 bytes that decode, leniently, to one of the eight points whose order
 * divides 8. */
static const char *const small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000", /* 1: the identity */
    "0100000000000000000000000000000000000000000000000000000000000080", /* with a needless sign */
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* -1: order 2 */
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000", /* 0: order 4 */
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p for 0 */
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 1 for 1 */
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void public_key_of_small_order_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(small_order); i++) {
        uint8_t pub[ED25519_LEN];
        unhex(small_order[i], pub, sizeof pub);
        assert_int_equal(ed25519_public_check(pub), COMITY_E_BAD_KEY);
    }
}

/* Why: R = B, S = 1 is a signature of everything under the identity, and OpenSSL says so. */
static void identity_key_verifies_any_text(void **state)
{
    (void)state;
    uint8_t identity[ED25519_LEN] = {1}, forged[ED25519_SIGNATURE_LEN] = {0};
    unhex("5866666666666666666666666666666666666666666666666666666666666666", forged, 32);
    forged[32] = 1;
    assert_int_equal(ed25519_verify(identity, BYTES_LIT("I never said this"), forged), COMITY_OK);
    assert_int_equal(ed25519_public_check(identity), COMITY_E_BAD_KEY);
}

static void public_key_not_canonical_is_refused(void **state)
{
    (void)state;
    for (int k = 0; k < 19; k++) {
        uint8_t pub[ED25519_LEN];
        memset(pub, 0xff, sizeof pub);
        pub[0] = (uint8_t)(0xed + k); /* p + k, for which k could stand */
        assert_int_equal(ed25519_public_check(pub), COMITY_E_BAD_KEY);
        pub[31] = 0x7f;
        assert_int_equal(ed25519_public_check(pub), COMITY_E_BAD_KEY);
    }
}

/* The y from 2 to 19 to which there is an x; computed apart, with Euler's criterion. */
static void public_key_not_on_the_curve_is_refused(void **state)
{
    (void)state;
    static const bool on_curve[20] = {
        [3] = true,  [4] = true,  [5] = true,  [6] = true,  [9] = true, [10] = true,
        [14] = true, [15] = true, [16] = true, [18] = true, [19] = true};
    for (uint8_t y = 2; y < COUNT(on_curve); y++) {
        uint8_t pub[ED25519_LEN] = {y};
        assert_int_equal(ed25519_public_check(pub), on_curve[y] ? 0 : COMITY_E_BAD_KEY);
        pub[31] = 0x80;
        assert_int_equal(ed25519_public_check(pub), on_curve[y] ? 0 : COMITY_E_BAD_KEY);
    }
}

static void public_key_of_any_seed_is_accepted(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        uint8_t seed[ED25519_LEN], pub[ED25519_LEN];
        struct ed25519_key *key = NULL;
        random_bytes(seed, sizeof seed);
        assert_int_equal(ed25519_key_new(seed, pub, &key), 0);
        ed25519_key_free(key);
        assert_int_equal(ed25519_public_check(pub), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_rfc8032_vectors),
        cmocka_unit_test(verify_any_changed_bit_is_refused),
        cmocka_unit_test(verify_second_spelling_of_a_signature_is_refused),
        cmocka_unit_test(public_key_of_small_order_is_refused),
        cmocka_unit_test(identity_key_verifies_any_text),
        cmocka_unit_test(public_key_not_canonical_is_refused),
        cmocka_unit_test(public_key_not_on_the_curve_is_refused),
        cmocka_unit_test(public_key_of_any_seed_is_accepted),
    };
    return cmocka_run_group_tests_name("crypto/ed25519", tests, NULL, NULL);
}
