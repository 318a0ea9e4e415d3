/* What the bounded, canonical decoder refuses: mostly shown on ledger entries, which have every
 * kind of field. */
#include "msg/codec.h"

#include "unit/msg/samples.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

extern const ProtobufCMessageDescriptor comity__ledger_entry__descriptor;
extern const ProtobufCMessageDescriptor comity__openings__descriptor;

enum { ARENA_CAP = 4 * 1024 * 1024 };

static int decoder_err(const char *name, struct bytes bytes)
{
    struct arena *a = arena_new(ARENA_CAP);
    assert_non_null(a);
    struct buf out = BUF_INIT;
    int err = decoder_named(name)->again(a, bytes, &out);
    if (!err)
        assert_true(bytes_equal(buf_bytes(&out), bytes));
    buf_free(&out);
    arena_free(a);
    return err;
}

/* Decodes as ${name} and frees ${b}. */
static int err_of(const char *name, struct buf *b)
{
    assert_int_equal(buf_check(b), 0);
    int err = decoder_err(name, buf_bytes(b));
    buf_free(b);
    return err;
}

static void put_index_and_time(struct buf *b)
{
    raw_fixed64(b, 1, 7);
    raw_fixed64(b, 2, 8);
}

/* The five required fields of an entry. */
static void put_required(struct buf *b)
{
    put_index_and_time(b);
    raw_number(b, 3, 1);
    raw_number(b, 4, 300);
    raw_bytes(b, 5, SAMPLE_HASH(0));
}

/* An entry with one recipient, whose bytes are ${to}. */
static int err_of_to(struct buf *to)
{
    struct buf b = BUF_INIT;
    put_required(&b);
    raw_bytes(&b, 9, buf_bytes(to));
    buf_free(to);
    return err_of("entry", &b);
}

static void minimal_entry_by_hand_is_accepted(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    put_required(&b);
    assert_int_equal(err_of("entry", &b), 0);
    raw_bytes(&b, 1, BYTES_LIT("330100-001"));
    raw_number(&b, 2, 1);
    assert_int_equal(err_of_to(&b), 0);
}

static void unknown_field_is_refused_at_every_depth(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    put_required(&b);
    raw_number(&b, 11, 1);
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
    put_required(&b);
    raw_number(&b, 0, 1);
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
    raw_bytes(&b, 1, BYTES_LIT("330100-001"));
    raw_number(&b, 2, 1);
    raw_bytes(&b, 3, BYTES_LIT("?"));
    assert_int_equal(err_of_to(&b), COMITY_E_NOT_CANONICAL);
}

static void singular_field_twice_is_refused(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    raw_fixed64(&b, 1, 7);
    put_required(&b);
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
    raw_bytes(&b, 1, BYTES_LIT("330100-001"));
    raw_number(&b, 2, 1);
    raw_number(&b, 2, 1);
    assert_int_equal(err_of_to(&b), COMITY_E_NOT_CANONICAL);
}

static void fields_out_of_order_are_refused(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    raw_fixed64(&b, 2, 8);
    raw_fixed64(&b, 1, 7);
    raw_number(&b, 3, 1);
    raw_number(&b, 4, 300);
    raw_bytes(&b, 5, SAMPLE_HASH(0));
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
    raw_number(&b, 2, 1);
    raw_bytes(&b, 1, BYTES_LIT("330100-001"));
    assert_int_equal(err_of_to(&b), COMITY_E_NOT_CANONICAL);
}

static void padded_varint_is_refused_as_value_length_and_tag(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    put_index_and_time(&b);
    buf_put_bytes(&b, BYTES_LIT("\x18\x81\x00\x20\x01"));
    raw_bytes(&b, 5, SAMPLE_HASH(0));
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
    put_index_and_time(&b);
    buf_put_bytes(&b, BYTES_LIT("\x18\x01\x20\x01\x2a\xa0\x00"));
    buf_put_bytes(&b, SAMPLE_HASH(0));
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
    put_index_and_time(&b);
    buf_put_bytes(&b, BYTES_LIT("\x98\x00\x01\x20\x01"));
    raw_bytes(&b, 5, SAMPLE_HASH(0));
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
}

static void varint_beyond_its_type_is_refused(void **state)
{
    (void)state;
    static const uint64_t kinds[] = {(uint64_t)UINT32_MAX + 1, UINT64_MAX};
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < 2; i++) {
        put_index_and_time(&b);
        raw_number(&b, 3, kinds[i]);
        raw_number(&b, 4, 1);
        raw_bytes(&b, 5, SAMPLE_HASH(0));
        assert_int_equal(err_of("entry", &b), COMITY_E_MALFORMED);
    }
    static const struct bytes longs[] = {
        BYTES_LIT("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),     /* 65 bits */
        BYTES_LIT("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* 11 bytes */
        BYTES_LIT("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00"),
    };
    for (size_t i = 0; i < 3; i++) {
        put_index_and_time(&b);
        raw_number(&b, 3, 1);
        buf_put_bytes(&b, longs[i]);
        raw_bytes(&b, 5, SAMPLE_HASH(0));
        assert_int_equal(err_of("entry", &b), COMITY_E_MALFORMED);
    }
    raw_number(&b, 1, 1);
    raw_number(&b, 2, 0);
    raw_number(&b, 5, 2);
    assert_int_equal(err_of("control_reply", &b), COMITY_E_MALFORMED);
}

static void missing_required_field_is_refused(void **state)
{
    (void)state;
    struct buf whole = BUF_INIT;
    put_required(&whole);
    static const size_t start[] = {0, 9, 18, 20, 23, 57};
    assert_int_equal(whole.len, start[5]);
    for (size_t i = 0; i < 5; i++) {
        struct buf b = BUF_INIT;
        buf_put_bytes(&b, bytes_slice(buf_bytes(&whole), 0, start[i]));
        buf_put_bytes(&b, bytes_slice(buf_bytes(&whole), start[i + 1], whole.len));
        assert_int_equal(err_of("entry", &b), COMITY_E_MALFORMED);
    }
    buf_free(&whole);
    struct buf b = BUF_INIT;
    raw_number(&b, 2, 1);
    assert_int_equal(err_of_to(&b), COMITY_E_MALFORMED);
    raw_bytes(&b, 1, BYTES_LIT("330100-001"));
    assert_int_equal(err_of_to(&b), COMITY_E_MALFORMED);
    assert_int_equal(decoder_err("entry", BYTES_NONE), COMITY_E_MALFORMED);
}

static void wrong_wire_type_is_refused(void **state)
{
    (void)state;
    static const struct bytes heads[] = {
        BYTES_LIT("\x08\x07"),             /* index as a varint */
        BYTES_LIT("\x0d\x07\x00\x00\x00"), /* as 32 bits */
        BYTES_LIT("\x0a\x01\x07"),         /* as bytes */
        BYTES_LIT("\x0b\x0c"),             /* as a group */
        BYTES_LIT("\x0c"),                 /* the end of one */
        BYTES_LIT("\x0e"),                 /* no wire type at all */
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct buf b = BUF_INIT;
        buf_put_bytes(&b, heads[i]);
        raw_fixed64(&b, 2, 8);
        raw_number(&b, 3, 1);
        raw_number(&b, 4, 1);
        raw_bytes(&b, 5, SAMPLE_HASH(0));
        assert_int_equal(err_of("entry", &b), COMITY_E_MALFORMED);
    }
    struct buf b = BUF_INIT;
    put_required(&b);
    raw_number(&b, 9, 1); /* a message as a number */
    assert_int_equal(err_of("entry", &b), COMITY_E_MALFORMED);
    raw_bytes(&b, 4, BYTES_LIT("\1\2")); /* roles, packed */
    assert_int_equal(err_of("body", &b), COMITY_E_MALFORMED);
}

static void length_beyond_the_enclosing_message_is_refused(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    put_required(&b);
    buf_put_bytes(&b, BYTES_LIT("\x4a\x04\x0a\x0a")); /* To of 4 bytes, member of 10 */
    buf_put_bytes(&b, BYTES_LIT("330100-001\x10\x01"));
    assert_int_equal(err_of("entry", &b), COMITY_E_MALFORMED);
    put_required(&b);
    buf_put_bytes(&b, BYTES_LIT("\x52\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")); /* 2^64-1 */
    assert_int_equal(err_of("entry", &b), COMITY_E_MALFORMED);
}

static void string_that_is_no_text_is_refused(void **state)
{
    (void)state;
    static const struct bytes bad[] = {BYTES_LIT("a\0b"),         BYTES_LIT("\0"),
                                       BYTES_LIT("\xff"),         BYTES_LIT("ab\xc0\x80"),
                                       BYTES_LIT("\xed\xa0\x80"), BYTES_LIT("\xe5\xa4")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf b = BUF_INIT;
        raw_bytes(&b, 5, bad[i]);
        assert_int_equal(err_of("body", &b), COMITY_E_MALFORMED);
        struct body body = {.remark = bad[i]};
        assert_int_equal(body_encode(&body, &b), COMITY_E_INVALID);
        buf_free(&b);
    }
}

static void optional_field_present_and_empty_is_refused(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    put_required(&b);
    raw_bytes(&b, 10, BYTES_NONE);
    assert_int_equal(err_of("entry", &b), COMITY_E_NOT_CANONICAL);
    raw_bytes(&b, 5, BYTES_NONE);
    assert_int_equal(err_of("body", &b), COMITY_E_NOT_CANONICAL);
    raw_bytes(&b, 1, BYTES_NONE);
    assert_int_equal(err_of("body", &b), COMITY_E_NOT_CANONICAL);
    raw_number(&b, 1, 1);
    raw_number(&b, 2, 0);
    raw_number(&b, 5, 0); /* more = false */
    assert_int_equal(err_of("control_reply", &b), COMITY_E_NOT_CANONICAL);
}

static void oneof_with_two_messages_is_refused(void **state)
{
    (void)state;
    struct buf resync = BUF_INIT;
    raw_bytes(&resync, 10, BYTES_NONE);
    struct buf b = BUF_INIT;
    buf_put_bytes(&b, buf_bytes(&resync));
    assert_int_equal(err_of("frame", &b), 0);
    struct frame ping = sample_frame(FRAME_PING);
    buf_put_bytes(&b, buf_bytes(&resync));
    assert_int_equal(frame_encode(&ping, &b), 0);
    assert_int_equal(err_of("frame", &b), COMITY_E_NOT_CANONICAL);
    buf_put_bytes(&b, buf_bytes(&resync));
    buf_put_bytes(&b, buf_bytes(&resync));
    assert_int_equal(err_of("frame", &b), COMITY_E_NOT_CANONICAL);
    buf_free(&resync);
}

/* ---- limits, on codec_check() itself ---- */

static const struct codec_repeated two_recipients[] = {{&comity__ledger_entry__descriptor, 9, 2}};
static const struct codec_limits loose = {.bytes_max = 1000,
                                          .depth_max = 2,
                                          .fields_max = 100,
                                          .repeated = two_recipients,
                                          .repeated_count = 1};

/* An entry with ${n} recipients, decoded within ${limits}. */
static int err_within(struct codec_limits limits, unsigned n)
{
    struct buf b = BUF_INIT;
    put_required(&b);
    for (unsigned i = 0; i < n; i++)
        raw_bytes(&b, 9, BYTES_LIT("\x0a\x01m\x10\x01"));
    int err = codec_check(buf_bytes(&b), &comity__ledger_entry__descriptor, &limits);
    buf_free(&b);
    return err;
}

static void limits_hold_exactly(void **state)
{
    (void)state;
    assert_int_equal(err_within(loose, 2), 0);
    assert_int_equal(err_within(loose, 3), COMITY_E_TOO_LARGE);
    struct codec_limits l = loose;
    l.bytes_max = 57 + 2 * 7;
    assert_int_equal(err_within(l, 2), 0);
    l.bytes_max--;
    assert_int_equal(err_within(l, 2), COMITY_E_TOO_LARGE);
    l = loose;
    l.fields_max = 5 + 2 * 3;
    assert_int_equal(err_within(l, 2), 0);
    l.fields_max--;
    assert_int_equal(err_within(l, 2), COMITY_E_TOO_LARGE);
    l = loose;
    l.depth_max = 1;
    assert_int_equal(err_within(l, 0), 0);
    assert_int_equal(err_within(l, 1), COMITY_E_TOO_DEEP);
    l = loose;
    l.repeated_count = 0; /* not listed: not allowed */
    assert_int_equal(err_within(l, 0), 0);
    assert_int_equal(err_within(l, 1), COMITY_E_TOO_LARGE);
}

static void empty_submessages_beyond_the_count_cost_no_memory(void **state)
{
    (void)state;
    enum { N = 512 * 1024 };
    struct buf b = BUF_INIT;
    for (unsigned i = 0; i < N; i++)
        raw_bytes(&b, 1, BYTES_NONE);
    assert_int_equal(b.len, 1024 * 1024);
    struct bytes most = bytes_slice(buf_bytes(&b), 0, PARCEL_BYTES_MAX);
    struct arena *a = arena_new(ARENA_CAP);
    struct openings o;
    assert_int_equal(openings_decode(a, most, &o), COMITY_E_TOO_LARGE);
    assert_int_equal(arena_used(a), 0); /* refused before any memory was given out */
    arena_free(a);
    buf_free(&b);
}

static void first_field_says_which_message_of_a_oneof(void **state)
{
    (void)state;
    assert_int_equal(codec_first_field(BYTES_LIT("\x52\x00")), 10);
    assert_int_equal(codec_first_field(BYTES_NONE), 0);
    assert_int_equal(codec_first_field(BYTES_LIT("\x80")), 0);
    assert_int_equal(codec_first_field(BYTES_LIT("\xff\xff\xff\xff\xff\x01")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimal_entry_by_hand_is_accepted),
        cmocka_unit_test(unknown_field_is_refused_at_every_depth),
        cmocka_unit_test(singular_field_twice_is_refused),
        cmocka_unit_test(fields_out_of_order_are_refused),
        cmocka_unit_test(padded_varint_is_refused_as_value_length_and_tag),
        cmocka_unit_test(varint_beyond_its_type_is_refused),
        cmocka_unit_test(missing_required_field_is_refused),
        cmocka_unit_test(wrong_wire_type_is_refused),
        cmocka_unit_test(length_beyond_the_enclosing_message_is_refused),
        cmocka_unit_test(string_that_is_no_text_is_refused),
        cmocka_unit_test(optional_field_present_and_empty_is_refused),
        cmocka_unit_test(oneof_with_two_messages_is_refused),
        cmocka_unit_test(limits_hold_exactly),
        cmocka_unit_test(empty_submessages_beyond_the_count_cost_no_memory),
        cmocka_unit_test(first_field_says_which_message_of_a_oneof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
