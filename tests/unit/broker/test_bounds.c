/*
 * What one member can make the broker do, keep or send: answers, checkpoints, rosters, deliveries,
 * connections.
 */
#include "hub.h"

/* ---- answers ---- */

/* SUBMIT of parcels ${from} to ${to}, several in one step. */
static void submit_many(struct fixture *f, struct party *a, struct bytes epoch, uint64_t from,
                        uint64_t to)
{
    enum { AT_ONCE = 8 };
    for (uint64_t seq = from; seq <= to;) {
        struct buf parcel[AT_ONCE] = {BUF_INIT};
        struct frame frame[AT_ONCE];
        const struct party *who[AT_ONCE];
        size_t n = 0;
        for (; n < AT_ONCE && seq <= to; n++, seq++) {
            make(f, a->id, HANGZHOU, 1, seq, f->sent, &parcel[n]);
            f->sent = ledger_size(a->ledger);
            who[n] = a;
            frame[n] =
                (struct frame){.kind = FRAME_SUBMIT,
                               .epoch = epoch,
                               .u.submit = {.parcel_seq = seq, .parcel = buf_bytes(&parcel[n])}};
        }
        assert_int_equal(step_all(f, who, frame, n), 0);
        for (size_t i = 0; i < n; i++)
            buf_free(&parcel[i]);
    }
}

static void history_is_answered_a_statement_a_turn(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame got;
    struct frame to_a = greet(f, a, 0, 0);
    submit_many(f, a, to_a.epoch, 1, 300);
    assert_int_equal(f->broker->count.parcels_accepted, 300);
    assert_false(broker_has_work(f->broker));
    greet(f, a, 0, 0);
    assert_true(sent(f, a, FRAME_ANSWER, 0, &got));
    assert_int_equal(got.u.answer.parcel_seq, 256);
    assert_false(sent(f, a, FRAME_ANSWER, 1, &got));
    assert_true(broker_has_work(f->broker));
    assert_int_equal(step_all(f, NULL, NULL, 0), 0);
    assert_true(sent(f, a, FRAME_ANSWER, 0, &got));
    assert_int_equal(got.u.answer.parcel_seq, 300);
    assert_false(broker_has_work(f->broker));
}

/* How many entries the one ANSWER of the last turn proves. */
static size_t answered(struct fixture *f, const struct party *a)
{
    struct frame got;
    struct parcel_facts *statement = NULL;
    const struct parcel_rules rules = {.roster = f->net.roster, .place = PARCEL_STATEMENT};
    assert_true(sent(f, a, FRAME_ANSWER, 0, &got));
    assert_int_equal(parcel_verify(f->arena, got.u.answer.statement, &rules, &statement), 0);
    assert_false(sent(f, a, FRAME_ANSWER, 1, &got));
    return statement->count;
}

static void what_hello_says_was_answered_is_not_answered_again(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf one = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &one);
    submit(f, a, to_a.epoch, 1, buf_bytes(&one));
    f->sent = ledger_size(a->ledger);
    submit_many(f, a, to_a.epoch, 2, 3);
    to_a = greet(f, a, 0, 2);
    assert_int_equal(answered(f, a), 1);
    submit(f, a, to_a.epoch, 1, buf_bytes(&one));
    assert_int_equal(answered(f, a), 1); /* of what lies behind, as ever */
    buf_free(&one);
}

static void there_is_no_parcel_number_zero(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf one = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &one);
    submit(f, a, to_a.epoch, 0, buf_bytes(&one));
    expect_bye(f, a, "parcel_seq");
    buf_free(&one);
}

static void refusal_holds_until_hello_names_it(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf bad = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &bad);
    bad.data[bad.len - PARCEL_WRAP_LEN * 2 - 40] ^= 1;
    submit(f, a, to_a.epoch, 1, buf_bytes(&bad));
    assert_int_equal(f->broker->count.parcels_refused, 1);
    to_a = greet(f, a, 0, 1);
    submit_many(f, a, to_a.epoch, 2, 4);
    assert_int_equal(f->broker->count.parcels_accepted, 3);
    broker_close(f->broker);
    start_broker(f);
    greet(f, a, 0, 3);
    assert_false(session_find(&f->broker->sessions, a->keys.curve_public)->now.has_refusal);
    greet(f, a, 0, 0);
    assert_true(session_find(&f->broker->sessions, a->keys.curve_public)->now.has_refusal);
    buf_free(&bad);
}

/* ---- checkpoints that come alone ---- */

static void submit_checkpoint(struct fixture *f, struct party *a, struct bytes epoch, uint64_t seq,
                              uint64_t since)
{
    const struct parcel_since to_hub = {.member = BYTES_LIT(HUB), .size = since};
    const struct parcel_plan plan = {.since = &to_hub, .since_count = since != 0};
    struct buf head = BUF_INIT;
    struct buf bytes = BUF_INIT;
    assert_int_equal(parcel_build(a->ledger, &plan, &head), 0);
    const struct parcel p = {.head = buf_bytes(&head)};
    assert_int_equal(parcel_encode(&p, &bytes), 0);
    submit(f, a, epoch, seq, buf_bytes(&bytes));
    buf_free(&head);
    buf_free(&bytes);
}

static void checkpoint_alone_must_be_a_new_one(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    submit_checkpoint(f, a, to_a.epoch, 1, 0);
    assert_int_equal(f->broker->count.parcels_accepted, 1);
    submit_checkpoint(f, a, to_a.epoch, 2, 1);
    assert_int_equal(f->broker->count.parcels_accepted, 1);
    assert_int_equal(f->broker->count.parcels_refused, 1);
    to_a = greet(f, a, 0, 2);
    struct buf unsent = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &unsent); /* the ledger grows */
    submit_checkpoint(f, a, to_a.epoch, 3, 1);
    assert_int_equal(f->broker->count.parcels_accepted, 2);
    buf_free(&unsent);
}

static void old_checkpoints_are_refused_sixty_times_an_hour(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame got;
    struct frame to_a = greet(f, a, 0, 0);
    submit_checkpoint(f, a, to_a.epoch, 1, 0);
    for (uint64_t seq = 2; seq < 62; seq++) {
        submit_checkpoint(f, a, to_a.epoch, seq, 1);
        assert_true(sent(f, a, FRAME_ANSWER, 0, &got));
        to_a = greet(f, a, 0, seq);
    }
    const uint64_t entries = ledger_size(f->broker->ledger);
    submit_checkpoint(f, a, to_a.epoch, 62, 1);
    expect_bye(f, a, "invalid");
    assert_int_equal(ledger_size(f->broker->ledger), entries);
}

/* ---- what is on its way to somebody ---- */

static void delivery_waits_until_enough_was_taken(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame got;
    struct frame to_a = greet(f, a, 0, 0);
    struct frame hello = hello_frame(f, b, BYTES_NONE);
    hello.u.hello.credit = (uint64_t)1 << 60;
    step(f, b, &hello);
    assert_true(sent(f, b, FRAME_WELCOME, 0, &got));
    struct bytes epoch = got.epoch;
    submit_many(f, a, to_a.epoch, 1, 1);
    assert_true(sent(f, b, FRAME_DELIVER, 0, &got));
    struct session *s = session_find(&f->broker->sessions, b->keys.curve_public);
    s->now.deliver_bytes += DELIVER_AHEAD; /* as if much more had been sent, and not been taken */
    submit_many(f, a, to_a.epoch, 2, 2);
    assert_false(sent(f, b, FRAME_DELIVER, 0, &got));
    assert_false(broker_has_work(f->broker));
    const struct frame taken = {
        .kind = FRAME_TAKEN, .epoch = epoch, .u.taken = {.delivery_seq = 1, .credit = CREDIT}};
    step(f, b, &taken);
    assert_true(sent(f, b, FRAME_DELIVER, 0, &got));
    assert_int_equal(got.u.deliver.delivery_seq, 2);
}

static void nobody_takes_what_was_not_delivered(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct recipient r;
    struct frame to_b = greet(f, b, 0, 0);
    struct frame to_a = greet(f, a, 0, 0);
    submit_many(f, a, to_a.epoch, 1, 1);
    const struct frame taken = {
        .kind = FRAME_TAKEN, .epoch = to_b.epoch, .u.taken = {.delivery_seq = 2, .credit = CREDIT}};
    step(f, b, &taken); /* the very next one */
    expect_bye(f, b, "invalid");
    assert_int_equal(queue_recipient(f->broker->store, bytes_of(HANGZHOU), &r), 0);
    assert_int_equal(r.taken, 0);
}

static void hello_on_another_connection_cuts_the_first(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame hello = hello_frame(f, a, BYTES_NONE);
    struct buf bytes = BUF_INIT;
    greet(f, a, 0, 0);
    greet(f, a, 0, 0);
    assert_false(is_cut(f, a)); /* the same one */
    struct broker_event e = {.peer = peer_of(a)};
    e.peer.route[0] = 2;
    assert_int_equal(frame_encode(&hello, &bytes), 0);
    e.payload = buf_bytes(&bytes);
    broker_sent(f->broker);
    assert_int_equal(broker_step(f->broker, &e, 1), 0);
    const struct link_peer first = peer_of(a);
    size_t cut = 0;
    for (size_t i = 0; i < f->broker->out_count; i++) {
        const struct broker_output *o = &f->broker->out[i];
        assert_true(o->drop == link_peer_same(&o->to, &first));
        cut += o->drop;
    }
    assert_int_equal(cut, 1);
    buf_free(&bytes);
}

static void rosters_are_not_asked_for_without_end(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame got;
    struct frame to_a = greet(f, a, 0, 0);
    const struct frame ask = {
        .kind = FRAME_ROSTER_ASK, .epoch = to_a.epoch, .u.roster_ask = {.number = 1}};
    for (int i = 0; i < 3; i++)
        step(f, a, &ask);
    assert_true(sent(f, a, FRAME_ROSTER_PART, 0, &got));
    struct account *account =
        session_account(&f->broker->sessions, a->keys.curve_public, clock_mono_ms(&f->clock));
    assert_in_range(account->roster_bytes, 3 * f->net.roster_file.len,
                    3 * f->net.roster_file.len + 300);
    account->roster_bytes += 128 * 1024 * 1024;
    step(f, a, &ask);
    assert_false(sent(f, a, FRAME_ROSTER_PART, 0, &got));
    expect_bye(f, a, "limit");
}

static void roster_part_is_counted_for_who_asked(void **state)
{
    struct fixture *f = *state;
    const struct party *who[] = {net_party(&f->net, CHENGDU), net_party(&f->net, HANGZHOU)};
    struct frame ask[2];
    for (size_t i = 0; i < 2; i++)
        ask[i] = (struct frame){.kind = FRAME_ROSTER_ASK,
                                .epoch = greet(f, net_party(&f->net, who[i]->id), 0, 0).epoch,
                                .u.roster_ask = {.number = 1}};
    assert_int_equal(step_all(f, who, ask, 2), 0); /* in one turn */
    for (size_t i = 0; i < 2; i++) {
        const struct account *account = session_account(
            &f->broker->sessions, who[i]->keys.curve_public, clock_mono_ms(&f->clock));
        assert_in_range(account->roster_bytes, f->net.roster_file.len,
                        f->net.roster_file.len + 100);
    }
}

static void new_roster_is_handed_on_by_and_by(void **state)
{
    struct fixture *f = *state;
    static const char *const ids[] = {CHENGDU, HANGZHOU, SHENZHEN};
    struct frame got;
    for (size_t i = 0; i < 3; i++)
        greet(f, net_party(&f->net, ids[i]), 0, 0);
    f->broker->handed_at_once = 1;
    net_next_roster(&f->net, SHENZHEN);
    broker_sent(f->broker);
    assert_int_equal(broker_take_roster(f->broker, buf_bytes(&f->net.roster_file)), 0);
    expect_bye(f, net_party(&f->net, SHENZHEN), "ledger_closed"); /* at once */
    size_t handed[2] = {0, 0};
    for (size_t turn = 0; turn < 3; turn++) {
        size_t now = 0;
        for (size_t i = 0; i < 2; i++)
            if (sent(f, net_party(&f->net, ids[i]), FRAME_ROSTER_PART, 0, &got)) {
                handed[i]++;
                now++;
            }
        assert_int_equal(now, turn < 2);
        assert_int_equal(broker_has_work(f->broker), turn == 0);
        assert_int_equal(step_all(f, NULL, NULL, 0), 0);
    }
    assert_true(handed[0] == 1 && handed[1] == 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(history_is_answered_a_statement_a_turn),
        TEST(what_hello_says_was_answered_is_not_answered_again),
        TEST(there_is_no_parcel_number_zero),
        TEST(refusal_holds_until_hello_names_it),
        TEST(checkpoint_alone_must_be_a_new_one),
        TEST(old_checkpoints_are_refused_sixty_times_an_hour),
        TEST(delivery_waits_until_enough_was_taken),
        TEST(nobody_takes_what_was_not_delivered),
        TEST(hello_on_another_connection_cuts_the_first),
        TEST(rosters_are_not_asked_for_without_end),
        TEST(roster_part_is_counted_for_who_asked),
        TEST(new_roster_is_handed_on_by_and_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
