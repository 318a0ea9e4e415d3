/* Entries and bodies: every field comes back, and what the format forbids is refused on both ways.
 */
#include "msg/entry.h"

#include "unit/msg/samples.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_bytes(struct bytes got, struct bytes want)
{
    assert_true(bytes_equal(got, want));
}

static void entry_every_field_comes_back(void **state)
{
    (void)state;
    struct entry want = sample_entry();
    struct buf out = BUF_INIT;
    assert_int_equal(entry_encode(&want, &out), 0);
    struct arena *a = arena_new(64 * 1024);
    struct entry got;
    assert_int_equal(entry_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out); /* nothing points into the bytes */
    assert_true(got.index == want.index);
    assert_true(got.time_ms == want.time_ms);
    assert_int_equal(got.kind, want.kind);
    assert_true(got.roster == want.roster);
    assert_bytes(got.prev, want.prev);
    assert_bytes(got.body_hash, want.body_hash);
    assert_bytes(got.seal, want.seal);
    assert_true(got.has_source);
    assert_bytes(got.source.origin, want.source.origin);
    assert_true(got.source.has_index && got.source.index == 0);
    assert_bytes(got.source.leaf, want.source.leaf);
    assert_true(got.source.has_size && got.source.size == 17);
    assert_bytes(got.source.root, want.source.root);
    assert_int_equal(got.to_count, want.to_count);
    for (size_t i = 0; i < want.to_count; i++) {
        assert_bytes(got.to[i].member, want.to[i].member);
        assert_true(got.to[i].pair_seq == want.to[i].pair_seq);
    }
    assert_bytes(got.ref, want.ref);
    arena_free(a);
}

static void entry_optional_fields_stay_absent(void **state)
{
    (void)state;
    struct entry want = {.kind = ENTRY_NOTE, .prev = SAMPLE_HASH(0)};
    struct buf out = BUF_INIT;
    assert_int_equal(entry_encode(&want, &out), 0);
    /* index and time_ms at fixed offsets, even when zero */
    assert_memory_equal(out.data,
                        "\x09\0\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0\0\x18\x0d\x20\x00\x2a\x20", 24);
    assert_int_equal(out.len, 56);
    struct arena *a = arena_new(64 * 1024);
    struct entry got;
    assert_int_equal(entry_decode(a, buf_bytes(&out), &got), 0);
    assert_true(got.body_hash.len == 0 && got.seal.len == 0 && got.ref.len == 0);
    assert_true(!got.has_source && got.to_count == 0);
    arena_free(a);
    buf_free(&out);
}

static void entry_first_two_fields_lie_at_fixed_offsets(void **state)
{
    (void)state;
    struct entry e = sample_entry();
    struct buf out = BUF_INIT;
    assert_int_equal(entry_encode(&e, &out), 0);
    assert_memory_equal(out.data + 1, "\x08\x07\x06\x05\x04\x03\0\0", 8);
    buf_free(&out);
}

/* ---- refusals ---- */

static int encode_err(const struct entry *e)
{
    struct buf out = BUF_INIT;
    buf_put_str(&out, "x");
    int err = entry_encode(e, &out);
    if (err)
        assert_string_equal(buf_str(&out), "x");
    buf_free(&out);
    return err;
}

static void entry_encode_wrong_values_are_invalid(void **state)
{
    (void)state;
    struct entry e = sample_entry();
    struct entry_to to[ENTRY_TO_MAX + 1];
    assert_int_equal(encode_err(&e), 0);
#define EXPECT_INVALID(change)                              \
    do {                                                    \
        e = sample_entry();                                 \
        memcpy(to, e.to, e.to_count * sizeof *to);          \
        e.to = to;                                          \
        change;                                             \
        assert_int_equal(encode_err(&e), COMITY_E_INVALID); \
    } while (0)
    EXPECT_INVALID(e.prev.len = 31);
    EXPECT_INVALID(e.index = LEDGER_SIZE_MAX);
    EXPECT_INVALID(e.time_ms = LEDGER_SIZE_MAX);
    EXPECT_INVALID(e.source.index = LEDGER_SIZE_MAX);
    EXPECT_INVALID(e.source.size = LEDGER_SIZE_MAX + 1);
    EXPECT_INVALID(to[0].pair_seq = LEDGER_SIZE_MAX);
    EXPECT_INVALID(e.prev.len = 33);
    EXPECT_INVALID(e.prev.len = 0);
    EXPECT_INVALID(e.body_hash.len = 31);
    EXPECT_INVALID(e.seal.len = 33);
    EXPECT_INVALID(e.source.leaf.len = 31);
    EXPECT_INVALID(e.source.root.len = 33);
    EXPECT_INVALID(e.source.origin = BYTES_LIT("no-origin"));
    EXPECT_INVALID(e.source.origin = BYTES_NONE);
    EXPECT_INVALID(to[0].pair_seq = 0);
    EXPECT_INVALID(to[0].member = BYTES_LIT("330300-001")); /* not sorted */
    EXPECT_INVALID(to[0].member = to[1].member);            /* not unique */
    EXPECT_INVALID(to[2].member = BYTES_LIT("Broker"));     /* no member id */
    EXPECT_INVALID(to[2].member = BYTES_LIT("authority"));
#undef EXPECT_INVALID
}

static void entry_counts_and_sizes_at_the_limit(void **state)
{
    (void)state;
    static uint8_t ref[ENTRY_REF_MAX + 1];
    static char names[ENTRY_TO_MAX + 1][4];
    struct entry_to to[ENTRY_TO_MAX + 1];
    for (unsigned i = 0; i <= ENTRY_TO_MAX; i++) {
        snprintf(names[i], sizeof names[i], "m%02u", i);
        to[i] = (struct entry_to){.member = bytes_of(names[i]), .pair_seq = 1};
    }
    struct entry e = {.prev = SAMPLE_HASH(0), .to = to, .to_count = ENTRY_TO_MAX};
    e.ref = BYTES(ref, ENTRY_REF_MAX);
    assert_int_equal(encode_err(&e), 0);
    e.to_count++;
    assert_int_equal(encode_err(&e), COMITY_E_INVALID);
    e.to_count--;
    e.ref.len++;
    assert_int_equal(encode_err(&e), COMITY_E_INVALID);
}

/* Decodes an entry of the required fields with ${prev}, and ${rest} behind. */
static int decode_err(struct bytes prev, struct bytes rest)
{
    struct buf b = BUF_INIT;
    raw_fixed64(&b, 1, 7);
    raw_fixed64(&b, 2, 8);
    raw_number(&b, 3, 1);
    raw_number(&b, 4, 1);
    raw_bytes(&b, 5, prev);
    buf_put_bytes(&b, rest);
    struct arena *a = arena_new(64 * 1024);
    struct entry e = {.kind = 77};
    int err = entry_decode(a, buf_bytes(&b), &e);
    assert_true(err ? e.kind == 77 : e.kind == 1); /* untouched on failure */
    arena_free(a);
    buf_free(&b);
    return err;
}

static int decode_field_err(uint32_t field, struct bytes value)
{
    struct buf b = BUF_INIT;
    raw_bytes(&b, field, value);
    int err = decode_err(SAMPLE_HASH(0), buf_bytes(&b));
    buf_free(&b);
    return err;
}

static void entry_decode_wrong_lengths_are_malformed(void **state)
{
    (void)state;
    const uint8_t *o = sample_octets();
    assert_int_equal(decode_err(SAMPLE_HASH(0), BYTES_NONE), 0);
    assert_int_equal(decode_err(BYTES(o, 31), BYTES_NONE), COMITY_E_MALFORMED);
    assert_int_equal(decode_err(BYTES(o, 33), BYTES_NONE), COMITY_E_MALFORMED);
    assert_int_equal(decode_err(BYTES_NONE, BYTES_NONE), COMITY_E_MALFORMED);
    for (uint32_t field = 6; field <= 7; field++) {
        assert_int_equal(decode_field_err(field, BYTES(o, 32)), 0);
        assert_int_equal(decode_field_err(field, BYTES(o, 31)), COMITY_E_MALFORMED);
        assert_int_equal(decode_field_err(field, BYTES(o, 33)), COMITY_E_MALFORMED);
    }
    static uint8_t ref[ENTRY_REF_MAX + 1];
    assert_int_equal(decode_field_err(10, BYTES(ref, ENTRY_REF_MAX)), 0);
    assert_int_equal(decode_field_err(10, BYTES(ref, ENTRY_REF_MAX + 1)), COMITY_E_TOO_LARGE);
    static uint8_t huge[ENTRY_BYTES_MAX];
    assert_int_equal(decode_field_err(10, BYTES(huge, sizeof huge)), COMITY_E_TOO_LARGE);
}

static void put_to(struct buf *b, const char *member, uint64_t pair_seq)
{
    struct buf to = BUF_INIT;
    raw_bytes(&to, 1, bytes_of(member));
    raw_number(&to, 2, pair_seq);
    raw_bytes(b, 9, buf_bytes(&to));
    buf_free(&to);
}

static int decode_to_err(const char *first, const char *second, uint64_t pair_seq)
{
    struct buf b = BUF_INIT;
    put_to(&b, first, 1);
    put_to(&b, second, pair_seq);
    int err = decode_err(SAMPLE_HASH(0), buf_bytes(&b));
    buf_free(&b);
    return err;
}

static void entry_decode_recipients_must_be_sorted_unique_and_named(void **state)
{
    (void)state;
    assert_int_equal(decode_to_err("330100-001", "330100-002", 1), 0);
    assert_int_equal(decode_to_err("330100-002", "330100-001", 1), COMITY_E_NOT_CANONICAL);
    assert_int_equal(decode_to_err("330100-001", "330100-001", 1), COMITY_E_NOT_CANONICAL);
    assert_int_equal(decode_to_err("330100-001", "330100-002", 0), COMITY_E_MALFORMED);
    assert_int_equal(decode_to_err("330100-001", "B", 1), COMITY_E_MALFORMED);
    struct buf b = BUF_INIT;
    char name[8];
    for (unsigned i = 0; i <= ENTRY_TO_MAX; i++) {
        snprintf(name, sizeof name, "m%02u", i);
        put_to(&b, name, 1);
    }
    assert_int_equal(decode_err(SAMPLE_HASH(0), buf_bytes(&b)), COMITY_E_TOO_LARGE);
    buf_free(&b);
}

static void entry_kind_words_cover_the_table(void **state)
{
    (void)state;
    assert_string_equal(entry_kind_word(ENTRY_RECORD), "RECORD");
    assert_string_equal(entry_kind_word(ENTRY_NOTE), "NOTE");
    assert_string_equal(entry_kind_word(0), "UNKNOWN");
    assert_string_equal(entry_kind_word(14), "UNKNOWN");
    assert_string_equal(entry_kind_word(UINT32_MAX), "UNKNOWN");
}

/* ---- body ---- */

static void body_every_field_comes_back(void **state)
{
    (void)state;
    struct body want = sample_body();
    struct buf out = BUF_INIT;
    assert_int_equal(body_encode(&want, &out), 0);
    struct arena *a = arena_new(64 * 1024);
    struct body got;
    assert_int_equal(body_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out);
    assert_bytes(got.record, want.record);
    assert_int_equal(got.note_count, 2);
    assert_bytes(got.notes[0], want.notes[0]);
    assert_bytes(got.notes[1], want.notes[1]);
    assert_bytes(got.request_id, want.request_id);
    assert_int_equal(got.role_count, 3);
    assert_memory_equal(got.roles, want.roles, 3 * sizeof *got.roles);
    assert_bytes(got.remark, want.remark);
    arena_free(a);
}

static void body_empty_is_no_bytes(void **state)
{
    (void)state;
    struct body b = {.note_count = 0};
    struct buf out = BUF_INIT;
    assert_int_equal(body_encode(&b, &out), 0);
    assert_int_equal(out.len, 0);
    struct arena *a = arena_new(64 * 1024);
    assert_int_equal(body_decode(a, BYTES_NONE, &b), 0);
    arena_free(a);
    buf_free(&out);
}

static int body_err(const struct body *b)
{
    struct buf out = BUF_INIT;
    int err = body_encode(b, &out);
    assert_true(err == 0 || out.len == 0);
    buf_free(&out);
    return err;
}

static void body_beyond_its_limits_is_invalid(void **state)
{
    (void)state;
    static uint8_t octets[BODY_BYTES_MAX];
    static uint32_t roles[BODY_ROLES_MAX + 1];
    static struct bytes notes[BODY_NOTES_MAX + 1];
    for (size_t i = 0; i <= BODY_NOTES_MAX; i++)
        notes[i] = BYTES_LIT("n");
    struct body b = {.record = BYTES(octets, BODY_BYTES_MAX - 4)};
    assert_int_equal(body_err(&b), 0); /* with tag and length the largest there can be */
    b.record.len++;
    assert_int_equal(body_err(&b), COMITY_E_INVALID);
    b = (struct body){.roles = roles, .role_count = BODY_ROLES_MAX};
    assert_int_equal(body_err(&b), 0);
    b.role_count++;
    assert_int_equal(body_err(&b), COMITY_E_INVALID);
    b = (struct body){.notes = notes, .note_count = BODY_NOTES_MAX};
    assert_int_equal(body_err(&b), 0);
    b.note_count++;
    assert_int_equal(body_err(&b), COMITY_E_INVALID);
    b = (struct body){.request_id = BYTES(octets, BODY_REQUEST_ID_MAX)};
    assert_int_equal(body_err(&b), 0);
    b.request_id.len++;
    assert_int_equal(body_err(&b), COMITY_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_every_field_comes_back),
        cmocka_unit_test(entry_optional_fields_stay_absent),
        cmocka_unit_test(entry_first_two_fields_lie_at_fixed_offsets),
        cmocka_unit_test(entry_encode_wrong_values_are_invalid),
        cmocka_unit_test(entry_counts_and_sizes_at_the_limit),
        cmocka_unit_test(entry_decode_wrong_lengths_are_malformed),
        cmocka_unit_test(entry_decode_recipients_must_be_sorted_unique_and_named),
        cmocka_unit_test(entry_kind_words_cover_the_table),
        cmocka_unit_test(body_every_field_comes_back),
        cmocka_unit_test(body_empty_is_no_bytes),
        cmocka_unit_test(body_beyond_its_limits_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
