/* Codes with check characters: published ones pass, and one wrong character never does. */
#include "domain/code.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const usccs[] = {"914403001922038216", "91330100799655058B",
                                    "9144030071526726XG", "91110000802100433B"};
static const char *const gtins[] = {"96385074", "036000291452", "6901234567892", "10614141000415"};

static void assert_words(const struct code_fault *fault, const char *words)
{
    struct buf out = BUF_INIT;
    code_fault_put(&out, fault);
    assert_string_equal(buf_str(&out), words);
    buf_free(&out);
}

static void uscc_published_codes_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(usccs); i++)
        assert_int_equal(code_check_uscc(bytes_of(usccs[i]), NULL), 0);
}

/* Where the sum leaves no rest the check character is '0', not one beyond the alphabet. */
static void check_character_of_an_even_sum_is_zero(void **state)
{
    (void)state;
    assert_int_equal(code_check_uscc(bytes_of("91330106MA27000240"), NULL), 0);
    assert_int_equal(code_check_gtin(bytes_of("6901234567090"), NULL), 0);
}

/* ${check} must refuse every code that differs from ${good} in one byte, whatever that byte is. */
static void assert_corruptions_refused(const char *good,
                                       int (*check)(struct bytes, struct code_fault *), int err)
{
    char bad[32];
    size_t len = strlen(good);
    for (size_t i = 0; i < len; i++)
        for (int c = 0; c < 256; c++) {
            memcpy(bad, good, len);
            bad[i] = (char)c;
            struct code_fault fault = {0};
            int got = check(BYTES(bad, len), &fault);
            if (got != (c == (uint8_t)good[i] ? 0 : err))
                fail_msg("%s with byte %d at %zu: %d", good, c, i, got);
            if (got)
                assert_true(fault.flaw == CODE_FLAW_CHARACTER || fault.flaw == CODE_FLAW_CHECK);
        }
    assert_int_equal(check(BYTES(good, len - 1), NULL), err);
}

static void uscc_every_wrong_character_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(usccs); i++)
        assert_corruptions_refused(usccs[i], code_check_uscc, COMITY_E_USCC);
}

static void uscc_says_what_is_wrong(void **state)
{
    (void)state;
    struct code_fault fault = {0};
    assert_int_equal(code_check_uscc(bytes_of("9144030071526726XX"), &fault), COMITY_E_USCC);
    assert_int_equal(fault.flaw, CODE_FLAW_CHECK);
    assert_words(&fault, "character 18 is 'X', but the others call for 'G'");
    assert_int_equal(code_check_uscc(bytes_of("9144030O71526726XG"), &fault), COMITY_E_USCC);
    assert_words(&fault, "character 8 cannot be 'O'");
    assert_int_equal(code_check_uscc(bytes_of("91A403001922038216"), &fault), COMITY_E_USCC);
    assert_words(&fault, "character 3 cannot be 'A'");
    assert_int_equal(code_check_uscc(bytes_of("9144030A1922038216"), &fault), COMITY_E_USCC);
    assert_words(&fault, "character 8 cannot be 'A'");
    assert_int_equal(code_check_uscc(bytes_of("9133010079965505"), &fault), COMITY_E_USCC);
    assert_words(&fault, "it has 16 characters instead of 18");
    assert_int_equal(code_check_uscc(BYTES_LIT("91330100799655058\n"), &fault), COMITY_E_USCC);
    assert_words(&fault, "character 18 is none that such a code can have");
    assert_int_equal(code_check_uscc(bytes_of("91330100799655058b"), &fault), COMITY_E_USCC);
    assert_int_equal(code_check_uscc(BYTES_NONE, NULL), COMITY_E_USCC);
}

static void gtin_published_codes_of_each_length_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(gtins); i++)
        assert_int_equal(code_check_gtin(bytes_of(gtins[i]), NULL), 0);
}

static void gtin_every_wrong_character_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(gtins); i++)
        assert_corruptions_refused(gtins[i], code_check_gtin, COMITY_E_GTIN);
}

static void gtin_says_what_is_wrong(void **state)
{
    (void)state;
    struct code_fault fault = {0};
    assert_int_equal(code_check_gtin(bytes_of("6901234567890"), &fault), COMITY_E_GTIN);
    assert_words(&fault, "character 13 is '0', but the others call for '2'");
    assert_int_equal(code_check_gtin(bytes_of("69012345678"), &fault), COMITY_E_GTIN);
    assert_words(&fault, "it has 11 characters instead of 8, 12, 13 or 14");
}

static void division_checks_digits_province_and_levels(void **state)
{
    (void)state;
    static const char *const good[] = {"330100", "330106", "110000", "440300",
                                       "441900", "660000", "820000"};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(code_check_division(bytes_of(good[i]), NULL), 0);
    static const struct {
        const char *code;
        const char *words;
    } bad[] = {
        {"", "it has 0 characters instead of 6"},
        {"33010", "it has 5 characters instead of 6"},
        {"3301067", "it has 7 characters instead of 6"},
        {"33O106", "character 3 cannot be 'O'"},
        {"990100", "no province has these first two digits"},
        {"000000", "no province has these first two digits"},
        {"240100", "no province has these first two digits"},
        {"330006", "character 6 cannot be '6'"},
        {"330010", "character 5 cannot be '1'"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct code_fault fault = {0};
        assert_int_equal(code_check_division(bytes_of(bad[i].code), &fault), COMITY_E_DIVISION);
        assert_words(&fault, bad[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uscc_published_codes_pass),
        cmocka_unit_test(check_character_of_an_even_sum_is_zero),
        cmocka_unit_test(uscc_every_wrong_character_is_refused),
        cmocka_unit_test(uscc_says_what_is_wrong),
        cmocka_unit_test(gtin_published_codes_of_each_length_pass),
        cmocka_unit_test(gtin_every_wrong_character_is_refused),
        cmocka_unit_test(gtin_says_what_is_wrong),
        cmocka_unit_test(division_checks_digits_province_and_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
