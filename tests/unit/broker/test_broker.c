/*
 * The broker's step, driven with real parcels and without sockets: greeting, routing, answers,
 * deliveries, refusals, and what survives a restart.
 */
#include "hub.h"

static void parcel_is_routed_answered_and_delivered(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_b = greet(f, b, 0, 0);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 3, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));

    /* The answer's statement proves a ROUTED entry of the broker for this very parcel … */
    struct frame answer;
    struct parcel_facts *statement = NULL;
    assert_true(sent(f, a, FRAME_ANSWER, 0, &answer));
    assert_int_equal(answer.u.answer.parcel_seq, 1);
    const struct parcel_rules at_a = {.roster = f->net.roster, .place = PARCEL_STATEMENT};
    assert_int_equal(parcel_verify(f->arena, answer.u.answer.statement, &at_a, &statement), 0);
    assert_int_equal(statement->count, 1);
    assert_int_equal(statement->entries[0].kind, ENTRY_ROUTED);

    /* … and so does the delivery's, whose parcel is unchanged and opens at the recipient. */
    struct frame deliver;
    assert_true(sent(f, b, FRAME_DELIVER, 0, &deliver));
    assert_int_equal(deliver.u.deliver.delivery_seq, 1);
    assert_true(bytes_equal(deliver.u.deliver.parcel, buf_bytes(&parcel)));
    assert_int_equal(parcel_verify(f->arena, deliver.u.deliver.statement, &at_a, &statement), 0);
    const struct parcel_rules at_b = {
        .roster = f->net.roster, .place = PARCEL_DELIVERED, .me = bytes_of(HANGZHOU)};
    struct parcel_facts *facts = NULL;
    struct openings openings;
    uint64_t seq = 0;
    assert_int_equal(parcel_verify(f->arena, deliver.u.deliver.parcel, &at_b, &facts), 0);
    assert_int_equal(statement_routes(statement, 0, facts->head.origin, &facts->checkpoint,
                                      &facts->hash, bytes_of(HANGZHOU), &seq),
                     0);
    assert_int_equal(seq, 1);
    assert_int_equal(parcel_unseal(f->arena, facts, bytes_of(HANGZHOU), b->keys.seal, 1, &openings),
                     0);
    assert_int_equal(openings.count, 3);

    const struct frame taken = {
        .kind = FRAME_TAKEN, .epoch = to_b.epoch, .u.taken = {.delivery_seq = 1, .credit = CREDIT}};
    struct recipient r;
    step(f, b, &taken);
    assert_int_equal(queue_recipient(f->broker->store, bytes_of(HANGZHOU), &r), 0);
    assert_true(r.given == 1 && r.taken == 1 && r.queued == 0);
    buf_free(&parcel);
}

static void parcel_for_an_absent_member_waits_across_a_restart(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf one = BUF_INIT;
    struct buf two = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &one);
    submit(f, a, to_a.epoch, 1, buf_bytes(&one));
    make(f, CHENGDU, HANGZHOU, 1, 2, 2, &two);
    submit(f, a, to_a.epoch, 2, buf_bytes(&two));
    broker_close(f->broker);
    start_broker(f);
    greet(f, b, 0, 0);
    struct frame d;
    assert_true(sent(f, b, FRAME_DELIVER, 0, &d));
    assert_true(bytes_equal(d.u.deliver.parcel, buf_bytes(&one)));
    assert_true(sent(f, b, FRAME_DELIVER, 1, &d));
    assert_int_equal(d.u.deliver.delivery_seq, 2);
    assert_true(bytes_equal(d.u.deliver.parcel, buf_bytes(&two)));
    /* A node that has the first one is given the second alone. */
    greet(f, b, 1, 0);
    assert_true(sent(f, b, FRAME_DELIVER, 0, &d));
    assert_int_equal(d.u.deliver.delivery_seq, 2);
    assert_false(sent(f, b, FRAME_DELIVER, 1, &d));
    buf_free(&one);
    buf_free(&two);
}

static void lost_answer_is_proven_again(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf parcel = BUF_INIT;
    struct frame answer;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    struct frame welcome = greet(f, a, 0, 0);
    assert_int_equal(welcome.u.welcome.parcel_seq, 1);
    assert_true(sent(f, a, FRAME_ANSWER, 0, &answer));
    assert_int_equal(answer.u.answer.parcel_seq, 1);
    /* Submitted once more, it is answered once more and not routed twice. */
    submit(f, a, welcome.epoch, 1, buf_bytes(&parcel));
    assert_true(sent(f, a, FRAME_ANSWER, 0, &answer));
    struct recipient r;
    assert_int_equal(queue_recipient(f->broker->store, bytes_of(HANGZHOU), &r), 0);
    assert_int_equal(r.given, 1);
    buf_free(&parcel);
}

static void changed_parcel_is_refused_and_what_follows_is_ignored(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf bad = BUF_INIT;
    struct buf behind = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &bad);
    bad.data[bad.len - PARCEL_WRAP_LEN * 2 - 40] ^= 1; /* in the sealed part */
    submit(f, a, to_a.epoch, 1, buf_bytes(&bad));
    struct frame answer;
    struct parcel_facts *statement = NULL;
    struct ref_refused why;
    const struct parcel_rules rules = {.roster = f->net.roster, .place = PARCEL_STATEMENT};
    assert_true(sent(f, a, FRAME_ANSWER, 0, &answer));
    assert_int_equal(parcel_verify(f->arena, answer.u.answer.statement, &rules, &statement), 0);
    assert_int_equal(statement->entries[0].kind, ENTRY_REFUSED);
    assert_int_equal(ref_refused_parse(statement->entries[0].ref, &why), 0);
    assert_true(bytes_is(why.token, "seal_mismatch"));
    assert_int_equal(why.count, 1);
    make(f, CHENGDU, HANGZHOU, 1, 2, 0, &behind);
    submit(f, a, to_a.epoch, 2, buf_bytes(&behind));
    assert_int_equal(f->broker->out_count, 0);
    /* After a new HELLO that knows of the refusal the next number is taken. */
    to_a = greet(f, a, 0, 1);
    assert_int_equal(to_a.u.welcome.parcel_seq, 1);
    submit(f, a, to_a.epoch, 2, buf_bytes(&behind));
    assert_true(sent(f, a, FRAME_ANSWER, 0, &answer));
    assert_int_equal(answer.u.answer.parcel_seq, 2);
    buf_free(&bad);
    buf_free(&behind);
}

static void refusal_that_the_node_has_not_seen_still_holds_after_hello(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf bad = BUF_INIT;
    struct buf behind = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &bad);
    bad.data[bad.len - PARCEL_WRAP_LEN * 2 - 40] ^= 1;
    submit(f, a, to_a.epoch, 1, buf_bytes(&bad));
    to_a = greet(f, a, 0, 0);
    make(f, CHENGDU, HANGZHOU, 1, 2, 0, &behind);
    submit(f, a, to_a.epoch, 2, buf_bytes(&behind));
    assert_int_equal(f->broker->out_count, 0);
    buf_free(&bad);
    buf_free(&behind);
}

static void unlinked_parcel_is_refused(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf one = BUF_INIT;
    struct buf two = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &one);
    submit(f, a, to_a.epoch, 1, buf_bytes(&one));
    make(f, CHENGDU, HANGZHOU, 1, 2, 0,
         &two); /* no `since` although the broker knows this ledger */
    submit(f, a, to_a.epoch, 2, buf_bytes(&two));
    struct frame answer;
    assert_true(sent(f, a, FRAME_ANSWER, 0, &answer));
    assert_int_equal(f->broker->count.parcels_refused, 1);
    buf_free(&one);
    buf_free(&two);
}

static void parcel_of_another_member_is_refused(void **state)
{
    struct fixture *f = *state;
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_b = greet(f, b, 0, 0);
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, SHENZHEN, 1, 1, 0, &parcel);
    submit(f, b, to_b.epoch, 1, buf_bytes(&parcel));
    assert_int_equal(f->broker->count.parcels_accepted, 0);
    assert_int_equal(f->broker->count.parcels_refused, 1);
    buf_free(&parcel);
}

static void stranger_is_sent_away(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party stranger = *a;
    memset(stranger.keys.curve_public, 7, 32);
    struct frame hello = hello_frame(f, a, BYTES_NONE);
    step(f, &stranger, &hello);
    expect_bye(f, &stranger, "not_a_member");
    /* A member that names another's ledger. */
    struct party *b = net_party(&f->net, HANGZHOU);
    step(f, b, &hello);
    expect_bye(f, b, "not_a_member");
}

static void older_ledger_is_a_rollback(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct checkpoint c;
    struct bytes note;
    struct buf old = BUF_INIT;
    assert_int_equal(ledger_checkpoint(a->ledger, &c, &note), 0);
    buf_put_bytes(&old, note);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 2, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    struct frame hello = hello_frame(f, a, BYTES_NONE);
    hello.u.hello.checkpoint = buf_bytes(&old);
    step(f, a, &hello);
    struct frame bye;
    expect_bye(f, a, "rollback");
    assert_true(sent(f, a, FRAME_BYE, 0, &bye));
    assert_int_equal(bye.u.bye.known_size, 3);
    buf_free(&old);
    buf_free(&parcel);
}

static void broker_that_lost_its_past_says_so(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    const struct checkpoint future = {.origin = "test-net/" HUB, .size = 4711};
    struct buf note = BUF_INIT;
    assert_int_equal(checkpoint_sign(&future, net_party(&f->net, HUB)->keys.ledger, &note), 0);
    struct frame hello = hello_frame(f, a, buf_bytes(&note));
    step(f, a, &hello);
    expect_bye(f, a, "rollback");
    hello = hello_frame(f, a, BYTES_NONE);
    hello.u.hello.taken = 5;
    step(f, a, &hello);
    expect_bye(f, a, "rollback");
    buf_free(&note);
}

static void wrong_version_is_named(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame hello = hello_frame(f, a, BYTES_NONE);
    hello.u.hello.version = 99;
    step(f, a, &hello);
    expect_bye(f, a, "version");
}

static void unknown_epoch_and_skipped_number_are_resynced(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct frame resync;
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 2, buf_bytes(&parcel));
    assert_true(sent(f, a, FRAME_RESYNC, 0, &resync));
    submit(f, a, BYTES_LIT("0123456789abcdef"), 1, buf_bytes(&parcel));
    assert_true(sent(f, a, FRAME_RESYNC, 0, &resync));
    assert_int_equal(f->broker->count.parcels_accepted, 0);
    buf_free(&parcel);
}

static void garbage_ends_the_session(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    greet(f, a, 0, 0);
    broker_sent(f->broker);
    const struct broker_event e = {.peer = peer_of(a), .payload = BYTES_LIT("\xff\xff\xff")};
    assert_int_equal(broker_step(f->broker, &e, 1), 0);
    expect_bye(f, a, "malformed");
    assert_null(session_find(&f->broker->sessions, a->keys.curve_public));
}

static void revoked_member_is_dropped_at_once(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    greet(f, a, 0, 0);
    greet(f, b, 0, 0);
    net_next_roster(&f->net, CHENGDU);
    broker_sent(f->broker);
    assert_int_equal(broker_take_roster(f->broker, buf_bytes(&f->net.roster_file)), 0);
    struct frame part;
    assert_true(sent(f, b, FRAME_ROSTER_PART, 0, &part));
    assert_int_equal(part.u.roster_part.number, 2);
    assert_true(is_cut(f, a));
    assert_null(session_find(&f->broker->sessions, a->keys.curve_public));
    struct frame hello = hello_frame(f, a, BYTES_NONE);
    step(f, a, &hello);
    expect_bye(f, a, "ledger_closed");
    /* An older roster changes nothing. */
    assert_int_equal(broker_take_roster(f->broker, buf_bytes(&f->net.roster_file)),
                     COMITY_E_ROSTER_OLD);
}

static void deliveries_wait_for_credit(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_a = greet(f, a, 0, 0);
    for (uint64_t i = 1; i <= 3; i++) {
        struct buf parcel = BUF_INIT;
        make(f, CHENGDU, HANGZHOU, 1, i, i == 1 ? 0 : i, &parcel);
        submit(f, a, to_a.epoch, i, buf_bytes(&parcel));
        buf_free(&parcel);
    }
    struct frame d;
    struct frame hello = hello_frame(f, b, BYTES_NONE);
    hello.u.hello.credit = 1 << 20;
    step(f, b, &hello);
    assert_true(sent(f, b, FRAME_WELCOME, 0, &d));
    struct bytes epoch = d.epoch;
    assert_true(sent(f, b, FRAME_DELIVER, 2, &d));
    struct session *s = session_find(&f->broker->sessions, b->keys.curve_public);
    uint64_t spent = s->now.deliver_bytes;
    /* Exhaust the grant: the fourth does not come until there is more. */
    s->now.deliver_granted = spent + 100;
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 4, 4, &parcel);
    submit(f, a, to_a.epoch, 4, buf_bytes(&parcel));
    assert_false(sent(f, b, FRAME_DELIVER, 0, &d));
    const struct frame ping = {
        .kind = FRAME_PING, .epoch = epoch, .u.ping = {.credit = spent + (1 << 20)}};
    step(f, b, &ping);
    assert_true(sent(f, b, FRAME_PONG, 0, &d));
    assert_true(sent(f, b, FRAME_DELIVER, 0, &d));
    assert_int_equal(d.u.deliver.delivery_seq, 4);
    buf_free(&parcel);
}

static void sender_beyond_its_credit_is_cut(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    session_find(&f->broker->sessions, a->keys.curve_public)->now.submit_granted = 100;
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    expect_bye(f, a, "credit");
    assert_int_equal(f->broker->count.parcels_accepted, 0);
    buf_free(&parcel);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(parcel_is_routed_answered_and_delivered),
        TEST(parcel_for_an_absent_member_waits_across_a_restart),
        TEST(lost_answer_is_proven_again),
        TEST(changed_parcel_is_refused_and_what_follows_is_ignored),
        TEST(refusal_that_the_node_has_not_seen_still_holds_after_hello),
        TEST(unlinked_parcel_is_refused),
        TEST(parcel_of_another_member_is_refused),
        TEST(stranger_is_sent_away),
        TEST(older_ledger_is_a_rollback),
        TEST(broker_that_lost_its_past_says_so),
        TEST(wrong_version_is_named),
        TEST(unknown_epoch_and_skipped_number_are_resynced),
        TEST(garbage_ends_the_session),
        TEST(revoked_member_is_dropped_at_once),
        TEST(deliveries_wait_for_credit),
        TEST(sender_beyond_its_credit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
