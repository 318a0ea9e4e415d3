/* Frames of session and bulk socket: every field of every kind comes back, and what the format
 * forbids is refused. */
#include "msg/frame.h"

#include "unit/msg/samples.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_CAP = 4 * 1024 * 1024 };

static void assert_bytes(struct bytes got, struct bytes want)
{
    assert_true(bytes_equal(got, want));
}

/* The sample of ${kind}, encoded and decoded. */
static struct frame frame_back(struct arena *a, enum frame_kind kind)
{
    struct frame want = sample_frame(kind);
    struct frame got;
    struct buf out = BUF_INIT;
    assert_int_equal(frame_encode(&want, &out), 0);
    assert_int_equal(frame_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out);
    assert_int_equal(got.kind, kind);
    assert_bytes(got.epoch, want.epoch);
    return got;
}

static void hello_and_welcome_come_back(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA_CAP);
    struct frame f = frame_back(a, FRAME_HELLO);
    assert_int_equal(f.u.hello.version, PROTOCOL_VERSION);
    assert_true(bytes_is(f.u.hello.origin, "cn-samr/330100-001"));
    assert_true(f.u.hello.roster == 4 && f.u.hello.taken == 0 && f.u.hello.answered == 200);
    assert_bytes(f.u.hello.checkpoint, SAMPLE_NOTE);
    assert_true(bytes_is(f.u.hello.broker_note, "note"));
    assert_true(f.u.hello.credit == 1 << 20);
    f = frame_back(a, FRAME_WELCOME);
    assert_true(f.u.welcome.roster == 4 && f.u.welcome.parcel_seq == 5);
    assert_true(f.u.welcome.first_delivery == 6 && f.u.welcome.credit == 7);
    assert_true(bytes_is(f.u.welcome.seen, "seen"));
    assert_bytes(f.u.welcome.checkpoint, SAMPLE_NOTE);
    assert_int_equal(f.u.welcome.proof_count, 2);
    assert_bytes(f.u.welcome.proof[1], SAMPLE_HASH(21));
    assert_true(f.u.welcome.clock_ms == 1795513635000);
    arena_free(a);
}

static void parcels_come_back(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA_CAP);
    struct frame f = frame_back(a, FRAME_SUBMIT);
    assert_true(f.u.submit.parcel_seq == 8 && bytes_is(f.u.submit.parcel, "a parcel"));
    f = frame_back(a, FRAME_ANSWER);
    assert_true(f.u.answer.parcel_seq == 9 && f.u.answer.credit == 10);
    assert_true(bytes_is(f.u.answer.statement, "a statement"));
    f = frame_back(a, FRAME_DELIVER);
    assert_true(f.u.deliver.delivery_seq == 11);
    assert_true(bytes_is(f.u.deliver.statement, "a statement"));
    assert_true(bytes_is(f.u.deliver.parcel, "a parcel"));
    f = frame_back(a, FRAME_TAKEN);
    assert_true(f.u.taken.delivery_seq == 12 && f.u.taken.credit == 13);
    arena_free(a);
}

static void the_other_kinds_come_back(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA_CAP);
    struct frame f = frame_back(a, FRAME_ROSTER_ASK);
    assert_true(f.u.roster_ask.number == 14 && f.u.roster_ask.part == 15);
    f = frame_back(a, FRAME_ROSTER_PART);
    assert_true(f.u.roster_part.number == 16 && f.u.roster_part.part == 1);
    assert_true(f.u.roster_part.parts == 2 && bytes_is(f.u.roster_part.data, "part of a roster"));
    f = frame_back(a, FRAME_BYE);
    assert_true(bytes_is(f.u.bye.token, "rollback") && bytes_is(f.u.bye.detail, "812 < 1024"));
    assert_true(f.u.bye.has_known_size && f.u.bye.known_size == 1024);
    frame_back(a, FRAME_RESYNC);
    f = frame_back(a, FRAME_PING);
    assert_true(f.u.ping.credit == 17);
    f = frame_back(a, FRAME_PONG);
    assert_true(f.u.pong.credit == 18);
    assert_bytes(f.u.pong.checkpoint, SAMPLE_NOTE);
    f = frame_back(a, FRAME_PROVE);
    assert_true(f.u.prove.from == 19 && f.u.prove.to == 20);
    f = frame_back(a, FRAME_PROOF);
    assert_true(f.u.proof.from == 19 && f.u.proof.to == 20 && f.u.proof.proof_count == 2);
    assert_bytes(f.u.proof.proof[0], SAMPLE_HASH(20));
    assert_bytes(f.u.proof.checkpoint, SAMPLE_NOTE);
    f = frame_back(a, FRAME_RECALL);
    assert_true(bytes_is(f.u.recall.origin, "cn-samr/330100-001") && f.u.recall.after == 21);
    f = frame_back(a, FRAME_RECALLED);
    assert_true(bytes_is(f.u.recalled.origin, "cn-samr/330100-001"));
    assert_true(f.u.recalled.parcel_seq == 22 && f.u.recalled.last == 23);
    assert_bytes(f.u.recalled.statement, BYTES_LIT("statement"));
    assert_bytes(f.u.recalled.parcel, BYTES_LIT("parcel"));
    arena_free(a);
}

static int frame_err(const struct frame *f)
{
    struct buf out = BUF_INIT;
    int err = frame_encode(f, &out);
    assert_true(err == 0 || out.len == 0);
    buf_free(&out);
    return err;
}

static void epoch_is_sixteen_bytes_in_every_kind_that_has_one(void **state)
{
    (void)state;
    for (enum frame_kind kind = FRAME_HELLO; kind <= FRAME_LAST; kind++) {
        struct frame f = sample_frame(kind);
        bool without = kind == FRAME_HELLO || kind == FRAME_BYE || kind == FRAME_RESYNC;
        f.epoch.len = 15;
        assert_int_equal(frame_err(&f), without ? 0 : COMITY_E_INVALID);
        f = sample_frame(kind);
        f.epoch = BYTES(sample_octets(), 17);
        assert_int_equal(frame_err(&f), without ? 0 : COMITY_E_INVALID);
    }
}

static void recalled_parcel_comes_with_its_statement_and_not_beyond_the_last(void **state)
{
    (void)state;
    struct frame f = sample_frame(FRAME_RECALLED);
    f.u.recalled.statement = BYTES_NONE;
    assert_int_not_equal(frame_err(&f), 0);
    f.u.recalled.parcel = BYTES_NONE;
    assert_int_equal(frame_err(&f), 0);
    f.u.recalled.parcel_seq = 24;
    assert_int_not_equal(frame_err(&f), 0);
}

static void frame_wrong_values_are_invalid(void **state)
{
    (void)state;
    static uint8_t octets[FRAME_BYTES_MAX];
    static struct bytes proof[FRAME_PROOF_MAX + 1];
    for (size_t i = 0; i <= FRAME_PROOF_MAX; i++)
        proof[i] = SAMPLE_HASH(0);
    struct frame f = sample_frame(FRAME_PROOF);
    f.u.proof.proof = proof;
    f.u.proof.proof_count = FRAME_PROOF_MAX;
    assert_int_equal(frame_err(&f), 0);
    f.u.proof.proof_count++;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f.u.proof.proof_count = 1;
    proof[0].len = 31;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f = sample_frame(FRAME_ROSTER_PART);
    f.u.roster_part.data = BYTES(octets, ROSTER_PART_MAX);
    assert_int_equal(frame_err(&f), 0);
    f.u.roster_part.data.len++;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f = sample_frame(FRAME_ROSTER_PART);
    f.u.roster_part.part = f.u.roster_part.parts;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f.u.roster_part.part = 0;
    f.u.roster_part.parts = ROSTER_PARTS_MAX + 1;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f = sample_frame(FRAME_ROSTER_ASK);
    f.u.roster_ask.part = ROSTER_PARTS_MAX;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f = sample_frame(FRAME_HELLO);
    f.u.hello.origin = BYTES_LIT("330100-001");
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f = sample_frame(FRAME_BYE);
    f.u.bye.token = BYTES_NONE;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f = (struct frame){.kind = 0};
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f.kind = FRAME_PROOF + 1;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
}

static void parcel_and_statement_share_the_limit_of_a_frame(void **state)
{
    (void)state;
    static uint8_t octets[FRAME_BYTES_MAX];
    struct frame f = sample_frame(FRAME_SUBMIT);
    f.u.submit.parcel = BYTES(octets, 960 * 1024);
    assert_int_equal(frame_err(&f), 0);
    f.u.submit.parcel.len++;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
    f = sample_frame(FRAME_DELIVER);
    f.u.deliver.parcel = BYTES(octets, 960 * 1024);
    f.u.deliver.statement = BYTES(octets, 64 * 1024 - 100);
    assert_int_equal(frame_err(&f), 0);
    f.u.deliver.statement.len += 100;
    assert_int_equal(frame_err(&f), COMITY_E_INVALID);
}

static int decode_err(struct bytes bytes)
{
    struct arena *a = arena_new(ARENA_CAP);
    struct frame f;
    int err = frame_decode(a, bytes, &f);
    arena_free(a);
    return err;
}

static void frame_of_no_or_another_kind_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(decode_err(BYTES_NONE), COMITY_E_UNKNOWN_MESSAGE);
    assert_int_equal(decode_err(BYTES_LIT("\x8a\x01\x00")), COMITY_E_UNKNOWN_MESSAGE); /* 17 */
    assert_int_equal(decode_err(BYTES_LIT("\xfa\x3f\x00")), COMITY_E_UNKNOWN_MESSAGE);
    assert_int_equal(decode_err(BYTES_LIT("\x52\x00")), 0); /* RESYNC */
    assert_int_equal(decode_err(BYTES_LIT("\x80")), COMITY_E_MALFORMED);
    /* One that we know and, behind it, one that we do not. */
    assert_int_equal(decode_err(BYTES_LIT("\x52\x00\x8a\x01\x00")), COMITY_E_NOT_CANONICAL);
}

static void frame_kind_words(void **state)
{
    (void)state;
    assert_string_equal(frame_kind_word(FRAME_HELLO), "HELLO");
    assert_string_equal(frame_kind_word(FRAME_ROSTER_PART), "ROSTER_PART");
    assert_string_equal(frame_kind_word(FRAME_PROOF), "PROOF");
    assert_string_equal(frame_kind_word(FRAME_RECALLED), "RECALLED");
    assert_string_equal(frame_kind_word(0), "UNKNOWN");
    assert_string_equal(frame_kind_word(FRAME_LAST + 1), "UNKNOWN");
}

/* ---- bulk ---- */

static void bulk_every_kind_comes_back(void **state)
{
    (void)state;
    for (enum bulk_kind kind = BULK_PUT; kind <= BULK_DATA; kind++) {
        struct arena *a = arena_new(ARENA_CAP);
        struct bulk_frame want = sample_bulk_frame(kind);
        struct bulk_frame got;
        struct buf out = BUF_INIT;
        assert_int_equal(bulk_frame_encode(&want, &out), 0);
        assert_int_equal(bulk_frame_decode(a, buf_bytes(&out), &got), 0);
        buf_free(&out);
        assert_int_equal(got.kind, kind);
        assert_bytes(got.blob, want.blob);
        assert_true(got.len == want.len && got.index == want.index && got.count == want.count);
        assert_int_equal(got.complete, want.complete);
        assert_bytes(got.token, want.token);
        assert_bytes(got.block, want.block);
        assert_int_equal(got.proof_count, want.proof_count);
        for (size_t i = 0; i < want.proof_count; i++)
            assert_bytes(got.proof[i], want.proof[i]);
        arena_free(a);
    }
}

static int bulk_err(const struct bulk_frame *f)
{
    struct buf out = BUF_INIT;
    int err = bulk_frame_encode(f, &out);
    assert_true(err == 0 || out.len == 0);
    buf_free(&out);
    return err;
}

static void bulk_wrong_values_are_invalid(void **state)
{
    (void)state;
    static uint8_t block[256 * 1024 + 1];
    for (enum bulk_kind kind = BULK_PUT; kind <= BULK_DATA; kind++) {
        struct bulk_frame f = sample_bulk_frame(kind);
        f.blob.len = 31;
        assert_int_equal(bulk_err(&f), COMITY_E_INVALID);
    }
    struct bulk_frame f = sample_bulk_frame(BULK_DATA);
    f.block = BYTES(block, 256 * 1024);
    assert_int_equal(bulk_err(&f), 0);
    f.block.len++;
    assert_int_equal(bulk_err(&f), COMITY_E_INVALID);
    f.block.len = 0;
    assert_int_equal(bulk_err(&f), COMITY_E_INVALID);
    f = sample_bulk_frame(BULK_GET);
    f.count = 0;
    assert_int_equal(bulk_err(&f), COMITY_E_INVALID);
    f.count = 65;
    assert_int_equal(bulk_err(&f), COMITY_E_INVALID);
    f = (struct bulk_frame){.kind = BULK_DATA + 1, .blob = SAMPLE_HASH(0)};
    assert_int_equal(bulk_err(&f), COMITY_E_INVALID);
    struct arena *a = arena_new(ARENA_CAP);
    assert_int_equal(bulk_frame_decode(a, BYTES_LIT("\x32\x00"), &f), COMITY_E_UNKNOWN_MESSAGE);
    assert_int_equal(bulk_frame_decode(a, BYTES_NONE, &f), COMITY_E_UNKNOWN_MESSAGE);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_and_welcome_come_back),
        cmocka_unit_test(parcels_come_back),
        cmocka_unit_test(the_other_kinds_come_back),
        cmocka_unit_test(epoch_is_sixteen_bytes_in_every_kind_that_has_one),
        cmocka_unit_test(recalled_parcel_comes_with_its_statement_and_not_beyond_the_last),
        cmocka_unit_test(frame_wrong_values_are_invalid),
        cmocka_unit_test(parcel_and_statement_share_the_limit_of_a_frame),
        cmocka_unit_test(frame_of_no_or_another_kind_is_unknown),
        cmocka_unit_test(frame_kind_words),
        cmocka_unit_test(bulk_every_kind_comes_back),
        cmocka_unit_test(bulk_wrong_values_are_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
