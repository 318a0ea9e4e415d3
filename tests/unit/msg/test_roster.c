/* The roster's bytes: every field comes back, and what the format forbids is refused. */
#include "msg/roster.h"

#include "unit/msg/samples.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_bytes(struct bytes got, struct bytes want)
{
    assert_true(bytes_equal(got, want));
}

static void assert_ledger(const struct roster_ledger *got, const struct roster_ledger *want)
{
    assert_bytes(got->origin, want->origin);
    assert_int_equal(got->suite, want->suite);
    assert_bytes(got->vkey, want->vkey);
    assert_int_equal(got->is_closed, want->is_closed);
    assert_true(got->closed_size == want->closed_size);
    assert_bytes(got->closed_root, want->closed_root);
    assert_int_equal(got->witness_count, want->witness_count);
    for (size_t i = 0; i < want->witness_count; i++) {
        assert_bytes(got->witness[i].broker, want->witness[i].broker);
        assert_true(got->witness[i].routed == want->witness[i].routed);
    }
}

static void assert_member(const struct roster_member *got, const struct roster_member *want)
{
    assert_bytes(got->id, want->id);
    assert_int_equal(got->role, want->role);
    assert_bytes(got->name, want->name);
    assert_bytes(got->curve, want->curve);
    assert_int_equal(got->seal_count, want->seal_count);
    for (size_t i = 0; i < want->seal_count; i++)
        assert_bytes(got->seal[i], want->seal[i]);
    assert_int_equal(got->ledger_count, want->ledger_count);
    for (size_t i = 0; i < want->ledger_count; i++)
        assert_ledger(&got->ledgers[i], &want->ledgers[i]);
    assert_int_equal(got->endpoint_count, want->endpoint_count);
    for (size_t i = 0; i < want->endpoint_count; i++)
        assert_bytes(got->endpoints[i], want->endpoints[i]);
}

static void roster_every_field_comes_back(void **state)
{
    (void)state;
    struct roster_doc want = sample_roster();
    struct buf out = BUF_INIT;
    assert_int_equal(roster_doc_encode(&want, &out), 0);
    struct arena *a = arena_new(64 * 1024);
    struct roster_doc got;
    assert_int_equal(roster_doc_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out);
    assert_bytes(got.network, want.network);
    assert_true(got.number == want.number);
    assert_int_equal(got.threshold, want.threshold);
    assert_int_equal(got.authority_count, want.authority_count);
    for (size_t i = 0; i < want.authority_count; i++)
        assert_bytes(got.authority[i], want.authority[i]);
    assert_int_equal(got.member_count, want.member_count);
    for (size_t i = 0; i < want.member_count; i++)
        assert_member(&got.members[i], &want.members[i]);
    arena_free(a);
}

/* As large as a country's network: nothing in it is quadratic. */
static void roster_of_all_members_round_trips(void **state)
{
    (void)state;
    static char ids[ROSTER_MEMBERS_MAX + 1][12];
    struct roster_member *members = calloc(ROSTER_MEMBERS_MAX + 1, sizeof *members);
    assert_non_null(members);
    struct bytes seal = SAMPLE_HASH(1);
    struct roster_ledger ledger = {
        .origin = BYTES_LIT("cn-samr/330100-001"), .suite = 1, .vkey = BYTES_LIT("vkey")};
    for (unsigned i = 0; i <= ROSTER_MEMBERS_MAX; i++) {
        snprintf(ids[i], sizeof ids[i], "%06u-001", i % 1000000);
        members[i] = (struct roster_member){.id = bytes_of(ids[i]),
                                            .role = MEMBER_BUREAU,
                                            .name = BYTES_LIT("a bureau"),
                                            .curve = SAMPLE_HASH(0),
                                            .seal = &seal,
                                            .seal_count = 1,
                                            .ledgers = &ledger,
                                            .ledger_count = 1};
    }
    struct roster_doc r = {.network = BYTES_LIT("cn-samr"), .number = 1, .threshold = 1};
    r.members = members;
    r.member_count = ROSTER_MEMBERS_MAX;
    struct buf out = BUF_INIT;
    struct buf again = BUF_INIT;
    struct arena *a = arena_new(64 * 1024 * 1024);
    assert_int_equal(roster_doc_encode(&r, &out), 0);
    assert_int_equal(roster_doc_again(a, buf_bytes(&out), &again), 0);
    assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
    r.member_count++;
    assert_int_equal(roster_doc_encode(&r, &out), COMITY_E_INVALID);
    buf_free(&out);
    buf_free(&again);
    arena_free(a);
    free(members);
}

static int roster_err(const struct roster_doc *r)
{
    struct buf out = BUF_INIT;
    int err = roster_doc_encode(r, &out);
    assert_true(err == 0 || out.len == 0);
    buf_free(&out);
    return err;
}

static void roster_wrong_values_are_invalid(void **state)
{
    (void)state;
    struct roster_doc r;
    struct roster_member members[2];
    struct roster_ledger ledgers[2];
    struct roster_witness witness;
    struct bytes seal;
#define EXPECT(outcome, change)                              \
    do {                                                     \
        r = sample_roster();                                 \
        memcpy(members, r.members, sizeof members);          \
        memcpy(ledgers, members[0].ledgers, sizeof ledgers); \
        witness = ledgers[0].witness[0];                     \
        seal = members[0].seal[0];                           \
        r.members = members;                                 \
        members[0].ledgers = ledgers;                        \
        members[0].seal = &seal;                             \
        members[0].seal_count = 1;                           \
        ledgers[0].witness = &witness;                       \
        change;                                              \
        assert_int_equal(roster_err(&r), outcome);           \
    } while (0)
    EXPECT(0, (void)0);
    EXPECT(COMITY_E_INVALID, r.network = BYTES_LIT("Net"));
    EXPECT(COMITY_E_INVALID, r.authority_count = ROSTER_AUTHORITY_MAX + 1);
    EXPECT(COMITY_E_INVALID, members[1].id = members[0].id);
    EXPECT(COMITY_E_INVALID, members[1].id = BYTES_LIT("330000-001"));
    EXPECT(COMITY_E_INVALID, members[1].id = BYTES_LIT("authority"));
    EXPECT(COMITY_E_INVALID, members[0].curve.len = 31);
    EXPECT(0, members[0].curve.len = 0);
    EXPECT(COMITY_E_INVALID, seal.len = 31);
    EXPECT(COMITY_E_INVALID, members[0].name = BYTES_LIT("a\0b"));
    EXPECT(COMITY_E_INVALID, members[0].ledger_count = ROSTER_LEDGERS_MAX + 1);
    EXPECT(COMITY_E_INVALID, members[0].seal_count = ROSTER_SEAL_KEYS_MAX + 1);
    EXPECT(COMITY_E_INVALID, members[0].endpoint_count = ROSTER_ENDPOINTS_MAX + 1);
    EXPECT(COMITY_E_INVALID, ledgers[0].origin = BYTES_LIT("cn-samr"));
    EXPECT(COMITY_E_INVALID, ledgers[0].vkey = BYTES_NONE);
    EXPECT(COMITY_E_INVALID, ledgers[0].closed_root.len = 31);
    EXPECT(COMITY_E_INVALID, ledgers[0].is_closed = false); /* would be published as open */
    EXPECT(COMITY_E_INVALID, witness.broker = BYTES_LIT("broker-a"));
#undef EXPECT
}

static void roster_decode_members_must_be_sorted_and_unique(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"aa", "bb"}, {"bb", "aa"}, {"aa", "aa"}};
    for (size_t i = 0; i < 3; i++) {
        struct buf b = BUF_INIT;
        raw_bytes(&b, 1, BYTES_LIT("net"));
        raw_number(&b, 2, 1);
        raw_number(&b, 3, 1);
        for (size_t k = 0; k < 2; k++) {
            struct buf member = BUF_INIT;
            raw_bytes(&member, 1, bytes_of(pairs[i][k]));
            raw_number(&member, 2, MEMBER_BUREAU);
            raw_bytes(&member, 3, BYTES_LIT("name"));
            raw_bytes(&b, 5, buf_bytes(&member));
            buf_free(&member);
        }
        struct arena *a = arena_new(64 * 1024);
        struct roster_doc r;
        assert_int_equal(roster_doc_decode(a, buf_bytes(&b), &r), i ? COMITY_E_NOT_CANONICAL : 0);
        arena_free(a);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roster_every_field_comes_back),
        cmocka_unit_test(roster_of_all_members_round_trips),
        cmocka_unit_test(roster_wrong_values_are_invalid),
        cmocka_unit_test(roster_decode_members_must_be_sorted_and_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
