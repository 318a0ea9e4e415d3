/*
 * The broker's step, driven with real parcels and without sockets: greeting, routing, answers,
 * deliveries, refusals, and what survives a restart.
 */
#include "broker.h"
#include "net.h"
#include "store.h"
#include "wire/parcel.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HUB "hub"
#define CHENGDU "510100-001"
#define HANGZHOU "330100-001"
#define SHENZHEN "440300-001"

enum { CREDIT = 64 * 1024 * 1024, QUOTA = 1 << 20 };

struct fixture {
    struct net net;
    struct site site;
    struct broker *broker;
    struct arena *arena;
    uint64_t sent;    /* size of CHENGDU's ledger that was last accepted */
    uint64_t refused; /* refusals that were dealt with */
};

static void start_broker(struct fixture *f)
{
    struct party *hub = net_party(&f->net, HUB);
    f->site = (struct site){.dir = hub->dir,
                            .role = MEMBER_BROKER,
                            .member = hub->id,
                            .origin = hub->origin,
                            .suite = SUITE_1,
                            .network = f->net.network,
                            .keep_days = 1,
                            .quota_bytes = QUOTA};
    assert_int_equal(broker_open(&f->site, &hub->keys, &clock_system, &f->broker), 0);
}

static int setup(void **state)
{
    static const char *const ids[] = {HUB, CHENGDU, HANGZHOU, SHENZHEN};
    struct fixture *f = calloc(1, sizeof *f);
    net_init(&f->net, ids, 4);
    party_close(net_party(&f->net, HUB));
    f->arena = arena_new(64 << 20);
    start_broker(f);
    assert_int_equal(broker_take_roster(f->broker, buf_bytes(&f->net.roster_file)), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    broker_close(f->broker);
    arena_free(f->arena);
    net_done(&f->net);
    free(f);
    return 0;
}

static struct link_peer peer_of(const struct party *p)
{
    struct link_peer peer = {.route = {1}, .route_len = 1, .fd = -1};
    memcpy(peer.key, p->keys.curve_public, sizeof peer.key);
    return peer;
}

/* One turn with one frame of ${p}. */
static void step(struct fixture *f, const struct party *p, const struct frame *frame)
{
    struct buf bytes = BUF_INIT;
    broker_sent(f->broker);
    assert_int_equal(frame_encode(frame, &bytes), 0);
    const struct broker_event e = {.peer = peer_of(p), .payload = buf_bytes(&bytes)};
    assert_int_equal(broker_step(f->broker, &e, 1), 0);
    buf_free(&bytes);
}

/* The ${nth} frame of ${kind} that the broker sent to ${p} in its last turn; false when there is
 * none. */
static bool sent(struct fixture *f, const struct party *p, enum frame_kind kind, size_t nth,
                 struct frame *ret)
{
    for (size_t i = 0; i < f->broker->out_count; i++) {
        const struct broker_output *o = &f->broker->out[i];
        if (memcmp(o->to.key, p->keys.curve_public, 32) != 0)
            continue;
        assert_int_equal(frame_decode(f->arena, buf_bytes(&o->frame), ret), 0);
        if (ret->kind == kind && nth-- == 0)
            return true;
    }
    return false;
}

static struct frame hello_frame(struct fixture *f, struct party *p, struct bytes broker_note)
{
    struct checkpoint c;
    struct bytes note;
    assert_int_equal(ledger_checkpoint(p->ledger, &c, &note), 0);
    return (struct frame){.kind = FRAME_HELLO,
                          .u.hello = {.version = PROTOCOL_VERSION,
                                      .origin = bytes_of(p->origin),
                                      .roster = roster_number(f->net.roster),
                                      .checkpoint = note,
                                      .broker_note = broker_note,
                                      .credit = CREDIT}};
}

/* Say HELLO; the epoch is kept in the arena. */
static struct frame greet(struct fixture *f, struct party *p, uint64_t taken, uint64_t answered)
{
    struct frame hello = hello_frame(f, p, BYTES_NONE);
    struct frame welcome;
    hello.u.hello.taken = taken;
    hello.u.hello.answered = answered;
    step(f, p, &hello);
    assert_true(sent(f, p, FRAME_WELCOME, 0, &welcome));
    return welcome;
}

static void submit(struct fixture *f, const struct party *p, struct bytes epoch, uint64_t seq,
                   struct bytes parcel)
{
    const struct frame s = {
        .kind = FRAME_SUBMIT, .epoch = epoch, .u.submit = {.parcel_seq = seq, .parcel = parcel}};
    step(f, p, &s);
}

static void make(struct fixture *f, const char *from, const char *to, size_t count,
                 uint64_t pair_seq, uint64_t since, struct buf *out)
{
    const struct party_parcel what = {.to = &to,
                                      .to_count = 1,
                                      .count = count,
                                      .pair_seq = pair_seq,
                                      .since = since,
                                      .broker = HUB};
    party_make_parcel(&f->net, net_party(&f->net, from), &what, out);
}

static void expect_bye(struct fixture *f, const struct party *p, const char *token)
{
    struct frame bye;
    assert_true(sent(f, p, FRAME_BYE, 0, &bye));
    assert_true(bytes_is(bye.u.bye.token, token));
    assert_true(f->broker->out[f->broker->out_count - 1].drop);
}

/* ---- the tests ---- */

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
    bool dropped = false;
    for (size_t i = 0; i < f->broker->out_count; i++)
        dropped = dropped || (f->broker->out[i].drop &&
                              memcmp(f->broker->out[i].to.key, a->keys.curve_public, 32) == 0);
    assert_true(dropped);
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
    uint64_t spent = s->deliver_bytes;
    /* Exhaust the grant: the fourth does not come until there is more. */
    s->deliver_granted = spent + 100;
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
    session_find(&f->broker->sessions, a->keys.curve_public)->submit_granted = 100;
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    expect_bye(f, a, "credit");
    assert_int_equal(f->broker->count.parcels_accepted, 0);
    buf_free(&parcel);
}

/* ---- what is kept, and for how long ---- */

static void say_taken(struct fixture *f, const struct party *p, struct bytes epoch, uint64_t seq)
{
    const struct frame taken = {
        .kind = FRAME_TAKEN, .epoch = epoch, .u.taken = {.delivery_seq = seq, .credit = CREDIT}};
    step(f, p, &taken);
}

static size_t sweep_before(struct fixture *f, int64_t ms)
{
    size_t freed = 9;
    assert_int_equal(store_begin(f->broker->store), 0);
    assert_int_equal(queue_sweep(f->broker->store, ms, 100, &freed), 0);
    assert_int_equal(store_commit(f->broker->store), 0);
    return freed;
}

static void taken_parcels_are_let_go_after_their_time(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_a = greet(f, a, 0, 0);
    struct frame to_b = greet(f, b, 0, 0);
    struct buf parcel = BUF_INIT;
    uint64_t first = 0;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    assert_int_equal(sweep_before(f, INT64_MAX), 0); /* not taken yet */
    int64_t before = clock_wall_ms(&clock_system);
    say_taken(f, b, to_b.epoch, 1);
    assert_int_equal(sweep_before(f, before - 1), 0); /* its time begins now */
    assert_int_equal(queue_first_delivery(f->broker->store, bytes_of(HANGZHOU), &first), 0);
    assert_int_equal(first, 1);
    assert_int_equal(sweep_before(f, clock_wall_ms(&clock_system)), 1);
    assert_int_equal(queue_first_delivery(f->broker->store, bytes_of(HANGZHOU), &first), 0);
    assert_int_equal(first, 2);
    assert_int_equal(sweep_before(f, INT64_MAX), 0); /* once */
    buf_free(&parcel);
}

static void parcel_is_done_when_its_last_recipient_has_it(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct party *c = net_party(&f->net, SHENZHEN);
    static const char *const both[] = {HANGZHOU, SHENZHEN};
    const struct party_parcel what = {
        .to = both, .to_count = 2, .count = 1, .pair_seq = 1, .broker = HUB};
    struct frame to_a = greet(f, a, 0, 0);
    struct buf parcel = BUF_INIT;
    party_make_parcel(&f->net, a, &what, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    struct frame to_b = greet(f, b, 0, 0);
    say_taken(f, b, to_b.epoch, 1);
    assert_int_equal(sweep_before(f, INT64_MAX), 0);
    struct frame to_c = greet(f, c, 0, 0);
    say_taken(f, c, to_c.epoch, 1);
    assert_int_equal(sweep_before(f, INT64_MAX), 1);
    buf_free(&parcel);
}

static void what_hello_says_was_taken_does_not_wait_any_more(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf parcel = BUF_INIT;
    struct recipient r;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    greet(f, b, 0, 0);
    greet(f, b, 1, 0); /* its TAKEN was lost with the connection */
    assert_int_equal(queue_recipient(f->broker->store, bytes_of(HANGZHOU), &r), 0);
    assert_true(r.taken == 1 && r.queued == 0);
    buf_free(&parcel);
}

/* ---- quota ---- */

struct attachment {
    uint8_t name[HASH_LEN + 8]; /* id ‖ u64be len */
    struct bytes bytes;
};

static void attach(struct attachment *a, uint8_t id, uint64_t len)
{
    memset(a->name, id, HASH_LEN);
    put_u64be(a->name + HASH_LEN, len);
    a->bytes = BYTES(a->name, sizeof a->name);
}

/* SUBMIT of a parcel from ${a} with one attachment (or none) to HANGZHOU. */
static void submit_with(struct fixture *f, struct party *a, struct bytes epoch, uint64_t seq,
                        const struct attachment *attachment)
{
    static const char *const to = HANGZHOU;
    struct buf parcel = BUF_INIT;
    const struct party_parcel what = {.to = &to,
                                      .to_count = 1,
                                      .count = 1,
                                      .pair_seq = seq,
                                      .since = seq == 1 ? 0 : f->sent,
                                      .broker = HUB,
                                      .blobs = attachment ? &attachment->bytes : NULL,
                                      .blob_count = attachment != NULL};
    party_make_parcel(&f->net, a, &what, &parcel);
    submit(f, a, epoch, seq, buf_bytes(&parcel));
    if (f->broker->count.parcels_refused == f->refused)
        f->sent = ledger_size(a->ledger);
    buf_free(&parcel);
}

/* How the last SUBMIT ended: NULL when it was routed. A refusal that is dealt with is answered in a
 * new session. */
static const char *refused_for(struct fixture *f, const struct party *a)
{
    struct frame answer;
    struct parcel_facts *statement = NULL;
    struct ref_refused why;
    const struct parcel_rules rules = {.roster = f->net.roster, .place = PARCEL_STATEMENT};
    assert_true(sent(f, a, FRAME_ANSWER, 0, &answer));
    assert_int_equal(parcel_verify(f->arena, answer.u.answer.statement, &rules, &statement), 0);
    if (statement->entries[0].kind == ENTRY_ROUTED)
        return NULL;
    assert_int_equal(ref_refused_parse(statement->entries[0].ref, &why), 0);
    f->refused = f->broker->count.parcels_refused;
    return arena_strdup(f->arena, why.token);
}

static uint64_t held_for(struct fixture *f, const char *member)
{
    struct recipient r;
    assert_int_equal(queue_recipient(f->broker->store, bytes_of(member), &r), 0);
    return r.held;
}

static void file_receipt(struct fixture *f, const char *from, const char *to, uint64_t seq,
                         struct bytes epoch, const struct attachment *a)
{
    struct buf parcel = BUF_INIT;
    const struct party_parcel what = {
        .to = &to,
        .to_count = 1,
        .count = 1,
        .pair_seq = seq,
        .since = seq == 1 ? 0 : ledger_size(net_party(&f->net, from)->ledger),
        .broker = HUB,
        .file = bytes_slice(a->bytes, 0, HASH_LEN)};
    party_make_parcel(&f->net, net_party(&f->net, from), &what, &parcel);
    submit(f, net_party(&f->net, from), epoch, seq, buf_bytes(&parcel));
    buf_free(&parcel);
}

static void attachments_count_until_their_reader_has_them(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct attachment half;
    struct attachment rest;
    struct attachment all;
    attach(&half, 1, QUOTA / 2);
    attach(&rest, 2, QUOTA / 2);
    attach(&all, 3, QUOTA);
    struct frame to_a = greet(f, a, 0, 0);
    submit_with(f, a, to_a.epoch, 1, &all);
    assert_string_equal(refused_for(f, a), "quota"); /* what surrounds it counts, too */
    assert_int_equal(held_for(f, HANGZHOU), 0);
    to_a = greet(f, a, 0, 1);
    submit_with(f, a, to_a.epoch, 2, &half);
    assert_null(refused_for(f, a));
    assert_in_range(held_for(f, HANGZHOU), QUOTA / 2, QUOTA / 2 + 64);
    submit_with(f, a, to_a.epoch, 3, &rest);
    assert_string_equal(refused_for(f, a), "quota");
    to_a = greet(f, a, 0, 3);
    submit_with(f, a, to_a.epoch, 4, NULL); /* small ones go on */
    assert_null(refused_for(f, a));
    /* Once the reader has it there is room. */
    struct frame to_b = greet(f, b, 0, 0);
    file_receipt(f, HANGZHOU, CHENGDU, 1, to_b.epoch, &half);
    assert_null(refused_for(f, b));
    assert_int_equal(held_for(f, HANGZHOU), 0);
    submit_with(f, a, to_a.epoch, 5, &rest);
    assert_null(refused_for(f, a));
}

static void attachment_that_is_named_twice_is_kept_once(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct attachment small;
    attach(&small, 1, 1000);
    struct frame to_a = greet(f, a, 0, 0);
    submit_with(f, a, to_a.epoch, 1, &small);
    submit_with(f, a, to_a.epoch, 2, &small);
    assert_null(refused_for(f, a));
    assert_int_equal(held_for(f, HANGZHOU), queue_blob_weight(1000));
    struct frame to_b = greet(f, b, 0, 0);
    file_receipt(f, HANGZHOU, CHENGDU, 1, to_b.epoch, &small);
    assert_int_equal(held_for(f, HANGZHOU), 0);
    file_receipt(f, HANGZHOU, CHENGDU, 2, to_b.epoch,
                 &small); /* once more: nothing is given back twice */
    assert_int_equal(held_for(f, HANGZHOU), 0);
}

static void attachment_of_any_length_is_weighed(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 70000000000000000,
                                       (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct attachment vast;
        struct frame to_a = greet(f, a, 0, i);
        attach(&vast, (uint8_t)(i + 1), lengths[i]);
        submit_with(f, a, to_a.epoch, i + 1, &vast);
        assert_string_equal(refused_for(f, a), "quota");
    }
    assert_int_equal(held_for(f, HANGZHOU), 0);
}

static void receipts_pass_a_full_queue(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct attachment any;
    attach(&any, 1, 1000);
    f->site.quota_bytes = 1;
    struct frame to_a = greet(f, a, 0, 0);
    submit_with(f, a, to_a.epoch, 1, NULL);
    assert_string_equal(refused_for(f, a), "quota");
    to_a = greet(f, a, 0, 1);
    struct buf parcel = BUF_INIT;
    static const char *const to = HANGZHOU;
    const struct party_parcel what = {.to = &to,
                                      .to_count = 1,
                                      .count = 1,
                                      .pair_seq = 2,
                                      .broker = HUB,
                                      .file = bytes_slice(any.bytes, 0, HASH_LEN)};
    party_make_parcel(&f->net, a, &what, &parcel);
    submit(f, a, to_a.epoch, 2, buf_bytes(&parcel));
    assert_null(refused_for(f, a));
    buf_free(&parcel);
}

/* ---- what was not done when it should have been ---- */

static void roster_that_could_not_be_enforced_is_at_the_next_step(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame part;
    greet(f, a, 0, 0);
    struct frame to_b = greet(f, b, 0, 0);
    net_next_roster(&f->net, CHENGDU);
    /* In force, and no session has heard of it: as when the memory was out behind the commit. */
    roster_free(f->broker->roster);
    assert_int_equal(
        roster_open(buf_bytes(&f->net.roster_file), &f->net.network, NULL, &f->broker->roster), 0);
    broker_sent(f->broker);
    assert_int_equal(broker_step(f->broker, NULL, 0), 0);
    assert_true(sent(f, b, FRAME_ROSTER_PART, 0, &part));
    assert_true(sent(f, a, FRAME_BYE, 0, &part));
    assert_true(bytes_is(part.u.bye.token, "ledger_closed"));
    assert_null(session_find(&f->broker->sessions, a->keys.curve_public));
    broker_sent(f->broker);
    assert_int_equal(broker_step(f->broker, NULL, 0), 0);
    assert_int_equal(f->broker->out_count, 0); /* once */
    (void)to_b;
}

/* Damage done behind the broker's back. */
static void spoil(struct fixture *f, const char *sql)
{
    char path[300];
    char command[700];
    snprintf(path, sizeof path, "%s/broker.db", f->site.dir);
    snprintf(command, sizeof command, "sqlite3 '%s' \"%s\"", path, sql);
    assert_int_equal(system(command), 0);
}

static void damage_here_is_not_called_the_nodes_fault(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    struct buf parcel = BUF_INIT;
    struct buf bytes = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    spoil(f, "UPDATE known SET root = x'00'");
    const struct frame hello = hello_frame(f, a, BYTES_NONE);
    broker_sent(f->broker);
    assert_int_equal(frame_encode(&hello, &bytes), 0);
    const struct broker_event e = {.peer = peer_of(a), .payload = buf_bytes(&bytes)};
    assert_int_equal(broker_step(f->broker, &e, 1), COMITY_E_LEDGER_DAMAGED);
    assert_int_equal(f->broker->out_count, 0); /* no BYE equivocation */
    assert_false(broker_goes_on(COMITY_E_LEDGER_DAMAGED));
    buf_free(&bytes);
    buf_free(&parcel);
}

static void grant_does_not_fall_when_a_delivery_does_not_fit(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_a = greet(f, a, 0, 0);
    struct frame to_b = greet(f, b, 0, 0);
    struct frame d;
    struct session *s = session_find(&f->broker->sessions, b->keys.curve_public);
    s->deliver_granted = 100;
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    assert_false(sent(f, b, FRAME_DELIVER, 0, &d));
    assert_int_equal(s->deliver_granted, 100);
    assert_false(broker_has_work(f->broker)); /* nor is it tried without end */
    const struct frame ping = {
        .kind = FRAME_PING, .epoch = to_b.epoch, .u.ping = {.credit = 1 << 20}};
    step(f, b, &ping);
    assert_true(sent(f, b, FRAME_DELIVER, 0, &d));
    buf_free(&parcel);
}

static void stored_roster_that_cannot_be_read_is_no_other_roster(void **state)
{
    struct fixture *f = *state;
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame part;
    struct frame to_b = greet(f, b, 0, 0);
    net_next_roster(&f->net, NULL);
    assert_int_equal(broker_take_roster(f->broker, buf_bytes(&f->net.roster_file)), 0);
    const struct frame ask = {
        .kind = FRAME_ROSTER_ASK, .epoch = to_b.epoch, .u.roster_ask = {.number = 1}};
    step(f, b, &ask);
    assert_true(sent(f, b, FRAME_ROSTER_PART, 0, &part));
    assert_int_equal(part.u.roster_part.number, 1);
    spoil(f, "ALTER TABLE roster RENAME TO lost");
    struct buf bytes = BUF_INIT;
    broker_sent(f->broker);
    assert_int_equal(frame_encode(&ask, &bytes), 0);
    const struct broker_event e = {.peer = peer_of(b), .payload = buf_bytes(&bytes)};
    assert_int_not_equal(broker_step(f->broker, &e, 1), 0);
    buf_free(&bytes);
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
        TEST(taken_parcels_are_let_go_after_their_time),
        TEST(parcel_is_done_when_its_last_recipient_has_it),
        TEST(what_hello_says_was_taken_does_not_wait_any_more),
        TEST(attachments_count_until_their_reader_has_them),
        TEST(attachment_that_is_named_twice_is_kept_once),
        TEST(attachment_of_any_length_is_weighed),
        TEST(receipts_pass_a_full_queue),
        TEST(roster_that_could_not_be_enforced_is_at_the_next_step),
        TEST(damage_here_is_not_called_the_nodes_fault),
        TEST(grant_does_not_fall_when_a_delivery_does_not_fit),
        TEST(stored_roster_that_cannot_be_read_is_no_other_roster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
