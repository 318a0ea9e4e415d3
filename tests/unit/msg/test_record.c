/* Records between bytes and structs: the same bytes back, bounds, and spellings that are refused.
 */
#include "msg/record.h"

#include "unit/domain/sample_record.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA = 1024 * 1024 };

static void (*const samples[])(struct sample *) = {sample_case, sample_evidence,
                                                   sample_recognition};

static void record_every_kind_comes_back_byte_for_byte(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    for (size_t i = 0; i < 3; i++) {
        struct sample s;
        samples[i](&s);
        struct buf first = BUF_INIT, second = BUF_INIT;
        assert_int_equal(record_encode(&s.record, &first), 0);
        struct record r;
        assert_int_equal(record_decode(a, buf_bytes(&first), &r), 0);
        assert_int_equal(record_encode(&r, &second), 0);
        assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
        buf_free(&first);
        buf_free(&second);
    }
    arena_free(a);
}

static void record_decode_fills_the_fields(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    struct sample s;
    struct buf out = BUF_INIT;
    struct record r;
    sample_evidence(&s);
    assert_int_equal(record_encode(&s.record, &out), 0);
    assert_int_equal(record_decode(a, buf_bytes(&out), &r), 0);
    const struct record_evidence *e = &r.u.evidence;
    assert_int_equal(r.kind, RECORD_EVIDENCE);
    assert_true(r.has_case_ref && r.case_ref.index == 17);
    assert_true(bytes_is(r.officers[1].licence, "33010012346"));
    assert_int_equal(r.confidentiality, 1);
    assert_int_equal(e->file_count, 2);
    assert_true(bytes_is(e->files[1].name, "page.warc") && e->files[1].mime.len == 0);
    assert_true(e->files[0].len == 48213 && bytes_equal(e->files[0].secret, SAMPLE_HASH(&s, 3)));
    assert_true(e->codes[1].unverified && !e->codes[0].unverified);
    assert_true(e->electronic.clock_offset_ms == -1250 && e->electronic.has_clock_offset);
    assert_int_equal(e->electronic.holder_signed, HOLDER_REFUSED);
    buf_reset(&out);

    sample_case(&s);
    assert_int_equal(record_encode(&s.record, &out), 0);
    assert_int_equal(record_decode(a, buf_bytes(&out), &r), 0);
    const struct record_case *k = &r.u.case_content;
    assert_true(k->has_violation_place && bytes_is(k->violation_place.bureau, "310115-002"));
    assert_true(bytes_is(k->operator_place.division, "440300"));
    assert_true(k->parties[1].unverified && bytes_is(k->parties[1].name, "某网店"));
    assert_true(k->goods_count == 2 && k->goods[0].code_count == 2 && k->goods[1].code_count == 0);
    assert_true(bytes_is(k->goods[0].codes[0].value, "6901234567892"));
    buf_reset(&out);

    sample_recognition(&s);
    assert_int_equal(record_encode(&s.record, &out), 0);
    assert_int_equal(record_decode(a, buf_bytes(&out), &r), 0);
    assert_true(bytes_is(r.u.recognition.tests[1], "与原页面核对"));
    assert_true(r.u.recognition.evidence.index == 1042);
    assert_true(bytes_is(r.u.recognition.reviewer.licence, "SH-310115-7"));
    buf_free(&out);
    arena_free(a);
}

/* Bytes that protocol buffers made, not we: a case with its least fields, spelled out by hand. */
#define LEAST_CASE              \
    "\x08\x01\x10\x01\x2a\x19"  \
    "2026-03-02T10:15:00+08:00" \
    "\xa2\x01\x1e\x0a\x01"      \
    "t\x12\x19"                 \
    "2026-03-02T10:00:00+08:00"

static void record_decode_reads_bytes_written_by_hand(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    struct record r;
    assert_int_equal(record_decode(a, BYTES_LIT(LEAST_CASE), &r), 0);
    assert_true(r.kind == RECORD_CASE && r.schema == 1);
    assert_true(bytes_is(r.u.case_content.title, "t"));
    assert_true(bytes_is(r.u.case_content.filed, "2026-03-02T10:00:00+08:00"));
    assert_false(r.has_case_ref || r.has_supersedes || r.u.case_content.has_violation_place);
    assert_int_equal(r.officer_count, 0);
    arena_free(a);
}

static void record_decode_refuses_what_is_not_a_record(void **state)
{
    (void)state;
#define CREATED "\x2a\x01z"
#define CASE_T "\xa2\x01\x06\x0a\x01t\x12\x01z"
    static const struct {
        const char *what;
        struct bytes bytes;
        int err;
    } rows[] = {
        {"control", BYTES_LIT("\x08\x01\x10\x01" CREATED CASE_T), 0},
        {"empty", BYTES_NONE, COMITY_E_MALFORMED},
        {"a kind of later", BYTES_LIT("\x08\x09\x10\x01" CREATED), COMITY_E_UNSUPPORTED},
        {"kind 0", BYTES_LIT("\x08\x00\x10\x01" CREATED CASE_T), COMITY_E_MALFORMED},
        {"no content", BYTES_LIT("\x08\x01\x10\x01" CREATED), COMITY_E_MALFORMED},
        {"content of another kind", BYTES_LIT("\x08\x02\x10\x01" CREATED CASE_T),
         COMITY_E_MALFORMED},
        {"confidentiality 0 spelled out", BYTES_LIT("\x08\x01\x10\x01" CREATED "\x48\x00" CASE_T),
         COMITY_E_NOT_CANONICAL},
        {"unverified false spelled out",
         BYTES_LIT("\x08\x01\x10\x01" CREATED
                   "\xa2\x01\x0d\x0a\x01t\x12\x01z\x3a\x05\x0a\x01p\x18\x00"),
         COMITY_E_NOT_CANONICAL},
        {"unknown field", BYTES_LIT("\x08\x01\x10\x01" CREATED CASE_T "\xf8\x01\x01"),
         COMITY_E_NOT_CANONICAL},
        {"present but empty", BYTES_LIT("\x08\x01\x10\x01\x22\x00" CREATED CASE_T),
         COMITY_E_NOT_CANONICAL},
        {"leaf of 1 byte",
         BYTES_LIT("\x08\x01\x10\x01\x1a\x0f\x0a\x01o\x11\0\0\0\0\0\0\0\0\x1a\x01l" CREATED CASE_T),
         COMITY_E_MALFORMED},
    };
    struct arena *a = arena_new(ARENA);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record r = {.kind = 77};
        int err = record_decode(a, rows[i].bytes, &r);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].what, comity_err_token(err));
        if (err)
            assert_int_equal(r.kind, 77);
    }
    arena_free(a);
}

static void record_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    struct sample s;
    struct buf out = BUF_INIT;
    sample_evidence(&s);
    assert_int_equal(record_encode(&s.record, &out), 0);
    for (size_t n = 0; n < out.len; n++) {
        struct record r;
        arena_reset(a);
        assert_int_not_equal(record_decode(a, BYTES(out.data, n), &r), 0);
    }
    buf_free(&out);
    arena_free(a);
}

/* One more than each list may have is neither written nor read; the full list is both. */
static void record_lists_are_bounded(void **state)
{
    (void)state;
    static struct record_officer officers[RECORD_OFFICERS_MAX + 1];
    static struct record_file files[RECORD_FILES_MAX + 1];
    static struct record_party parties[RECORD_PARTIES_MAX + 1];
    static struct record_goods goods[RECORD_GOODS_MAX + 1];
    static struct record_code codes[RECORD_CODES_MAX + 1];
    static struct bytes tests[RECORD_TESTS_MAX + 1];
    struct sample s;
    struct sample recognition;
    sample_evidence(&s);
    sample_recognition(&recognition);
    for (size_t i = 0; i <= RECORD_FILES_MAX; i++) {
        files[i] = s.files[1];
        if (i <= RECORD_OFFICERS_MAX)
            officers[i] = s.officers[0];
        if (i <= RECORD_PARTIES_MAX) {
            parties[i].name = goods[i].name = codes[i].scheme = codes[i].value = bytes_of("x");
            tests[i] = bytes_of("x");
        }
    }
    for (int which = 0; which < 7; which++) {
        for (size_t more = 0; more < 2; more++) {
            which < 3 ? sample_evidence(&s) : which < 6 ? sample_case(&s) : sample_recognition(&s);
            struct record_evidence *e = &s.record.u.evidence;
            struct record_case *k = &s.record.u.case_content;
            switch (which) {
            case 0:
                s.record.officers = officers;
                s.record.officer_count = RECORD_OFFICERS_MAX + more;
                break;
            case 1:
                e->files = files;
                e->file_count = RECORD_FILES_MAX + more;
                break;
            case 2:
                e->codes = codes;
                e->code_count = RECORD_CODES_MAX + more;
                break;
            case 3:
                k->parties = parties;
                k->party_count = RECORD_PARTIES_MAX + more;
                break;
            case 4:
                k->goods = goods;
                k->goods_count = RECORD_GOODS_MAX + more;
                break;
            case 5:
                s.goods[1].codes = codes;
                s.goods[1].code_count = RECORD_CODES_MAX + more;
                break;
            case 6:
                s.record.u.recognition.tests = tests;
                s.record.u.recognition.test_count = RECORD_TESTS_MAX + more;
                break;
            }
            struct arena *a = arena_new(ARENA);
            struct buf out = BUF_INIT;
            struct record r;
            int err = record_encode(&s.record, &out);
            assert_int_equal(err, more ? COMITY_E_INVALID : 0);
            assert_int_equal(out.len == 0, more);
            if (!more)
                assert_int_equal(record_decode(a, buf_bytes(&out), &r), 0);
            buf_free(&out);
            arena_free(a);
        }
    }
}

/* What encoding cannot write, decoding must not read either: a 17th officer, put there by hand. */
static void record_decode_counts_officers(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    for (size_t n = RECORD_OFFICERS_MAX; n <= RECORD_OFFICERS_MAX + 1; n++) {
        struct buf out = BUF_INIT;
        struct record r;
        buf_put_bytes(&out, BYTES_LIT("\x08\x01\x10\x01" CREATED));
        for (size_t i = 0; i < n; i++)
            buf_put_bytes(&out, BYTES_LIT("\x32\x06\x0a\x01n\x12\x01l"));
        buf_put_bytes(&out, BYTES_LIT(CASE_T));
        assert_int_equal(record_decode(a, buf_bytes(&out), &r),
                         n > RECORD_OFFICERS_MAX ? COMITY_E_TOO_LARGE : 0);
        buf_free(&out);
    }
    arena_free(a);
}

static void record_encode_refuses_text_that_is_none(void **state)
{
    (void)state;
    struct sample s;
    struct buf out = BUF_INIT;
    sample_case(&s);
    s.record.u.case_content.title = BYTES_LIT("a\0b");
    assert_int_equal(record_encode(&s.record, &out), COMITY_E_INVALID);
    sample_recognition(&s);
    s.tests[1] = BYTES_LIT("\xff");
    assert_int_equal(record_encode(&s.record, &out), COMITY_E_INVALID);
    sample_evidence(&s);
    s.files[0].secret.len = 31;
    assert_int_equal(record_encode(&s.record, &out), COMITY_E_INVALID);
    sample_evidence(&s);
    s.record.kind = 4;
    assert_int_equal(record_encode(&s.record, &out), COMITY_E_INVALID);
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void record_beyond_a_body_is_refused(void **state)
{
    (void)state;
    static char big[RECORD_BYTES_MAX + 1];
    struct sample s;
    struct buf out = BUF_INIT;
    memset(big, 'x', sizeof big);
    sample_case(&s);
    s.record.u.case_content.basis = BYTES(big, sizeof big);
    assert_int_equal(record_encode(&s.record, &out), COMITY_E_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void record_decode_stays_within_its_arena(void **state)
{
    (void)state;
    struct sample s;
    struct buf out = BUF_INIT;
    struct record r;
    sample_evidence(&s);
    assert_int_equal(record_encode(&s.record, &out), 0);
    for (size_t cap = 0; cap < 4096; cap += 64) {
        struct arena *a = arena_new(cap);
        int err = record_decode(a, buf_bytes(&out), &r);
        assert_true(err == COMITY_E_NOMEM || err == 0);
        arena_free(a);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_every_kind_comes_back_byte_for_byte),
        cmocka_unit_test(record_decode_fills_the_fields),
        cmocka_unit_test(record_decode_reads_bytes_written_by_hand),
        cmocka_unit_test(record_decode_refuses_what_is_not_a_record),
        cmocka_unit_test(record_cut_anywhere_is_refused),
        cmocka_unit_test(record_lists_are_bounded),
        cmocka_unit_test(record_decode_counts_officers),
        cmocka_unit_test(record_encode_refuses_text_that_is_none),
        cmocka_unit_test(record_beyond_a_body_is_refused),
        cmocka_unit_test(record_decode_stays_within_its_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
