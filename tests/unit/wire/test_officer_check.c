/*
 * Officers' signatures: what must be refused, one bend at a time.
 */
#include "wire/officer_check.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORIGIN "net/330100-001"
#define LICENCE "A0042"

struct fixture {
    struct note_signer *officer;
    struct buf enrolment;
    struct buf signature;
    struct officer_key key;
    struct officer_subject subject;
};

static void sign_enrolment(struct fixture *f, const char *origin)
{
    struct buf text = BUF_INIT;
    const struct officer_enrolment e = {.origin = bytes_of(origin),
                                        .name = BYTES_LIT("Li"),
                                        .licence = BYTES_LIT(LICENCE),
                                        .key = *note_signer_public(f->officer)};
    buf_reset(&f->enrolment);
    assert_int_equal(officer_put_text(&text, &e), 0);
    assert_int_equal(note_sign(f->officer, buf_bytes(&text), &f->enrolment), 0);
    buf_free(&text);
}

static void sign_record(struct fixture *f, enum signature_role role)
{
    struct buf text = BUF_INIT;
    const struct officer_signature s = {.origin = BYTES_LIT(ORIGIN),
                                        .licence = BYTES_LIT(LICENCE),
                                        .role = role,
                                        .record_kind = 2,
                                        .record_hash = {{7}},
                                        .time_ms = INT64_C(1800000000000)};
    buf_reset(&f->signature);
    assert_int_equal(officer_signature_put_text(&text, &s), 0);
    assert_int_equal(note_sign(f->officer, buf_bytes(&text), &f->signature), 0);
    buf_free(&text);
}

static int read_key(struct fixture *f, const uint32_t *roles, size_t n, size_t notes)
{
    const struct bytes note[2] = {buf_bytes(&f->enrolment), buf_bytes(&f->enrolment)};
    const struct body body = {.notes = note, .note_count = notes, .roles = roles, .role_count = n};
    return officer_key_read(BYTES_LIT(ORIGIN), 3, &body, &f->key);
}

static int check(struct fixture *f)
{
    const struct bytes note = buf_bytes(&f->signature);
    const struct body body = {.notes = &note, .note_count = 1};
    return officer_check(&f->subject, &body, &f->key, 1);
}

static int setup(void **state)
{
    static const uint32_t officer[] = {ROLE_OFFICER};
    struct fixture *f = calloc(1, sizeof *f);
    uint8_t seed[32] = {9};
    assert_int_equal(crypto_init(), 0);
    assert_int_equal(note_signer_new(ORIGIN "/officer/" LICENCE, seed, &f->officer), 0);
    sign_enrolment(f, ORIGIN);
    sign_record(f, SIGNATURE_COLLECTOR);
    assert_int_equal(read_key(f, officer, 1, 1), 0);
    f->subject = (struct officer_subject){.origin = BYTES_LIT(ORIGIN),
                                          .index = 10,
                                          .record_kind = 2,
                                          .has_record_hash = true,
                                          .record_hash = {{7}}};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    note_signer_free(f->officer);
    buf_free(&f->enrolment);
    buf_free(&f->signature);
    free(f);
    return 0;
}

static void signature_of_an_enrolled_officer_verifies(void **state)
{
    assert_int_equal(check(*state), 0);
}

static void signature_under_another_record_is_refused(void **state)
{
    struct fixture *f = *state;
    f->subject.record_hash.b[0] = 8;
    assert_int_equal(check(f), COMITY_E_SIGNATURE);
    f->subject.has_record_hash = false; /* the record is not at hand */
    assert_int_equal(check(f), 0);
    f->subject.has_record_hash = true;
    f->subject.record_hash.b[0] = 7;
    f->subject.record_kind = 1;
    assert_int_equal(check(f), COMITY_E_SIGNATURE);
}

static void signature_of_another_bureau_is_refused(void **state)
{
    struct fixture *f = *state;
    f->subject.origin = BYTES_LIT("net/440300-001");
    assert_int_equal(check(f), COMITY_E_SIGNATURE);
}

static void key_that_is_not_enrolled_before_the_entry_is_unknown(void **state)
{
    struct fixture *f = *state;
    f->subject.index = 3; /* the KEY entry itself stands there */
    assert_int_equal(check(f), COMITY_E_UNKNOWN_KEY);
    f->subject.index = 10;
    f->key.is_retired = true;
    assert_int_equal(check(f), COMITY_E_UNKNOWN_KEY);
    f->key.is_retired = false;
    f->key.origin = BYTES_LIT("net/440300-001");
    assert_int_equal(check(f), COMITY_E_UNKNOWN_KEY);
}

static void role_that_was_not_given_is_refused(void **state)
{
    struct fixture *f = *state;
    static const uint32_t reviewer[] = {ROLE_REVIEWER};
    assert_int_equal(read_key(f, reviewer, 1, 1), 0);
    assert_int_equal(check(f), COMITY_E_ROLE);
    sign_record(f, SIGNATURE_REVIEWER);
    assert_int_equal(check(f), 0);
}

static void forged_signature_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t seed[32] = {10};
    note_signer_free(f->officer);
    assert_int_equal(note_signer_new(ORIGIN "/officer/" LICENCE, seed, &f->officer), 0);
    sign_record(f, SIGNATURE_COLLECTOR);
    assert_int_not_equal(check(f), 0);
    buf_reset(&f->signature);
    buf_put_str(&f->signature, "no note");
    assert_int_equal(check(f), COMITY_E_MALFORMED);
}

static void key_entry_must_hold_one_enrolment_of_its_own_ledger(void **state)
{
    struct fixture *f = *state;
    static const uint32_t bad[] = {9};
    static const uint32_t good[] = {ROLE_OFFICER, ROLE_APPROVER};
    assert_int_equal(read_key(f, good, 2, 0), COMITY_E_MALFORMED);
    assert_int_equal(read_key(f, good, 2, 2), COMITY_E_MALFORMED);
    assert_int_equal(read_key(f, bad, 1, 1), COMITY_E_ROLE);
    assert_int_equal(read_key(f, NULL, 0, 1), 0);
    assert_true(f->key.is_retired);
    note_signer_free(f->officer);
    uint8_t seed[32] = {9};
    assert_int_equal(note_signer_new("net/440300-001/officer/" LICENCE, seed, &f->officer), 0);
    sign_enrolment(f, "net/440300-001");
    assert_int_equal(read_key(f, good, 2, 1), COMITY_E_SIGNATURE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(signature_of_an_enrolled_officer_verifies),
        T(signature_under_another_record_is_refused),
        T(signature_of_another_bureau_is_refused),
        T(key_that_is_not_enrolled_before_the_entry_is_unknown),
        T(role_that_was_not_given_is_refused),
        T(forged_signature_is_refused),
        T(key_entry_must_hold_one_enrolment_of_its_own_ledger),
    };
    return cmocka_run_group_tests_name("officer_check", tests, NULL, NULL);
}
