/*
 * Officers' signatures in an audit: keys enrolled before, in a role that allows it, over the very
 * record, and not retired.
 */
#include "desk.h"

static void audit_signed_evidence_is_consistent(void **state)
{
    struct desk *d = *state;
    struct audited r = audit_all(d->l, NULL, NULL);
    assert_codes(&r, NULL);
    json_t *officers = json_object_get(r.report, "officers");
    assert_int_equal(json_array_size(officers), 3);
    json_t *wang = json_array_get(officers, 0);
    assert_string_equal(text_of(wang, "licence"), WANG);
    assert_int_equal(number_of(wang, "signatures"), 1);
    audited_free(&r);
}

static void audit_checks_signatures_at_the_recipient_alone(void **state)
{
    struct desk *d = *state;
    const char *path = d->shenzhen->dir;
    life_rest(d->l);
    struct audited r = audit_paths(&d->l->net.network, &path, 1);
    assert_codes(&r, NULL);
    assert_int_equal(json_array_size(json_object_get(r.report, "officers")), 3);
    audited_free(&r);
}

static void audit_signature_by_a_retired_officer_is_found(void **state)
{
    struct desk *d = *state;
    retire(d->l, &d->wang);
    send_signature(d, &d->wang, SIGNATURE_COLLECTOR);
    struct audited r = audit_all(d->l, NULL, NULL);
    assert_codes(&r, "officer_retired", NULL);
    assert_string_equal(text_of(found(&r, "officer_retired"), "licence"), WANG);
    audited_free(&r);
}

static void audit_signature_in_a_role_not_held_is_found(void **state)
{
    struct desk *d = *state;
    send_signature(d, &d->wang, SIGNATURE_APPROVER);
    struct audited r = audit_all(d->l, NULL, NULL);
    assert_codes(&r, "officer_signature", NULL);
    assert_string_equal(text_of(found(&r, "officer_signature"), "why"), "role_missing");
    audited_free(&r);
}

static void audit_signature_over_another_record_is_found(void **state)
{
    struct desk *d = *state;
    d->evidence_hash.b[0] ^= 1;
    send_signature(d, &d->wang, SIGNATURE_COLLECTOR);
    struct audited r = audit_all(d->l, NULL, NULL);
    assert_codes(&r, "officer_signature", NULL);
    audited_free(&r);
}

static void audit_signature_by_nobody_enrolled_is_found(void **state)
{
    struct desk *d = *state;
    struct officer stranger = d->wang;
    stranger.licence = "33010099999";
    char name[NOTE_KEY_NAME_MAX + 1];
    uint8_t seed[32] = {3};
    snprintf(name, sizeof name, "%s/officer/%s", d->hangzhou->origin, stranger.licence);
    OK(note_signer_new(name, seed, &stranger.signer));
    send_signature(d, &stranger, SIGNATURE_COLLECTOR);
    struct audited r = audit_all(d->l, NULL, NULL);
    assert_codes(&r, "officer_signature", NULL);
    assert_string_equal(text_of(found(&r, "officer_signature"), "why"), "key_unknown");
    audited_free(&r);
    note_signer_free(stranger.signer);
}

static void audit_received_content_changed_is_the_holders(void **state)
{
    struct desk *d = *state;
    life_rest(d->l);
    struct db *db = tamper(d->shenzhen->dir, false);
    OK(db_run(db,
              "UPDATE store_chunk SET data = substr(data, 1, length(data) - 1) || 'x' WHERE id IN"
              " (SELECT chunk FROM opening_run WHERE origin = ?1 AND first = ?2)",
              DB_STR(d->hangzhou->origin), DB_U64(d->evidence)));
    db_close(db);
    struct audited r = audit_all(d->l, NULL, NULL);
    json_t *f = found(&r, "body_mismatch");
    assert_non_null(f);
    assert_string_equal(text_of(f, "ledger"), d->hangzhou->origin);
    assert_string_equal(text_of(f, "other"), d->shenzhen->origin);
    audited_free(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(audit_signed_evidence_is_consistent),
        TEST(audit_checks_signatures_at_the_recipient_alone),
        TEST(audit_signature_by_a_retired_officer_is_found),
        TEST(audit_signature_in_a_role_not_held_is_found),
        TEST(audit_signature_over_another_record_is_found),
        TEST(audit_signature_by_nobody_enrolled_is_found),
        TEST(audit_received_content_changed_is_the_holders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
