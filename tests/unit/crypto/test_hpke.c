/* HPKE: RFC 9180's vector step by step, and conversations with an HPKE that we did not write
 * (cross_check.py). */
#include "crypto/hpke_internal.h"

#include "helper.h"

#include <comity/err.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

/* RFC 9180, A.1.1. */
#define SK_E "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"
#define PK_R "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
#define SK_R "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"
#define ENC "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
#define SHARED "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc"

static const struct bytes info = BYTES_LIT("Ode on a Grecian Urn");
static const struct bytes aad = BYTES_LIT("Count-0");
static const struct bytes plain = BYTES_LIT("Beauty is truth, truth beauty");
enum { PLAIN_LEN = sizeof "Beauty is truth, truth beauty" - 1, CT_LEN = PLAIN_LEN + AEAD_TAG_LEN };

static void shared_secret(uint8_t ret[HASH_LEN])
{
    unhex(SHARED, ret, HASH_LEN);
}

static void encap_and_decap_rfc9180_vector(void **state)
{
    (void)state;
    uint8_t ephemeral[SEAL_KEY_LEN], pub[SEAL_KEY_LEN], secret[SEAL_KEY_LEN];
    uint8_t enc[HPKE_ENC_LEN], shared[HASH_LEN];
    unhex(SK_E, ephemeral, sizeof ephemeral);
    unhex(PK_R, pub, sizeof pub);
    unhex(SK_R, secret, sizeof secret);
    assert_int_equal(hpke_encap(ephemeral, pub, enc, shared), 0);
    assert_hex(enc, sizeof enc, ENC);
    assert_hex(shared, sizeof shared, SHARED);
    memset(shared, 0, sizeof shared);
    assert_int_equal(hpke_decap(secret, enc, shared), 0);
    assert_hex(shared, sizeof shared, SHARED);
}

static void key_schedule_and_seal_rfc9180_vector(void **state)
{
    (void)state;
    uint8_t shared[HASH_LEN], ct[CT_LEN], back[PLAIN_LEN];
    struct hpke_context c;
    shared_secret(shared);
    hpke_key_schedule(&hpke_aes_128_gcm, shared, info, &c);
    assert_hex(c.key, 16, "4531685d41d65f03dc48f6b8302c05b0");
    assert_hex(c.base_nonce, sizeof c.base_nonce, "56d890e5accaaf011cff4b7d");
    aead_seal_with(AEAD_AES_128_GCM, c.key, c.base_nonce, aad, plain, ct);
    assert_hex(
        ct, sizeof ct,
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c51"
        "2a");
    assert_int_equal(
        aead_open_with(AEAD_AES_128_GCM, c.key, c.base_nonce, aad, BYTES(ct, sizeof ct), back), 0);
    assert_memory_equal(back, plain.data, sizeof back);
}

/* The same keys under AES-256-GCM; the value is that of cross_check.py, which also yields the one
 * above. */
static void open_aes256_known_answer(void **state)
{
    (void)state;
    uint8_t secret[SEAL_KEY_LEN], enc[HPKE_ENC_LEN], ct[CT_LEN], back[PLAIN_LEN];
    unhex(SK_R, secret, sizeof secret);
    unhex(ENC, enc, sizeof enc);
    unhex("090b7dc225419f7da9e8b460becfbb96a26c7964d79b8010d397fa838530a32a397b14f5776db19ff5e57734"
          "e0",
          ct, sizeof ct);
    assert_int_equal(
        hpke_open(secret, BYTES(enc, sizeof enc), info, aad, BYTES(ct, sizeof ct), back), 0);
    assert_memory_equal(back, plain.data, sizeof back);
}

static void seal_then_open_binds_everything(void **state)
{
    (void)state;
    uint8_t secret[SEAL_KEY_LEN] = {5}, pub[SEAL_KEY_LEN], enc[HPKE_ENC_LEN], enc2[HPKE_ENC_LEN];
    uint8_t ct[CT_LEN], ct2[CT_LEN], back[PLAIN_LEN];
    struct bytes e = BYTES(enc, sizeof enc), c = BYTES(ct, sizeof ct);
    assert_int_equal(seal_public(secret, pub), 0);
    assert_int_equal(hpke_seal(pub, info, aad, plain, enc, ct), 0);
    assert_int_equal(hpke_open(secret, e, info, aad, c, back), 0);
    assert_memory_equal(back, plain.data, sizeof back);

    assert_int_equal(hpke_open(secret, e, aad, aad, c, back), COMITY_E_UNSEAL);
    assert_int_equal(hpke_open(secret, e, info, info, c, back), COMITY_E_UNSEAL);
    assert_int_equal(hpke_open(pub, e, info, aad, c, back), COMITY_E_UNSEAL);
    for (size_t i = 0; i < sizeof ct; i++) {
        ct[i] ^= 4;
        assert_int_equal(hpke_open(secret, e, info, aad, c, back), COMITY_E_UNSEAL);
        ct[i] ^= 4;
    }
    /* The highest bit too, which X25519 itself ignores: enc stands in the key schedule as it came.
     */
    for (size_t i = 0; i < sizeof enc; i++) {
        enc[i] ^= 0x80;
        assert_int_equal(hpke_open(secret, e, info, aad, c, back), COMITY_E_UNSEAL);
        enc[i] ^= 0x80;
    }
    assert_int_equal(hpke_seal(pub, info, aad, plain, enc2, ct2), 0);
    assert_memory_not_equal(enc, enc2, sizeof enc); /* a new ephemeral key a message */
    assert_memory_not_equal(ct, ct2, sizeof ct);
}

static void open_wrong_lengths_and_low_order_enc_are_refused(void **state)
{
    (void)state;
    uint8_t secret[SEAL_KEY_LEN] = {5}, enc[HPKE_ENC_LEN + 1] = {1}, ct[CT_LEN] = {0};
    uint8_t back[PLAIN_LEN];
    struct bytes c = BYTES(ct, sizeof ct);
    for (size_t len = 0; len <= sizeof enc; len++)
        assert_int_equal(hpke_open(secret, BYTES(enc, len), info, aad, c, back), COMITY_E_UNSEAL);
    uint8_t pub[SEAL_KEY_LEN];
    assert_int_equal(seal_public(secret, pub), 0);
    assert_int_equal(hpke_seal(pub, info, aad, plain, enc, ct), 0);
    for (size_t len = 0; len <= sizeof enc; len++)
        assert_int_equal(hpke_open(secret, BYTES(enc, len), info, aad, c, back),
                         len == HPKE_ENC_LEN ? COMITY_OK : COMITY_E_UNSEAL);
    for (size_t len = 0; len < AEAD_TAG_LEN; len++)
        assert_int_equal(
            hpke_open(secret, BYTES(enc, HPKE_ENC_LEN), info, aad, BYTES(ct, len), back),
            COMITY_E_UNSEAL);
}

/* ---- the other implementation ---- */

static bool cross_check(const char *arguments, char *ret_first, char *ret_second, size_t size)
{
    char here[] = __FILE__;
    struct buf command = BUF_INIT;
    buf_printf(&command, "python3 %s/cross_check.py %s 2>/dev/null", dirname(here), arguments);
    FILE *out = popen(buf_str(&command), "r"); /* NOLINT(cert-env33-c): arguments are our own hex */
    buf_free(&command);
    assert_non_null(out);
    bool first = fgets(ret_first, (int)size, out) != NULL;
    bool second = fgets(ret_second, (int)size, out) != NULL;
    int status = pclose(out);
    ret_first[strcspn(ret_first, "\n")] = 0;
    ret_second[strcspn(ret_second, "\n")] = 0;
    return status == 0 && first && (second || ret_second[0] == 0);
}

static void skip_without_python_cryptography(void)
{
    static const char module[] = "cryptography.hazmat.primitives.ciphers.aead";
    char command[128];
    snprintf(command, sizeof command, "python3 -c 'import %s' 2>/dev/null", module);
    FILE *out = popen(command, "r"); /* NOLINT(cert-env33-c) */
    if (!out || pclose(out) != 0)
        skip();
}

static void other_implementation_opens_what_we_seal(void **state)
{
    (void)state;
    skip_without_python_cryptography();
    uint8_t secret[SEAL_KEY_LEN], pub[SEAL_KEY_LEN], enc[HPKE_ENC_LEN], ct[CT_LEN];
    char opened[256] = "", none[256] = "";
    struct buf arguments = BUF_INIT;
    random_bytes(secret, sizeof secret);
    assert_int_equal(seal_public(secret, pub), 0);
    assert_int_equal(hpke_seal(pub, info, aad, plain, enc, ct), 0);
    const struct bytes parts[] = {BYTES(secret, sizeof secret), BYTES(enc, sizeof enc), info, aad,
                                  BYTES(ct, sizeof ct)};
    buf_put_str(&arguments, "open");
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_put_u8(&arguments, ' ');
        text_put_hex(&arguments, parts[i]);
    }
    assert_true(cross_check(buf_str(&arguments), opened, none, sizeof opened));
    assert_hex(plain.data, plain.len, opened);
    buf_free(&arguments);
}

static void we_open_what_the_other_implementation_seals(void **state)
{
    (void)state;
    skip_without_python_cryptography();
    uint8_t theirs[SEAL_KEY_LEN], secret[SEAL_KEY_LEN], pub[SEAL_KEY_LEN];
    uint8_t enc[HPKE_ENC_LEN], ct[CT_LEN], back[PLAIN_LEN];
    char enc_hex[256] = "", ct_hex[256] = "";
    struct buf arguments = BUF_INIT;
    random_bytes(theirs, sizeof theirs);
    random_bytes(secret, sizeof secret);
    assert_int_equal(seal_public(secret, pub), 0);
    const struct bytes parts[] = {BYTES(theirs, sizeof theirs), BYTES(pub, sizeof pub), info, aad,
                                  plain};
    buf_put_str(&arguments, "seal");
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_put_u8(&arguments, ' ');
        text_put_hex(&arguments, parts[i]);
    }
    assert_true(cross_check(buf_str(&arguments), enc_hex, ct_hex, sizeof enc_hex));
    unhex(enc_hex, enc, sizeof enc);
    unhex(ct_hex, ct, sizeof ct);
    assert_int_equal(
        hpke_open(secret, BYTES(enc, sizeof enc), info, aad, BYTES(ct, sizeof ct), back), 0);
    assert_memory_equal(back, plain.data, sizeof back);
    buf_free(&arguments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encap_and_decap_rfc9180_vector),
        cmocka_unit_test(key_schedule_and_seal_rfc9180_vector),
        cmocka_unit_test(open_aes256_known_answer),
        cmocka_unit_test(seal_then_open_binds_everything),
        cmocka_unit_test(open_wrong_lengths_and_low_order_enc_are_refused),
        cmocka_unit_test(other_implementation_opens_what_we_seal),
        cmocka_unit_test(we_open_what_the_other_implementation_seals),
    };
    return cmocka_run_group_tests_name("crypto/hpke", tests, NULL, NULL);
}
