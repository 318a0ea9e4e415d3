/* AES-GCM, HKDF and X25519 against their published vectors. */
#include "crypto/seal.h"

#include "crypto/hpke_internal.h"
#include "helper.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16. */
static const struct {
    const char *key, *nonce, *aad, *plain, *sealed;
} gcm[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b"
     "525"
     "b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828"
     "838"
     "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

static void aead_published_vectors_in_any_order(void **state)
{
    (void)state;
    /* Round and round, so that a kept context is seen to take over nothing from the message before.
     */
    for (size_t round = 0; round < 3 * COUNT(gcm); round++) {
        size_t i = round * 2 % COUNT(gcm);
        uint8_t key[AEAD_KEY_LEN], nonce[AEAD_NONCE_LEN], aad[20], plain[64], out[80], back[64];
        struct bytes a = BYTES(aad, strlen(gcm[i].aad) / 2);
        struct bytes p = BYTES(plain, strlen(gcm[i].plain) / 2);
        unhex(gcm[i].key, key, sizeof key);
        unhex(gcm[i].nonce, nonce, sizeof nonce);
        unhex(gcm[i].aad, aad, a.len);
        unhex(gcm[i].plain, plain, p.len);
        aead_seal(key, nonce, a, p, out);
        assert_hex(out, p.len + AEAD_TAG_LEN, gcm[i].sealed);
        assert_int_equal(aead_open(key, nonce, a, BYTES(out, p.len + AEAD_TAG_LEN), back), 0);
        assert_memory_equal(back, plain, p.len);
    }
}

static void aead_open_any_changed_byte_is_refused(void **state)
{
    (void)state;
    uint8_t key[AEAD_KEY_LEN] = {1}, nonce[AEAD_NONCE_LEN] = {2}, sealed[5 + AEAD_TAG_LEN], out[5];
    struct bytes all = BYTES(sealed, sizeof sealed), aad = BYTES_LIT("aad");
    aead_seal(key, nonce, aad, BYTES_LIT("plain"), sealed);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        memset(out, 'x', sizeof out);
        assert_int_equal(aead_open(key, nonce, aad, all, out), COMITY_E_UNSEAL);
        assert_hex(out, sizeof out, "0000000000"); /* nothing unauthenticated is left behind */
        sealed[i] ^= 1;
    }
    assert_int_equal(aead_open(key, nonce, BYTES_LIT("aaa"), all, out), COMITY_E_UNSEAL);
    assert_int_equal(aead_open(key, nonce, BYTES_NONE, all, out), COMITY_E_UNSEAL);
    for (size_t len = 0; len < sizeof sealed; len++)
        assert_int_equal(aead_open(key, nonce, aad, BYTES(sealed, len), out), COMITY_E_UNSEAL);
    nonce[11] ^= 1;
    assert_int_equal(aead_open(key, nonce, aad, all, out), COMITY_E_UNSEAL);
    nonce[11] ^= 1;
    key[31] ^= 1;
    assert_int_equal(aead_open(key, nonce, aad, all, out), COMITY_E_UNSEAL);
    key[31] ^= 1;
    assert_int_equal(aead_open(key, nonce, aad, all, out), 0);
    assert_memory_equal(out, "plain", 5);
}

static void aead_large_block_round_trips(void **state)
{
    (void)state;
    enum { LEN = 262128 };
    uint8_t key[AEAD_KEY_LEN] = {1}, nonce[AEAD_NONCE_LEN] = {0};
    uint8_t *plain = malloc(LEN), *sealed = malloc(LEN + AEAD_TAG_LEN), *back = malloc(LEN);
    assert_true(plain && sealed && back);
    memset(plain, 0x5a, LEN);
    aead_seal(key, nonce, BYTES_NONE, BYTES(plain, LEN), sealed);
    assert_int_equal(aead_open(key, nonce, BYTES_NONE, BYTES(sealed, LEN + AEAD_TAG_LEN), back), 0);
    assert_memory_equal(back, plain, LEN);
    free(plain);
    free(sealed);
    free(back);
}

static void hkdf_expand_rfc5869_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *prk, *info, *okm;
    } rows[] = {
        {"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbd"
         "cdddedf"
         "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65"
         "e590e09"
         "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t prk[HASH_LEN], info[80], okm[82];
        struct bytes in = BYTES(info, strlen(rows[i].info) / 2);
        size_t len = strlen(rows[i].okm) / 2;
        unhex(rows[i].prk, prk, sizeof prk);
        unhex(rows[i].info, info, in.len);
        hkdf_expand(BYTES(prk, sizeof prk), in, okm, len);
        assert_hex(okm, len, rows[i].okm);
    }
}

static void hkdf_expand_shorter_is_a_prefix_up_to_the_longest(void **state)
{
    (void)state;
    enum { MAX = 255 * HASH_LEN };
    static uint8_t longest[MAX], shorter[MAX + 1];
    uint8_t prk[HASH_LEN] = {9};
    hkdf_expand(BYTES(prk, sizeof prk), BYTES_LIT("info"), longest, MAX);
    for (size_t len = 0; len < MAX; len += 97) {
        shorter[len] = 0xee;
        hkdf_expand(BYTES(prk, sizeof prk), BYTES_LIT("info"), shorter, len);
        assert_memory_equal(shorter, longest, len);
        assert_int_equal(shorter[len], 0xee);
    }
}

static void x25519_rfc7748_vectors(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
        {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
         "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
         "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
    };
    uint8_t secret[SEAL_KEY_LEN], peer[SEAL_KEY_LEN], pub[SEAL_KEY_LEN], shared[SEAL_KEY_LEN];
    for (size_t i = 0; i < COUNT(rows); i++) {
        unhex(rows[i][0], secret, sizeof secret);
        unhex(rows[i][1], peer, sizeof peer);
        assert_int_equal(x25519(secret, peer, pub, shared), 0);
        assert_hex(shared, sizeof shared, rows[i][2]);
        assert_int_equal(seal_public_check(peer), 0);
    }
    assert_int_equal(seal_public(secret, pub), 0);
    assert_hex(pub, sizeof pub, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

/* The coordinates u of the points whose order divides 8 on the curve or its twist, and their other
 * spellings. */
static void seal_public_check_low_order_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t pub[SEAL_KEY_LEN], enc[HPKE_ENC_LEN], ct[AEAD_TAG_LEN + 1];
        unhex(rows[i], pub, sizeof pub);
        for (int high = 0; high < 2; high++, pub[31] |= 0x80) {
            assert_int_equal(seal_public_check(pub), COMITY_E_BAD_KEY);
            assert_int_equal(hpke_seal(pub, BYTES_NONE, BYTES_NONE, BYTES_LIT("x"), enc, ct),
                             COMITY_E_BAD_KEY);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aead_published_vectors_in_any_order),
        cmocka_unit_test(aead_open_any_changed_byte_is_refused),
        cmocka_unit_test(aead_large_block_round_trips),
        cmocka_unit_test(hkdf_expand_rfc5869_vectors),
        cmocka_unit_test(hkdf_expand_shorter_is_a_prefix_up_to_the_longest),
        cmocka_unit_test(x25519_rfc7748_vectors),
        cmocka_unit_test(seal_public_check_low_order_is_refused),
    };
    return cmocka_run_group_tests_name("crypto/seal", tests, NULL, NULL);
}
