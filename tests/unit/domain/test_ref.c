/* Places in ledgers, roles, and the words for numbers. */
#include "domain/ref.h"

#include "domain/record.h"
#include "domain/role.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void ref_text_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *member;
        uint32_t generation;
        uint64_t index;
    } rows[] = {
        {"330100-001/1042", "330100-001", 1, 1042},
        {"330100-001.2/17", "330100-001", 2, 17},
        {"330100-001.4294967295/18446744073709551615", "330100-001", UINT32_MAX, UINT64_MAX},
        {"hub/0", "hub", 1, 0},
        {"1042", "", 1, 1042},
        {"0", "", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ref r = {0};
        struct buf out = BUF_INIT;
        assert_int_equal(ref_get(bytes_of(rows[i].text), &r), 0);
        assert_true(bytes_is(r.member, rows[i].member));
        assert_true(r.generation == rows[i].generation && r.index == rows[i].index);
        ref_put(&out, &r);
        assert_string_equal(buf_str(&out), rows[i].text);
        buf_free(&out);
    }
}

static void ref_second_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "/",
                                      "/1",
                                      "330100-001",
                                      "330100-001/",
                                      "330100-001/01",
                                      "330100-001/-1",
                                      "330100-001/1/2",
                                      "330100-001.1/2",
                                      "330100-001.02/2",
                                      "330100-001./2",
                                      "330100-001.4294967296/2",
                                      "33010-001/2",
                                      "authority/2",
                                      "Hub/2",
                                      " 1",
                                      "1 ",
                                      "18446744073709551616",
                                      "cn-samr/330100-001/2"};
    struct ref r = {.index = 77};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ref_get(bytes_of(bad[i]), &r) != COMITY_E_REF)
            fail_msg("'%s' was taken", bad[i]);
    assert_true(r.index == 77);
}

static void ref_of_a_record_and_back_to_its_origin(void **state)
{
    (void)state;
    struct record_ref place = {.origin = bytes_of("cn-samr/330100-001.3"), .index = 9};
    struct ref r = {0};
    struct buf out = BUF_INIT;
    assert_int_equal(ref_of(&place, &r), 0);
    ref_put(&out, &r);
    assert_string_equal(buf_str(&out), "330100-001.3/9");
    buf_reset(&out);
    ref_put_origin(&out, bytes_of("cn-samr"), &r);
    assert_string_equal(buf_str(&out), "cn-samr/330100-001.3");
    buf_free(&out);
    place.origin = bytes_of("330100-001");
    assert_int_equal(ref_of(&place, &r), COMITY_E_REF);
}

static void signature_role_needs_its_key_role(void **state)
{
    (void)state;
    /* rows: the three signature roles; columns: key roles 1 to 4 */
    static const int expected[3][4] = {{0, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}};
    for (uint32_t s = SIGNATURE_COLLECTOR; s <= SIGNATURE_REVIEWER; s++)
        for (uint32_t k = ROLE_OFFICER; k <= ROLE_AUDITOR; k++)
            assert_int_equal(signature_role_check(s, &k, 1),
                             expected[s - 1][k - 1] ? COMITY_E_ROLE : 0);
    static const uint32_t several[] = {ROLE_AUDITOR, ROLE_REVIEWER, 99};
    assert_int_equal(signature_role_check(SIGNATURE_REVIEWER, several, 3), 0);
    assert_int_equal(signature_role_check(SIGNATURE_COLLECTOR, several, 3), COMITY_E_ROLE);
    assert_int_equal(signature_role_check(SIGNATURE_COLLECTOR, NULL, 0), COMITY_E_ROLE);
    assert_int_equal(signature_role_check(0, several, 3), COMITY_E_INVALID);
    assert_int_equal(signature_role_check(4, several, 3), COMITY_E_INVALID);
}

static void role_tokens_come_back(void **state)
{
    (void)state;
    uint32_t role = 0;
    for (uint32_t i = 1; i <= 4; i++) {
        assert_int_equal(key_role_get(bytes_of(key_role_token(i)), &role), 0);
        assert_int_equal(role, i);
    }
    assert_null(key_role_token(0));
    assert_null(key_role_token(5));
    assert_null(signature_role_token(4));
    assert_int_equal(key_role_get(bytes_of("collector"), &role), COMITY_E_INVALID);
    assert_string_equal(key_role_token(ROLE_OFFICER), "officer");
    assert_string_equal(signature_role_token(SIGNATURE_COLLECTOR), "collector");
}

static void record_terms_are_numbered_from_one(void **state)
{
    (void)state;
    static const size_t counts[] = {3, 8, 2, 3, 4};
    for (int v = TERMS_RECORD_KIND; v <= TERMS_DECISION; v++) {
        size_t count = 0;
        const struct record_term *terms = record_terms((enum record_vocabulary)v, &count);
        assert_int_equal(count, counts[v]);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(terms[i].number, i + 1);
            assert_ptr_equal(record_term((enum record_vocabulary)v, (uint32_t)i + 1), &terms[i]);
            assert_ptr_equal(record_term_named((enum record_vocabulary)v, bytes_of(terms[i].token)),
                             &terms[i]);
        }
        assert_null(record_term((enum record_vocabulary)v, 0));
        assert_string_equal(record_token((enum record_vocabulary)v, (uint32_t)count + 1),
                            "UNKNOWN");
        assert_null(record_term_named((enum record_vocabulary)v, bytes_of("UNKNOWN")));
    }
    assert_string_equal(record_term(TERMS_EVIDENCE_KIND, EVIDENCE_ELECTRONIC)->zh, "电子数据");
    assert_string_equal(record_token(TERMS_DECISION, DECISION_SUPPLEMENT), "SUPPLEMENT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ref_text_comes_back),
        cmocka_unit_test(ref_second_spelling_is_refused),
        cmocka_unit_test(ref_of_a_record_and_back_to_its_origin),
        cmocka_unit_test(signature_role_needs_its_key_role),
        cmocka_unit_test(role_tokens_come_back),
        cmocka_unit_test(record_terms_are_numbered_from_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
