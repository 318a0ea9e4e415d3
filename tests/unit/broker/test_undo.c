/*
 * Turns that fail: for what one member sent, so that it alone bears it; or because this machine
 * cannot, which nobody bears.
 */
#include "base/fault.h"
#include "hub.h"

struct trio {
    struct party *bad;
    struct party *good;
    struct party *other;
    struct bytes bad_epoch;
    struct bytes good_epoch;
    struct buf bad_parcel;
    struct buf good_parcel;
};

/* What CHENGDU submits breaks a constraint: in the middle of the turn, when others have been
 * written already and more are to come. */
static void poison(struct fixture *f)
{
    spoil(f, "CREATE TRIGGER poison BEFORE INSERT ON parcel WHEN NEW.origin LIKE '%" CHENGDU
             "' BEGIN SELECT RAISE(ABORT, 'poison'); END");
}

static void greet_all(struct fixture *f, struct trio *t)
{
    *t = (struct trio){.bad = net_party(&f->net, CHENGDU),
                       .good = net_party(&f->net, SHENZHEN),
                       .other = net_party(&f->net, HANGZHOU)};
    t->bad_epoch = greet(f, t->bad, 0, 0).epoch;
    t->good_epoch = greet(f, t->good, 0, 0).epoch;
    greet(f, t->other, 0, 0);
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &t->bad_parcel);
    make(f, SHENZHEN, HANGZHOU, 1, 1, 0, &t->good_parcel);
}

static void done(struct trio *t)
{
    buf_free(&t->bad_parcel);
    buf_free(&t->good_parcel);
}

/* PING, the good one's parcel, the bad one's, and another PING, in one step. */
static int step_with_both(struct fixture *f, const struct trio *t)
{
    const struct frame ping = {
        .kind = FRAME_PING, .epoch = t->good_epoch, .u.ping = {.credit = CREDIT}};
    const struct frame frames[] = {
        ping,
        {.kind = FRAME_SUBMIT,
         .epoch = t->good_epoch,
         .u.submit = {.parcel_seq = 1, .parcel = buf_bytes(&t->good_parcel)}},
        {.kind = FRAME_SUBMIT,
         .epoch = t->bad_epoch,
         .u.submit = {.parcel_seq = 1, .parcel = buf_bytes(&t->bad_parcel)}},
        ping};
    const struct party *const who[] = {t->good, t->good, t->bad, t->good};
    return step_all(f, who, frames, 4);
}

static void event_that_fails_costs_its_own_session_alone(void **state)
{
    struct fixture *f = *state;
    struct trio t;
    struct frame got;
    greet_all(f, &t);
    poison(f);
    assert_int_equal(step_with_both(f, &t), 0);
    expect_bye(f, t.bad, "invalid");
    assert_null(session_find(&f->broker->sessions, t.bad->keys.curve_public));
    assert_int_equal(f->broker->count.events_failed, 1);
    assert_true(f->broker->count.turns_undone > 1);
    /* Of the others nobody has lost a frame or his session, and nothing happened twice. */
    assert_true(sent(f, t.good, FRAME_ANSWER, 0, &got));
    assert_int_equal(got.u.answer.parcel_seq, 1);
    assert_true(sent(f, t.good, FRAME_PONG, 1, &got));
    assert_false(sent(f, t.good, FRAME_PONG, 2, &got));
    assert_true(sent(f, t.other, FRAME_DELIVER, 0, &got));
    assert_false(sent(f, t.other, FRAME_DELIVER, 1, &got));
    assert_int_equal(f->broker->count.parcels_accepted, 1);
    assert_int_equal(f->broker->count.resyncs, 0);
    assert_int_equal(f->broker->count.byes, 1);
    assert_non_null(session_find(&f->broker->sessions, t.good->keys.curve_public));
    done(&t);
}

static void member_whose_events_fail_again_and_again_has_to_wait(void **state)
{
    struct fixture *f = *state;
    struct trio t;
    greet_all(f, &t);
    poison(f);
    for (int i = 0; i < 16; i++) {
        if (i)
            t.bad_epoch = greet(f, t.bad, 0, 0).epoch;
        submit(f, t.bad, t.bad_epoch, 1, buf_bytes(&t.bad_parcel));
        expect_bye(f, t.bad, "invalid");
    }
    const struct frame hello = hello_frame(f, t.bad, BYTES_NONE);
    step(f, t.bad, &hello);
    expect_bye(f, t.bad, "limit");
    submit(f, t.good, t.good_epoch, 1, buf_bytes(&t.good_parcel));
    assert_int_equal(f->broker->count.parcels_accepted, 1);
    done(&t);
}

static void set_arena(struct fixture *f, size_t cap)
{
    arena_free(f->broker->arena);
    f->broker->arena = arena_new(cap);
    assert_non_null(f->broker->arena);
}

/* What is too much for one turn is taken in several; what is too much alone is its sender's fault.
 */
static void turn_that_takes_too_much_memory_is_taken_in_parts(void **state)
{
    struct fixture *f = *state;
    struct trio t;
    greet_all(f, &t);
    submit(f, t.good, t.good_epoch, 1, buf_bytes(&t.good_parcel));
    const size_t one = arena_used(f->broker->arena);
    buf_reset(&t.good_parcel);
    f->broker->count = (struct broker_counters){0};
    set_arena(f, one + one / 2);
    const struct party *const who[] = {t.bad, t.good};
    make(f, SHENZHEN, HANGZHOU, 1, 2, 2, &t.good_parcel);
    const struct frame frames[] = {
        {.kind = FRAME_SUBMIT,
         .epoch = t.bad_epoch,
         .u.submit = {.parcel_seq = 1, .parcel = buf_bytes(&t.bad_parcel)}},
        {.kind = FRAME_SUBMIT,
         .epoch = t.good_epoch,
         .u.submit = {.parcel_seq = 2, .parcel = buf_bytes(&t.good_parcel)}}};
    assert_int_equal(step_all(f, who, frames, 2), 0);
    assert_int_equal(f->broker->count.parcels_accepted, 2);
    assert_int_equal(f->broker->count.turns_undone, 1);
    assert_int_equal(f->broker->count.byes, 0);
    set_arena(f, one / 2);
    buf_reset(&t.good_parcel);
    make(f, SHENZHEN, HANGZHOU, 1, 3, 3, &t.good_parcel);
    submit(f, t.good, t.good_epoch, 3, buf_bytes(&t.good_parcel));
    expect_bye(f, t.good, "limit");
    assert_non_null(session_find(&f->broker->sessions, t.bad->keys.curve_public));
    done(&t);
}

/* What this machine cannot is nobody's fault: the peers say HELLO again. */
static void full_disk_ends_no_session_with_bye(void **state)
{
    struct fixture *f = *state;
    struct trio t;
    struct frame got;
    greet_all(f, &t);
    assert_int_equal(db_run(store_db(f->broker->store), "PRAGMA max_page_count = 1", DB_NULL), 0);
    for (int i = 0; i < 400 && f->broker->count.turns_undone == 0; i++) {
        struct buf parcel = BUF_INIT;
        make(f, SHENZHEN, HANGZHOU, 16, 1 + 16 * (uint64_t)i, i ? f->sent : 0, &parcel);
        f->sent = ledger_size(t.good->ledger);
        const struct frame s = {
            .kind = FRAME_SUBMIT,
            .epoch = t.good_epoch,
            .u.submit = {.parcel_seq = (uint64_t)i + 1, .parcel = buf_bytes(&parcel)}};
        const struct party *const who[] = {t.good};
        int err = step_all(f, who, &s, 1);
        buf_free(&parcel);
        if (err) {
            assert_int_equal(err, COMITY_E_DISK_FULL);
            assert_int_equal(fault_of(err), FAULT_PASSING);
            assert_false(sent(f, t.good, FRAME_BYE, 0, &got));
            assert_int_equal(f->broker->count.events_failed, 0);
            done(&t);
            return;
        }
    }
    fail_msg("the disk never was full");
}

static void delivery_that_cannot_be_made_ends_its_own_session_alone(void **state)
{
    struct fixture *f = *state;
    struct trio t;
    struct frame got;
    greet_all(f, &t);
    spoil(f, "CREATE TRIGGER lose AFTER INSERT ON delivery BEGIN DELETE FROM delivery; END");
    submit(f, t.good, t.good_epoch, 1, buf_bytes(&t.good_parcel));
    assert_true(sent(f, t.good, FRAME_ANSWER, 0, &got));
    assert_true(is_cut(f, t.other));
    assert_null(session_find(&f->broker->sessions, t.other->keys.curve_public));
    assert_non_null(session_find(&f->broker->sessions, t.good->keys.curve_public));
    assert_non_null(session_find(&f->broker->sessions, t.bad->keys.curve_public));
    done(&t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(event_that_fails_costs_its_own_session_alone),
        TEST(member_whose_events_fail_again_and_again_has_to_wait),
        TEST(turn_that_takes_too_much_memory_is_taken_in_parts),
        TEST(full_disk_ends_no_session_with_bye),
        TEST(delivery_that_cannot_be_made_ends_its_own_session_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
