/* CURVE keys: derivation and text. */
#include "base/text.h"
#include "rig.h"

/* RFC 7748, section 6.1: Alice and Bob. */
static void key_public_rfc7748_vectors_match(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
        {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
         "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t secret[32];
        uint8_t public[32];
        char text[LINK_KEY_TEXT_LEN + 1];
        assert_int_equal(text_get_hex(bytes_of(rows[i][0]), secret, 32), 0);
        assert_err(link_key_public(secret, public), COMITY_OK);
        link_key_to_text(public, text);
        assert_string_equal(text, rows[i][1]);
    }
}

static void key_new_pair_belongs_together(void **state)
{
    (void)state;
    uint8_t secret[32], public[32], derived[32], other[32], other_public[32];
    assert_err(link_key_new(secret, public), COMITY_OK);
    assert_err(link_key_public(secret, derived), COMITY_OK);
    assert_memory_equal(public, derived, 32);
    assert_err(link_key_new(other, other_public), COMITY_OK);
    assert_memory_not_equal(secret, other, 32);
}

static void key_secret_of_zeros_is_refused_and_nothing_touched(void **state)
{
    (void)state;
    const uint8_t zeros[32] = {0};
    uint8_t public[32] = {9};
    assert_err(link_key_public(zeros, public), COMITY_E_BAD_KEY);
    assert_int_equal(public[0], 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_public_rfc7748_vectors_match),
        cmocka_unit_test(key_new_pair_belongs_together),
        cmocka_unit_test(key_secret_of_zeros_is_refused_and_nothing_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
