/*
 * The session with the broker: liveness, rosters, rollback, and a broker that does not keep to the
 * rules.
 */
#include "world.h"

/* One turn of ${a} with one frame in; what it sends is counted and lost. */
struct sent {
    struct buf frame[32];
    size_t count;
    bool reset;
    int err;
};

static struct sent turn_with(struct actor *a, struct bytes frame, bool up)
{
    struct turn *t = NULL;
    struct node_out out = {0};
    struct sent s = {0};
    const struct node_in in = {.up = up, .frames = &frame, .frame_count = frame.len ? 1 : 0};
    assert_int_equal(node_begin(a->node, &t), 0);
    s.err = node_step(a->node, &in, &out);
    s.reset = out.reset;
    assert_true(out.count <= 32);
    for (size_t i = 0; i < out.count; i++) {
        s.frame[s.count++] = out.frames[i];
        out.frames[i] = BUF_INIT;
    }
    node_out_free(&out);
    return s;
}

static void sent_free(struct sent *s)
{
    for (size_t i = 0; i < s->count; i++)
        buf_free(&s->frame[i]);
}

/* What kind of frame was sent first; 0: none. */
static uint32_t kind_sent(struct actor *a, struct bytes frame)
{
    struct sent s = turn_with(a, frame, false);
    assert_int_equal(s.err, 0);
    uint32_t kind = s.count ? frame_kind_of(buf_bytes(&s.frame[0])) : 0;
    sent_free(&s);
    return kind;
}

/* ---- liveness ---- */

static void silence_earns_a_ping_and_then_a_new_connection(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    world_connect_all(w);
    assert_int_equal(kind_sent(a, BYTES_NONE), 0);
    assert_true(node_timeout_ms(a->node) <= 15000);
    w->ms += 15001;
    assert_int_equal(kind_sent(a, BYTES_NONE), FRAME_PING);
    w->ms += 1000;
    assert_int_equal(kind_sent(a, BYTES_NONE), 0); /* one is enough */
    w->ms += 29001;
    struct sent s = turn_with(a, BYTES_NONE, false);
    assert_true(s.reset);
    sent_free(&s);
    assert_int_equal(status_of(a).session, NODE_OFFLINE);
}

static void ping_is_answered_and_keeps_the_session(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    world_connect_all(w);
    for (size_t i = 0; i < 20; i++) {
        w->ms += 16000;
        world_run(w);
    }
    assert_int_equal(status_of(a).session, NODE_ONLINE);
}

static void welcome_that_does_not_come_makes_a_new_connection(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    w->cut = true;
    actor_connect(a);
    actor_turn(w, a, NULL, NULL);
    assert_int_equal(status_of(a).session, NODE_GREETING);
    w->ms += 30001;
    struct sent s = turn_with(a, BYTES_NONE, false);
    assert_true(s.reset);
    sent_free(&s);
}

/* ---- frames out of place ---- */

static struct buf frame_of(const struct frame *f)
{
    struct buf b = BUF_INIT;
    assert_int_equal(frame_encode(f, &b), 0);
    return b;
}

static void frames_of_another_epoch_are_not_interpreted(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    world_connect_all(w);
    uint8_t other[EPOCH_LEN] = {1, 2, 3};
    const struct frame f = {
        .kind = FRAME_PING, .epoch = BYTES(other, EPOCH_LEN), .u.ping = {.credit = 1 << 20}};
    struct buf b = frame_of(&f);
    assert_int_equal(kind_sent(a, buf_bytes(&b)), 0);
    buf_free(&b);
    assert_int_equal(status_of(a).session, NODE_ONLINE);
}

static void garbage_ends_the_session(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    world_connect_all(w);
    struct sent s = turn_with(a, BYTES_LIT("\x0a\x01?"), false);
    assert_int_equal(s.err, 0);
    assert_true(s.reset);
    assert_int_equal(frame_kind_of(buf_bytes(&s.frame[0])), FRAME_BYE);
    sent_free(&s);
    assert_int_equal(status_of(a).session, NODE_REJECTED);
    /* … and a new connection begins a new one. */
    actor_connect(a);
    world_run(w);
    assert_int_equal(status_of(a).session, NODE_ONLINE);
}

static void resync_says_hello_again_but_not_in_a_loop(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    world_connect_all(w);
    struct buf b = frame_of(&(struct frame){.kind = FRAME_RESYNC});
    assert_int_equal(kind_sent(a, buf_bytes(&b)), 0); /* HELLO was said just now */
    w->ms += 1001;
    assert_int_equal(kind_sent(a, BYTES_NONE), FRAME_HELLO);
    assert_int_equal(kind_sent(a, buf_bytes(&b)), 0);
    buf_free(&b);
    world_run(w);
}

/* ---- rosters ---- */

static void new_roster_comes_into_force_at_once_and_survives(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    world_connect_all(w);
    size_t before = entries_of(a, ENTRY_ROSTER);
    net_next_roster(&w->net, NULL);
    assert_int_equal(broker_take_roster(w->broker, buf_bytes(&w->net.roster_file)), 0);
    world_carry(w);
    world_run(w);
    assert_int_equal(roster_number(a->node->roster), 2);
    assert_int_equal(entries_of(a, ENTRY_ROSTER), before + 1);
    assert_int_equal(status_of(a).session, NODE_ONLINE);
    actor_kill(a);
    actor_start(w, a); /* the file of the site is roster 1 still */
    assert_int_equal(roster_number(a->node->roster), 2);
    assert_int_equal(entries_of(a, ENTRY_ROSTER), before + 1);
    mail(w, CHENGDU, HANGZHOU, 1);
    actor_connect(a);
    world_run(w);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 1);
}

static void who_was_away_fetches_the_roster_first(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    for (size_t i = 0; i < 3; i++)
        net_next_roster(&w->net, NULL);
    assert_int_equal(broker_take_roster(w->broker, buf_bytes(&w->net.roster_file)), 0);
    mail(w, CHENGDU, HANGZHOU, 2);
    world_connect_all(w);
    assert_int_equal(roster_number(a->node->roster), 4);
    assert_int_equal(status_of(a).parcels_queued, 0);
}

static void roster_handed_in_is_taken_by_signal(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct turn *t = NULL;
    struct node_out out = {0};
    assert_int_equal(node_begin(a->node, &t), 0);
    assert_int_equal(node_take_roster(a->node, t), COMITY_E_ROSTER_OLD);
    net_next_roster(&w->net, NULL);
    world_write_roster(w, a->party);
    assert_int_equal(node_take_roster(a->node, t), 0);
    assert_int_equal(node_step(a->node, &(struct node_in){0}, &out), 0);
    node_out_free(&out);
    assert_int_equal(roster_number(a->node->roster), 2);
}

/* ---- rollback ---- */

static void copy_folder(const char *from, const char *to)
{
    char command[1000];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
    assert_int_equal(system(command), 0);
}

static void restored_ledger_is_stopped_and_writes_nothing(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    char saved[300];
    snprintf(saved, sizeof saved, "%s.saved", a->party->dir);
    world_connect_all(w);
    mail(w, CHENGDU, HANGZHOU, 2);
    world_run(w);
    actor_kill(a);
    copy_folder(a->party->dir, saved);
    actor_start(w, a);
    actor_connect(a);
    world_run(w);
    mail(w, CHENGDU, HANGZHOU, 2);
    world_run(w);
    actor_kill(a);
    copy_folder(saved, a->party->dir);

    /* As it was: the broker says so. */
    actor_start(w, a);
    uint64_t size = ledger_size(a->node->ledger);
    actor_connect(a);
    world_run(w);
    assert_int_equal(a->last, COMITY_E_ROLLBACK);
    assert_int_equal(ledger_size(a->node->ledger), size);

    /* Grown again meanwhile: our own signature under what the broker shows proves it. */
    actor_kill(a);
    copy_folder(saved, a->party->dir);
    actor_start(w, a);
    a->last = 0;
    for (size_t i = 0; i < 3; i++)
        mail(w, CHENGDU, HANGZHOU, 20);
    size = ledger_size(a->node->ledger);
    actor_connect(a);
    world_run(w);
    assert_int_equal(a->last, COMITY_E_ROLLBACK);
    assert_int_equal(ledger_size(a->node->ledger), size);
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", saved);
    assert_int_equal(system(command), 0);
}

static void restored_broker_is_not_followed(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct party *hub = net_party(&w->net, HUB);
    char saved[300];
    snprintf(saved, sizeof saved, "%s.saved", hub->dir);
    world_connect_all(w);
    broker_close(w->broker);
    copy_folder(hub->dir, saved);
    world_start_broker(w);
    for (size_t i = 0; i < WORLD_NODES; i++) {
        w->actor[i].down = true;
        actor_turn(w, &w->actor[i], NULL, NULL);
    }
    world_connect_all(w);
    mail(w, CHENGDU, HANGZHOU, 2);
    world_run(w);
    broker_close(w->broker);
    copy_folder(saved, hub->dir);
    world_start_broker(w);
    a->down = true;
    actor_turn(w, a, NULL, NULL);
    actor_connect(a);
    world_run(w);
    assert_int_equal(a->last, 0); /* this node goes on by itself */
    assert_int_not_equal(status_of(a).session, NODE_ONLINE);
    assert_string_equal(status_of(a).last_token, "rollback");
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", saved);
    assert_int_equal(system(command), 0);
}

/* ---- a broker that lies ---- */

/* Bring a delivery up to the door of HANGZHOU, and hand its frame to ${bend}. */
static struct buf delivery_at_the_door(struct world *w)
{
    struct actor *b = actor_of(w, HANGZHOU);
    struct buf frame = BUF_INIT;
    mail(w, CHENGDU, HANGZHOU, 2);
    for (size_t i = 0; i < b->in_count; i++)
        if (frame_kind_of(buf_bytes(&b->in[i])) == FRAME_DELIVER)
            buf_put_bytes(&frame, buf_bytes(&b->in[i]));
    actor_drop_frames(b);
    assert_true(frame.len > 0);
    return frame;
}

static void assert_ends_session(struct actor *b, struct bytes frame)
{
    uint64_t size = ledger_size(b->node->ledger);
    struct sent s = turn_with(b, frame, false);
    assert_int_equal(s.err, 0);
    assert_true(s.reset);
    sent_free(&s);
    assert_int_equal(ledger_size(b->node->ledger), size);
    assert_int_equal(status_of(b).deliveries_taken, 0);
}

static void swapped_parcel_ends_the_session(void **state)
{
    struct world *w = *state;
    struct actor *b = actor_of(w, HANGZHOU);
    struct arena *a = arena_new(8 << 20);
    world_connect_all(w);
    struct buf first = delivery_at_the_door(w);
    struct buf second = delivery_at_the_door(w);
    struct frame f;
    struct frame g;
    assert_int_equal(frame_decode(a, buf_bytes(&first), &f), 0);
    assert_int_equal(frame_decode(a, buf_bytes(&second), &g), 0);
    f.u.deliver.parcel = g.u.deliver.parcel;
    struct buf bent = frame_of(&f);
    assert_ends_session(b, buf_bytes(&bent));
    buf_free(&bent);
    buf_free(&first);
    buf_free(&second);
    arena_free(a);
}

static void skipped_delivery_ends_the_session(void **state)
{
    struct world *w = *state;
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    struct buf first = delivery_at_the_door(w);
    struct buf second = delivery_at_the_door(w);
    assert_ends_session(b, buf_bytes(&second));
    buf_free(&first);
    buf_free(&second);
}

static void garbled_sealed_part_is_refused_to_the_sender(void **state)
{
    struct world *w = *state;
    struct actor *b = actor_of(w, HANGZHOU);
    struct arena *a = arena_new(8 << 20);
    struct parcel p;
    struct frame f;
    world_connect_all(w);
    struct buf frame = delivery_at_the_door(w);
    assert_int_equal(frame_decode(a, buf_bytes(&frame), &f), 0);
    assert_int_equal(parcel_decode(a, f.u.deliver.parcel, &p), 0);
    ((uint8_t *)(uintptr_t)p.sealed.data)[40] ^= 1;
    struct buf parcel = BUF_INIT;
    assert_int_equal(parcel_encode(&p, &parcel), 0);
    f.u.deliver.parcel = buf_bytes(&parcel);
    struct buf bent = frame_of(&f);
    struct sent s = turn_with(b, buf_bytes(&bent), false);
    assert_int_equal(s.err, 0);
    assert_false(s.reset);
    sent_free(&s);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in WHERE token = 'seal_mismatch'"), 1);
    assert_int_equal(entries_of(b, ENTRY_REFUSED), 1);
    assert_int_equal(status_of(b).deliveries_taken, 1);
    buf_free(&bent);
    buf_free(&parcel);
    buf_free(&frame);
    arena_free(a);
}

/* A new session, in which the deliveries that come with WELCOME are lost. */
static void reconnect_without_deliveries(struct world *w, struct actor *b)
{
    b->down = true;
    actor_turn(w, b, NULL, NULL);
    actor_connect(b);
    actor_turn(w, b, NULL, NULL);
    assert_int_equal(frame_kind_of(buf_bytes(&b->in[0])), FRAME_WELCOME);
    struct sent s = turn_with(b, buf_bytes(&b->in[0]), false);
    assert_int_equal(s.err, 0);
    sent_free(&s);
    actor_drop_frames(b);
    assert_int_equal(status_of(b).session, NODE_ONLINE);
}

static void truncated_frames_do_no_harm(void **state)
{
    struct world *w = *state;
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    struct buf frame = delivery_at_the_door(w);
    for (size_t len = 1; len < frame.len; len += 1 + len / 3) {
        assert_ends_session(b, bytes_slice(buf_bytes(&frame), 0, len));
        reconnect_without_deliveries(w, b);
    }
    buf_free(&frame);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(silence_earns_a_ping_and_then_a_new_connection),
        T(ping_is_answered_and_keeps_the_session),
        T(welcome_that_does_not_come_makes_a_new_connection),
        T(frames_of_another_epoch_are_not_interpreted),
        T(garbage_ends_the_session),
        T(resync_says_hello_again_but_not_in_a_loop),
        T(new_roster_comes_into_force_at_once_and_survives),
        T(who_was_away_fetches_the_roster_first),
        T(roster_handed_in_is_taken_by_signal),
        T(restored_ledger_is_stopped_and_writes_nothing),
        T(restored_broker_is_not_followed),
        T(swapped_parcel_ends_the_session),
        T(skipped_delivery_ends_the_session),
        T(garbled_sealed_part_is_refused_to_the_sender),
        T(truncated_frames_do_no_harm),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
