/* Parcels, heads and openings: every field comes back, and what the format forbids is refused. */
#include "msg/parcel.h"

#include "unit/msg/samples.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_CAP = 8 * 1024 * 1024 };

static void assert_bytes(struct bytes got, struct bytes want)
{
    assert_true(bytes_equal(got, want));
}

static void assert_lists(const struct bytes *got, size_t n, const struct bytes *want, size_t want_n)
{
    assert_int_equal(n, want_n);
    for (size_t i = 0; i < n; i++)
        assert_bytes(got[i], want[i]);
}

static void head_every_field_comes_back(void **state)
{
    (void)state;
    struct parcel_head want = sample_head();
    struct buf out = BUF_INIT;
    assert_int_equal(parcel_head_encode(&want, &out), 0);
    struct arena *a = arena_new(ARENA_CAP);
    struct parcel_head got;
    assert_int_equal(parcel_head_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out);
    assert_bytes(got.origin, want.origin);
    assert_lists(got.recipients, got.recipient_count, want.recipients, want.recipient_count);
    assert_lists(got.entries, got.entry_count, want.entries, want.entry_count);
    assert_bytes(got.checkpoint, want.checkpoint);
    assert_int_equal(got.since_count, want.since_count);
    for (size_t i = 0; i < want.since_count; i++) {
        assert_bytes(got.since[i].member, want.since[i].member);
        assert_true(got.since[i].size == want.since[i].size);
    }
    assert_lists(got.proof, got.proof_count, want.proof, want.proof_count);
    assert_lists(got.blobs, got.blob_count, want.blobs, want.blob_count);
    assert_int_equal(got.enclosure_count, want.enclosure_count);
    for (size_t i = 0; i < want.enclosure_count; i++) {
        const struct parcel_enclosure *g = &got.enclosures[i];
        const struct parcel_enclosure *w = &want.enclosures[i];
        assert_bytes(g->entry, w->entry);
        assert_bytes(g->checkpoint, w->checkpoint);
        assert_lists(g->proof, g->proof_count, w->proof, w->proof_count);
        assert_bytes(g->routed, w->routed);
    }
    arena_free(a);
}

static int head_err(const struct parcel_head *h)
{
    struct buf out = BUF_INIT;
    int err = parcel_head_encode(h, &out);
    assert_true(err == 0 || out.len == 0);
    buf_free(&out);
    return err;
}

static void head_wrong_values_are_invalid(void **state)
{
    (void)state;
    struct parcel_head h = sample_head();
    assert_int_equal(head_err(&h), 0);
    struct bytes list[2];
    struct parcel_since since[3];
    struct parcel_enclosure enclosures[2];
#define EXPECT_INVALID(member, ...)                          \
    do {                                                     \
        h = sample_head();                                   \
        memcpy(since, h.since, sizeof since);                \
        memcpy(enclosures, h.enclosures, sizeof enclosures); \
        memcpy(list, h.member, sizeof list);                 \
        h.member = list;                                     \
        h.since = since;                                     \
        h.enclosures = enclosures;                           \
        __VA_ARGS__;                                         \
        assert_int_equal(head_err(&h), COMITY_E_INVALID);    \
    } while (0)
    EXPECT_INVALID(proof, h.origin = BYTES_LIT("cn-samr"));
    EXPECT_INVALID(proof, h.checkpoint = BYTES_NONE);
    EXPECT_INVALID(proof, list[1].len = 31);
    EXPECT_INVALID(proof, list[1].len = 33);
    EXPECT_INVALID(blobs, list[1].len = 39);
    EXPECT_INVALID(blobs, list[1] = list[0]);
    EXPECT_INVALID(blobs, list[0] = h.blobs[1], list[1] = BYTES(sample_octets(), PARCEL_BLOB_LEN));
    EXPECT_INVALID(recipients, list[1] = list[0]);
    EXPECT_INVALID(recipients, list[0] = BYTES_LIT("x"), list[1] = BYTES_LIT("a"));
    EXPECT_INVALID(recipients, list[1] = BYTES_LIT("X"));
    EXPECT_INVALID(entries, list[0] = BYTES_NONE);
    EXPECT_INVALID(proof, since[1].size = since[0].size);
    EXPECT_INVALID(proof, since[1].size = since[0].size - 1);
    EXPECT_INVALID(proof, since[2].member = BYTES_LIT("330000-001"));
    EXPECT_INVALID(proof, since[2].member = BYTES_LIT("?"));
    EXPECT_INVALID(proof, enclosures[0].entry = BYTES_NONE);
    EXPECT_INVALID(proof, enclosures[1].proof = list, enclosures[1].proof_count = 2,
                   list[0].len = 8);
#undef EXPECT_INVALID
}

static void head_decode_order_is_part_of_the_encoding(void **state)
{
    (void)state;
    struct parcel_head h = sample_head();
    struct buf out = BUF_INIT;
    h.recipient_count = 0;
    h.since_count = 0;
    assert_int_equal(parcel_head_encode(&h, &out), 0);
    struct bytes blob = BYTES(sample_octets() + 1, PARCEL_BLOB_LEN);
    uint8_t *second = memmem(out.data, out.len, blob.data, blob.len);
    assert_non_null(second);
    struct arena *a = arena_new(ARENA_CAP);
    assert_int_equal(parcel_head_decode(a, buf_bytes(&out), &h), 0);
    memcpy(second, sample_octets(), PARCEL_BLOB_LEN); /* the first once more */
    assert_int_equal(parcel_head_decode(a, buf_bytes(&out), &h), COMITY_E_NOT_CANONICAL);
    arena_free(a);
    buf_free(&out);
}

static void head_counts_hold_when_decoding(void **state)
{
    (void)state;
    static const struct {
        uint32_t field;
        unsigned max;
        size_t len;
    } lists[] = {{3, PARCEL_ENTRIES_MAX, 1}, {6, PARCEL_PROOF_MAX, 32}};
    for (size_t i = 0; i < 2; i++) {
        struct buf b = BUF_INIT;
        raw_bytes(&b, 1, BYTES_LIT("n/a"));
        if (lists[i].field > 4)
            raw_bytes(&b, 4, BYTES_LIT("note"));
        for (unsigned n = 0; n < lists[i].max; n++)
            raw_bytes(&b, lists[i].field, BYTES(sample_octets(), lists[i].len));
        size_t at_limit = b.len;
        raw_bytes(&b, lists[i].field, BYTES(sample_octets(), lists[i].len));
        struct arena *a = arena_new(ARENA_CAP);
        struct parcel_head h;
        assert_int_equal(parcel_head_decode(a, buf_bytes(&b), &h), COMITY_E_TOO_LARGE);
        b.len = at_limit;
        if (lists[i].field < 4)
            raw_bytes(&b, 4, BYTES_LIT("note"));
        assert_int_equal(parcel_head_decode(a, buf_bytes(&b), &h), 0);
        arena_free(a);
        buf_free(&b);
    }
}

static void parcel_every_field_comes_back(void **state)
{
    (void)state;
    struct parcel want = sample_parcel();
    struct buf out = BUF_INIT;
    assert_int_equal(parcel_encode(&want, &out), 0);
    struct arena *a = arena_new(ARENA_CAP);
    struct parcel got;
    assert_int_equal(parcel_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out);
    assert_bytes(got.head, want.head);
    assert_bytes(got.sealed, want.sealed);
    assert_lists(got.wraps, got.wrap_count, want.wraps, want.wrap_count);
    arena_free(a);
}

static int parcel_err(const struct parcel *p)
{
    struct buf out = BUF_INIT;
    int err = parcel_encode(p, &out);
    assert_true(err == 0 || out.len == 0);
    buf_free(&out);
    return err;
}

static void parcel_wrong_values_are_invalid(void **state)
{
    (void)state;
    static uint8_t octets[PARCEL_BYTES_MAX];
    static struct bytes wraps[PARCEL_RECIPIENTS_MAX + 2];
    for (size_t i = 0; i < PARCEL_RECIPIENTS_MAX + 2; i++)
        wraps[i] = BYTES(octets, PARCEL_WRAP_LEN);
    struct parcel p = {.head = BYTES_LIT("h"), .wraps = wraps};
    p.wrap_count = PARCEL_RECIPIENTS_MAX + 1;
    assert_int_equal(parcel_err(&p), 0);
    p.wrap_count++;
    assert_int_equal(parcel_err(&p), COMITY_E_INVALID);
    p.wrap_count = 1;
    wraps[0].len--;
    assert_int_equal(parcel_err(&p), COMITY_E_INVALID);
    p = (struct parcel){.sealed = BYTES_LIT("s")};
    assert_int_equal(parcel_err(&p), COMITY_E_INVALID);
    p = (struct parcel){.head = BYTES(octets, PARCEL_BYTES_MAX - 4)};
    assert_int_equal(parcel_err(&p), 0);
    p.head.len++;
    assert_int_equal(parcel_err(&p), COMITY_E_INVALID);
}

static void openings_every_field_comes_back(void **state)
{
    (void)state;
    struct openings want = sample_openings();
    struct buf out = BUF_INIT;
    assert_int_equal(openings_encode(&want, &out), 0);
    struct arena *a = arena_new(ARENA_CAP);
    struct openings got;
    assert_int_equal(openings_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out);
    assert_int_equal(got.count, want.count);
    for (size_t i = 0; i < want.count; i++) {
        assert_bytes(got.opening[i].salt, want.opening[i].salt);
        assert_bytes(got.opening[i].body, want.opening[i].body);
    }
    arena_free(a);
}

static void openings_wrong_values_are_invalid(void **state)
{
    (void)state;
    static uint8_t octets[BODY_BYTES_MAX + 1];
    struct opening one = {.salt = SAMPLE_HASH(0), .body = BYTES(octets, BODY_BYTES_MAX)};
    struct openings o = {.opening = &one, .count = 1};
    struct buf out = BUF_INIT;
    assert_int_equal(openings_encode(&o, &out), 0);
    one.body.len++;
    assert_int_equal(openings_encode(&o, &out), COMITY_E_INVALID);
    one.body.len = 1;
    one.salt.len = 16;
    assert_int_equal(openings_encode(&o, &out), COMITY_E_INVALID);
    one.salt.len = 0; /* a body that nothing opens */
    assert_int_equal(openings_encode(&o, &out), COMITY_E_INVALID);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_every_field_comes_back),
        cmocka_unit_test(head_wrong_values_are_invalid),
        cmocka_unit_test(head_decode_order_is_part_of_the_encoding),
        cmocka_unit_test(head_counts_hold_when_decoding),
        cmocka_unit_test(parcel_every_field_comes_back),
        cmocka_unit_test(parcel_wrong_values_are_invalid),
        cmocka_unit_test(openings_every_field_comes_back),
        cmocka_unit_test(openings_wrong_values_are_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
