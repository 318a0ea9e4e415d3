/* Join notes, enrolments, officers' signatures and package seals: what is written, what is read,
 * and what is refused. */
#include "rosters.h"

#include "base/text.h"
#include "wire/notes.h"

static int set_up_crypto(void **state)
{
    (void)state;
    return crypto_init();
}

/* ---- reading texts that we would not write ---- */

enum reader { READ_JOIN, READ_OFFICER, READ_SIGNATURE, READ_PACKAGE };

static int read_note(enum reader reader, struct bytes note, const struct note_verifier *key)
{
    struct join_request j;
    struct officer_enrolment e;
    struct officer_signature s;
    struct package_seal p;
    switch (reader) {
    case READ_JOIN:
        return join_open(note, &j);
    case READ_OFFICER:
        return officer_open(note, &e);
    case READ_SIGNATURE:
        return officer_signature_open(note, key, &s);
    case READ_PACKAGE:
        return package_open(note, key, &p);
    }
    return COMITY_E_INTERNAL;
}

/* Open ${text}, with line ${at} (from 0) replaced by ${line}, signed by ${signer}. NULL takes the
 * line out. */
static int open_changed(enum reader reader, const struct note_signer *signer, struct bytes text,
                        int at, const char *line)
{
    struct buf changed = BUF_INIT, note = BUF_INIT;
    struct bytes old;
    for (int i = 0; bytes_next_line(&text, &old); i++) {
        if (i == at && !line)
            continue;
        buf_put_bytes(&changed, i == at ? bytes_of(line) : old);
        buf_put_u8(&changed, '\n');
    }
    assert_int_equal(note_sign(signer, buf_bytes(&changed), &note), 0);
    int err = read_note(reader, buf_bytes(&note), note_signer_public(signer));
    buf_free(&changed);
    buf_free(&note);
    return err;
}

struct change {
    int at;
    const char *line;
    int err;
};

static void check_changes(enum reader reader, const struct note_signer *signer, struct bytes text,
                          const struct change *rows, size_t n)
{
    int count = 0;
    struct bytes rest = text, line;
    while (bytes_next_line(&rest, &line))
        count++;
    assert_int_equal(open_changed(reader, signer, text, -1, NULL), 0);
    for (int i = 0; i < count; i++)
        assert_int_equal(open_changed(reader, signer, text, i, NULL), COMITY_E_MALFORMED);
    for (size_t i = 0; i < n; i++)
        if (open_changed(reader, signer, text, rows[i].at, rows[i].line) != rows[i].err)
            fail_msg("line %d as '%s'", rows[i].at, rows[i].line);
    struct buf longer = BUF_INIT;
    buf_put_bytes(&longer, text);
    buf_put_str(&longer, "more\n");
    assert_int_equal(open_changed(reader, signer, buf_bytes(&longer), -1, NULL),
                     COMITY_E_MALFORMED);
    buf_free(&longer);
}

#define CHECK_CHANGES(reader, signer, text, rows) \
    check_changes((reader), (signer), (text), (rows), sizeof(rows) / sizeof((rows)[0]))

/* A flipped bit anywhere in a note is refused. */
static void check_flips(enum reader reader, const struct note_signer *signer, struct bytes text)
{
    struct buf note = BUF_INIT;
    assert_int_equal(note_sign(signer, text, &note), 0);
    assert_int_equal(read_note(reader, buf_bytes(&note), note_signer_public(signer)), 0);
    for (size_t i = 0; i < note.len; i++) {
        note.data[i] ^= 1;
        assert_int_not_equal(read_note(reader, buf_bytes(&note), note_signer_public(signer)), 0);
        note.data[i] ^= 1;
    }
    buf_free(&note);
}

/* ---- joining ---- */

struct joining {
    struct note_signer *signer;
    struct join_request j;
    struct buf text;
};

static void public_key(uint32_t n, uint8_t ret[32])
{
    uint8_t secret[32];
    seed_of(n, secret);
    assert_int_equal(seal_public(secret, ret), 0);
}

static void joining_init(struct joining *x, uint32_t role)
{
    bool is_broker = role == MEMBER_BROKER;
    *x = (struct joining){0};
    x->signer = signer_of(is_broker ? "zhejiang/broker" : "zhejiang/330100-001.2", 1);
    x->j = (struct join_request){.member = bytes_of(is_broker ? "broker" : "330100-001"),
                                 .role = role,
                                 .name = bytes_of("杭州市市场监督管理局"),
                                 .ledger = *note_signer_public(x->signer),
                                 .suite = SUITE_1,
                                 .has_seal = !is_broker};
    public_key(7, x->j.curve);
    if (x->j.has_seal)
        public_key(8, x->j.seal);
    if (is_broker) {
        x->j.endpoint[0] = bytes_of("tcp://broker.example:7400");
        x->j.endpoint[1] = bytes_of("tcp://broker.example:7401");
    }
    assert_int_equal(join_put_text(&x->text, &x->j), 0);
}

static void joining_done(struct joining *x)
{
    note_signer_free(x->signer);
    buf_free(&x->text);
}

static void join_text_is_the_one_that_is_specified(void **state)
{
    (void)state;
    struct joining x;
    joining_init(&x, MEMBER_BUREAU);
    assert_string_equal(
        buf_str(&x.text),
        "comity join v1\n"
        "330100-001\n"
        "bureau\n"
        "杭州市市场监督管理局\n"
        "zhejiang/330100-001.2+05b27454+AUy1q/atefv1q7zK/MJp2FzSZR7UuIW1hp8kGu3wpbop\n"
        "1\n"
        "9gMb11ljI/pUAEG9OmNRM+coeEk+diAEiHWIe9yLmQc=\n"
        "C8aPaHIXL52pw1vggnamNqgEnUQm3LUGfFa4EThQTWo=\n"
        "-\n"
        "-\n");
    joining_done(&x);
}

static void join_of_a_broker_round_trips(void **state)
{
    (void)state;
    struct joining x;
    struct buf note = BUF_INIT;
    struct join_request j;
    joining_init(&x, MEMBER_BROKER);
    assert_int_equal(note_sign(x.signer, buf_bytes(&x.text), &note), 0);
    assert_int_equal(join_open(buf_bytes(&note), &j), 0);
    assert_true(bytes_is(j.member, "broker"));
    assert_int_equal(j.role, MEMBER_BROKER);
    assert_true(bytes_equal(j.name, x.j.name));
    assert_string_equal(j.ledger.name, "zhejiang/broker");
    assert_memory_equal(j.ledger.pub, x.j.ledger.pub, 32);
    assert_int_equal(j.suite, SUITE_1);
    assert_memory_equal(j.curve, x.j.curve, 32);
    assert_false(j.has_seal);
    assert_true(bytes_is(j.endpoint[0], "tcp://broker.example:7400"));
    assert_true(bytes_is(j.endpoint[1], "tcp://broker.example:7401"));
    buf_free(&note);
    joining_done(&x);
}

static void join_signed_by_another_key_is_refused(void **state)
{
    (void)state;
    struct joining x;
    struct buf note = BUF_INIT;
    struct join_request j;
    joining_init(&x, MEMBER_BUREAU);
    struct note_signer *other = signer_of("zhejiang/330100-001.2", 2);
    assert_int_equal(note_sign(other, buf_bytes(&x.text), &note), 0);
    assert_int_equal(join_open(buf_bytes(&note), &j), COMITY_E_UNSIGNED);
    assert_int_equal(join_open(buf_bytes(&x.text), &j), COMITY_E_NOT_A_NOTE);
    note_signer_free(other);
    buf_free(&note);
    joining_done(&x);
}

static const char identity[] = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static void join_with_a_wrong_line_is_refused(void **state)
{
    (void)state;
    struct joining x;
    joining_init(&x, MEMBER_BUREAU);
    struct buf curve = BUF_INIT;
    text_put_base64(&curve, BYTES(x.j.curve, 32));
    struct note_signer *other = signer_of("zhejiang/330200-001", 3);
    struct buf vkey = BUF_INIT;
    note_put_vkey(&vkey, note_signer_public(other));
    const struct change rows[] = {
        {0, "comity join v2", COMITY_E_MALFORMED},
        {1, "330200-001", COMITY_E_MALFORMED}, /* not the key's */
        {1, "broker", COMITY_E_MALFORMED},
        {1, "", COMITY_E_MALFORMED},
        {2, "broker", COMITY_E_MALFORMED},
        {2, "auditor", COMITY_E_MALFORMED},
        {2, "Bureau", COMITY_E_MALFORMED},
        {2, "1", COMITY_E_MALFORMED},
        {3, "", COMITY_E_MALFORMED},
        {4, buf_str(&vkey), COMITY_E_MALFORMED},
        {4, "zhejiang/330100-001.2", COMITY_E_MALFORMED},
        {5, "01", COMITY_E_MALFORMED},
        {5, "2", COMITY_E_SUITE},
        {5, "4294967297", COMITY_E_MALFORMED},
        {6, "-", COMITY_E_MALFORMED},
        {6, "AAAA", COMITY_E_MALFORMED},
        {6, identity, COMITY_E_BAD_KEY},
        {7, identity, COMITY_E_BAD_KEY},
        {7, "AAAA", COMITY_E_MALFORMED},
        {7, buf_str(&curve), COMITY_E_BAD_KEY}, /* one key for two things */
        {7, "-", 0},
        {8, "tcp://broker.example:7400", COMITY_E_MALFORMED},
        {9, "tcp://broker.example:7400", COMITY_E_MALFORMED},
    };
    CHECK_CHANGES(READ_JOIN, x.signer, buf_bytes(&x.text), rows);
    check_flips(READ_JOIN, x.signer, buf_bytes(&x.text));
    note_signer_free(other);
    buf_free(&vkey);
    buf_free(&curve);
    joining_done(&x);
}

static void join_of_a_broker_with_wrong_endpoints_is_refused(void **state)
{
    (void)state;
    struct joining x;
    joining_init(&x, MEMBER_BROKER);
    const struct change rows[] = {
        {8, "-", COMITY_E_MALFORMED},
        {9, "-", COMITY_E_MALFORMED},
        {9, "tcp://broker.example:7400", COMITY_E_MALFORMED}, /* both the same */
        {9, "http://broker.example:7401", COMITY_E_MALFORMED},
        {9, "ipc:///run/comity/bulk", 0},
    };
    CHECK_CHANGES(READ_JOIN, x.signer, buf_bytes(&x.text), rows);
    joining_done(&x);
}

static void join_that_breaks_a_rule_is_not_written(void **state)
{
    (void)state;
    struct joining x;
    struct buf out = BUF_INIT;
    joining_init(&x, MEMBER_BUREAU);
    struct join_request bad[6];
    for (size_t i = 0; i < 6; i++)
        bad[i] = x.j;
    bad[0].name = bytes_of("a\nb");
    bad[1].role = 0;
    bad[2].role = 99;
    bad[3].member = BYTES_NONE;
    bad[4].endpoint[1] = bytes_of("tcp://x:1");
    bad[5].endpoint[0] = bytes_of("-\n-"); /* must not smuggle in a line */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(join_put_text(&out, &bad[i]), COMITY_E_INVALID);
    bad[0].name = bytes_of("a\tb");
    assert_int_equal(join_put_text(&out, &bad[0]), COMITY_E_INVALID);
    bad[0] = x.j;
    memset(bad[0].curve, 0, 32);
    assert_int_equal(join_put_text(&out, &bad[0]), COMITY_E_BAD_KEY);
    bad[0] = x.j;
    bad[0].suite = 7;
    assert_int_equal(join_put_text(&out, &bad[0]), COMITY_E_SUITE);
    assert_int_equal(out.len, 0);
    joining_done(&x);
}

/* ---- officers ---- */

static const char officer_key_name[] = "zhejiang/330100-001/officer/浙A0042";

static struct officer_enrolment enrolment_of(const struct note_signer *signer)
{
    return (struct officer_enrolment){.origin = bytes_of("zhejiang/330100-001"),
                                      .name = bytes_of("王 芳"),
                                      .licence = bytes_of("浙A0042"),
                                      .key = *note_signer_public(signer)};
}

static void enrolment_round_trips(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, note = BUF_INIT;
    struct note_signer *signer = signer_of(officer_key_name, 5);
    struct officer_enrolment e = enrolment_of(signer), got;
    assert_int_equal(officer_put_text(&text, &e), 0);
    assert_true(bytes_has_prefix(buf_bytes(&text), "comity officer v1\n"
                                                   "zhejiang/330100-001\n"
                                                   "王 芳\n"
                                                   "浙A0042\n"
                                                   "zhejiang/330100-001/officer/浙A0042+"));
    assert_int_equal(note_sign(signer, buf_bytes(&text), &note), 0);
    assert_int_equal(officer_open(buf_bytes(&note), &got), 0);
    assert_true(bytes_equal(got.origin, e.origin));
    assert_true(bytes_equal(got.name, e.name));
    assert_true(bytes_equal(got.licence, e.licence));
    assert_memory_equal(&got.key, &e.key, sizeof e.key);
    buf_free(&text);
    buf_free(&note);
    note_signer_free(signer);
}

static void enrolment_with_a_wrong_line_is_refused(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct note_signer *signer = signer_of(officer_key_name, 5);
    struct officer_enrolment e = enrolment_of(signer);
    assert_int_equal(officer_put_text(&text, &e), 0);
    const struct change rows[] = {
        {0, "comity officer signature v1", COMITY_E_MALFORMED},
        {1, "zhejiang/330100-001.2", COMITY_E_MALFORMED}, /* not the key's */
        {1, "zhejiang/330100-001.1", COMITY_E_MALFORMED},
        {1, "zhejiang", COMITY_E_MALFORMED},
        {2, "", COMITY_E_MALFORMED},
        {3, "浙A0043", COMITY_E_MALFORMED},
        {3, "", COMITY_E_MALFORMED},
        {4, "-", COMITY_E_MALFORMED},
    };
    CHECK_CHANGES(READ_OFFICER, signer, buf_bytes(&text), rows);
    check_flips(READ_OFFICER, signer, buf_bytes(&text));
    buf_reset(&text);
    e.name = bytes_of("a\nb");
    assert_int_equal(officer_put_text(&text, &e), COMITY_E_INVALID);
    e.name = bytes_of("a");
    e.licence = bytes_of("浙A0043");
    assert_int_equal(officer_put_text(&text, &e), COMITY_E_INVALID);
    assert_int_equal(text.len, 0);
    buf_free(&text);
    note_signer_free(signer);
}

static struct officer_signature signature_sample(void)
{
    return (struct officer_signature){.origin = bytes_of("zhejiang/330100-001"),
                                      .licence = bytes_of("浙A0042"),
                                      .role = SIGNATURE_COLLECTOR,
                                      .record_kind = 3,
                                      .record_hash = {{0xff}},
                                      .time_ms = INT64_C(1790000000123)};
}

static void signature_round_trips(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, note = BUF_INIT;
    struct note_signer *signer = signer_of(officer_key_name, 5);
    struct officer_signature s = signature_sample(), got, peeked;
    assert_int_equal(officer_signature_put_text(&text, &s), 0);
    assert_string_equal(buf_str(&text), "comity officer signature v1\n"
                                        "zhejiang/330100-001\n"
                                        "浙A0042\n"
                                        "collector\n"
                                        "3\n"
                                        "/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                        "2026-09-21T14:13:20Z\n");
    assert_int_equal(note_sign(signer, buf_bytes(&text), &note), 0);
    assert_int_equal(officer_signature_peek(buf_bytes(&note), &peeked), 0);
    assert_int_equal(officer_signature_open(buf_bytes(&note), note_signer_public(signer), &got), 0);
    assert_true(bytes_equal(got.origin, s.origin) && bytes_equal(peeked.origin, s.origin));
    assert_true(bytes_equal(got.licence, s.licence) && bytes_equal(peeked.licence, s.licence));
    assert_int_equal(got.role, SIGNATURE_COLLECTOR);
    assert_int_equal(got.record_kind, 3);
    assert_true(hash_equal(&got.record_hash, &s.record_hash));
    assert_true(got.time_ms == INT64_C(1790000000000)); /* whole seconds */
    buf_free(&text);
    buf_free(&note);
    note_signer_free(signer);
}

static void signature_by_the_wrong_officer_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "zhejiang/330100-001/officer/浙A0043",   "zhejiang/330200-001/officer/浙A0042",
        "zhejiang/330100-001.2/officer/浙A0042", "zhejiang/330100-001/officer/",
        "zhejiang/330100-001/officer浙A0042",    "zhejiang/330100-001/officer/浙A004",
        "zhejiang/330100-001/officer/浙A00422",  "zhejiang/330100-001",
    };
    struct officer_signature s = signature_sample(), got;
    struct buf text = BUF_INIT;
    assert_int_equal(officer_signature_put_text(&text, &s), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf note = BUF_INIT;
        struct note_signer *signer = signer_of(names[i], 5);
        assert_int_equal(note_sign(signer, buf_bytes(&text), &note), 0);
        assert_int_equal(officer_signature_open(buf_bytes(&note), note_signer_public(signer), &got),
                         COMITY_E_SIGNATURE);
        note_signer_free(signer);
        buf_free(&note);
    }
    struct buf note = BUF_INIT;
    struct note_signer *signer = signer_of(officer_key_name, 5);
    struct note_signer *other = signer_of(officer_key_name, 6);
    assert_int_equal(note_sign(signer, buf_bytes(&text), &note), 0);
    assert_int_equal(officer_signature_open(buf_bytes(&note), note_signer_public(other), &got),
                     COMITY_E_UNSIGNED);
    note_signer_free(signer);
    note_signer_free(other);
    buf_free(&note);
    buf_free(&text);
}

static void signature_with_a_wrong_line_is_refused(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct note_signer *signer = signer_of(officer_key_name, 5);
    struct officer_signature s = signature_sample();
    assert_int_equal(officer_signature_put_text(&text, &s), 0);
    const struct change rows[] = {
        {0, "comity officer v1", COMITY_E_MALFORMED},
        {1, "zhejiang/330100_001", COMITY_E_MALFORMED},
        {3, "officer", COMITY_E_MALFORMED},
        {3, "", COMITY_E_MALFORMED},
        {3, "reviewer", 0},
        {4, "0", COMITY_E_MALFORMED},
        {4, "-3", COMITY_E_MALFORMED},
        {4, "4294967296", COMITY_E_MALFORMED},
        {5, "/wAA", COMITY_E_MALFORMED},
        {5, "/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", COMITY_E_MALFORMED}, /* spare bits */
        {6, "2026-09-21T14:13:20+00:00", COMITY_E_MALFORMED},
        {6, "2026-09-31T14:13:20Z", COMITY_E_MALFORMED},
        {6, "1969-12-31T23:59:59Z", COMITY_E_MALFORMED},
    };
    CHECK_CHANGES(READ_SIGNATURE, signer, buf_bytes(&text), rows);
    check_flips(READ_SIGNATURE, signer, buf_bytes(&text));
    buf_reset(&text);
    s.time_ms = INT64_MIN;
    assert_int_equal(officer_signature_put_text(&text, &s), COMITY_E_INVALID);
    s.time_ms = -1;
    assert_int_equal(officer_signature_put_text(&text, &s), COMITY_E_INVALID);
    s.time_ms = INT64_C(253402300800000);
    assert_int_equal(officer_signature_put_text(&text, &s), COMITY_E_INVALID);
    s = signature_sample();
    s.role = (enum signature_role)0;
    assert_int_equal(officer_signature_put_text(&text, &s), COMITY_E_INVALID);
    s.role = (enum signature_role)4;
    assert_int_equal(officer_signature_put_text(&text, &s), COMITY_E_INVALID);
    assert_int_equal(text.len, 0);
    buf_free(&text);
    note_signer_free(signer);
}

static void signature_role_words(void **state)
{
    (void)state;
    assert_string_equal(signature_role_word(SIGNATURE_COLLECTOR), "collector");
    assert_string_equal(signature_role_word(SIGNATURE_APPROVER), "approver");
    assert_string_equal(signature_role_word(SIGNATURE_REVIEWER), "reviewer");
    assert_null(signature_role_word((enum signature_role)0));
    assert_null(signature_role_word((enum signature_role)4));
}

/* ---- packages ---- */

static void package_round_trips_and_refuses(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, note = BUF_INIT;
    struct note_signer *signer = signer_of(officer_key_name, 5);
    struct note_signer *ledger = signer_of("zhejiang/330100-001", 5);
    struct package_seal p = {.origin = bytes_of("zhejiang/330100-001"),
                             .sums = {{0xff}},
                             .time_ms = INT64_C(1790000000000)};
    struct package_seal got;
    assert_int_equal(package_put_text(&text, &p), 0);
    assert_string_equal(buf_str(&text), "comity package v1\n"
                                        "zhejiang/330100-001\n"
                                        "/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                        "2026-09-21T14:13:20Z\n");
    assert_int_equal(note_sign(signer, buf_bytes(&text), &note), 0);
    assert_int_equal(package_open(buf_bytes(&note), note_signer_public(signer), &got), 0);
    assert_true(bytes_equal(got.origin, p.origin));
    assert_true(hash_equal(&got.sums, &p.sums));
    assert_true(got.time_ms == p.time_ms);
    const struct change rows[] = {
        {0, "comity package v2", COMITY_E_MALFORMED},
        {1, "zhejiang/330100-001.2", COMITY_E_SIGNATURE}, /* another's officer */
        {2, "-", COMITY_E_MALFORMED},
        {3, "-", COMITY_E_MALFORMED},
    };
    CHECK_CHANGES(READ_PACKAGE, signer, buf_bytes(&text), rows);
    check_flips(READ_PACKAGE, signer, buf_bytes(&text));
    assert_int_equal(open_changed(READ_PACKAGE, ledger, buf_bytes(&text), -1, NULL),
                     COMITY_E_SIGNATURE);
    p.origin = bytes_of("zhejiang");
    assert_int_equal(package_put_text(&text, &p), COMITY_E_INVALID);
    note_signer_free(signer);
    note_signer_free(ledger);
    buf_free(&text);
    buf_free(&note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join_text_is_the_one_that_is_specified),
        cmocka_unit_test(join_of_a_broker_round_trips),
        cmocka_unit_test(join_signed_by_another_key_is_refused),
        cmocka_unit_test(join_with_a_wrong_line_is_refused),
        cmocka_unit_test(join_of_a_broker_with_wrong_endpoints_is_refused),
        cmocka_unit_test(join_that_breaks_a_rule_is_not_written),
        cmocka_unit_test(enrolment_round_trips),
        cmocka_unit_test(enrolment_with_a_wrong_line_is_refused),
        cmocka_unit_test(signature_round_trips),
        cmocka_unit_test(signature_by_the_wrong_officer_is_refused),
        cmocka_unit_test(signature_with_a_wrong_line_is_refused),
        cmocka_unit_test(signature_role_words),
        cmocka_unit_test(package_round_trips_and_refuses),
    };
    return cmocka_run_group_tests(tests, set_up_crypto, NULL);
}
