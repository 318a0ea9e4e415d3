/*
 * What is refused, by the broker and by recipients: no refusal wedges a sender, and no number is
 * left unaccounted for.
 */
#include "world.h"

static const char closed_token[] = "ledger_closed";

/* Roster 2, in which SHENZHEN is closed, is in force at the broker. */
static void close_shenzhen(struct world *w)
{
    net_next_roster(&w->net, SHENZHEN);
    assert_int_equal(broker_take_roster(w->broker, buf_bytes(&w->net.roster_file)), 0);
    world_carry(w);
}

static void mail_both(struct world *w, const char *from, size_t count)
{
    struct mail m = {.to = {HANGZHOU, SHENZHEN}, .to_count = 2, .count = count, .size = 10};
    actor_turn(w, actor_of(w, from), add_mail, &m);
    assert_int_equal(m.err, 0);
}

static void assert_settled(const struct actor *a, const struct actor *b, uint64_t next)
{
    assert_int_equal(status_of(a).parcels_queued, 0);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out WHERE state = 0"), 0);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), next);
    assert_int_equal(number(b, "SELECT count(*) FROM pair_gap"), 0);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in WHERE token IS NOT NULL"), 0);
}

static void revoked_recipient_does_not_wedge_the_sender(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    mail(w, CHENGDU, HANGZHOU, 2);
    mail(w, CHENGDU, SHENZHEN, 3);
    mail(w, CHENGDU, HANGZHOU, 2);
    mail_both(w, CHENGDU, 4);
    mail(w, CHENGDU, HANGZHOU, 1);
    close_shenzhen(w);
    world_connect_all(w);
    assert_int_equal(status_of(a).session, NODE_ONLINE);
    assert_int_equal(roster_number(a->node->roster), 2);
    assert_settled(a, b, 2 + 2 + 4 + 1 + 1);
    /* Two that named SHENZHEN alone or too are refused or voided; three were received. */
    const struct db_value token[] = {DB_STR(closed_token)};
    uint64_t n = 0;
    assert_int_equal(db_get_u64(store_db(a->node->store), 0, &n,
                                "SELECT count(*) FROM parcel_out WHERE state = 2 AND token = ?1",
                                token, 1),
                     0);
    assert_int_equal(n, 2);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out WHERE parcel_seq IS NULL"), 1);
    assert_int_equal(entries_of(a, ENTRY_REFUSED), 1); /* the four numbers at HANGZHOU */
    /* And on it goes. */
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    assert_settled(a, b, 11);
}

static void refused_among_several_voids_the_numbers_of_the_others(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    /* On the way when the roster changes at the broker: refused by it, and answered so. */
    a->down = true;
    actor_turn(w, a, NULL, NULL);
    mail_both(w, CHENGDU, 5);
    mail(w, CHENGDU, HANGZHOU, 2);
    close_shenzhen(w);
    actor_connect(a);
    world_run(w);
    assert_settled(a, b, 1 + 5 + 2 + 1);
    assert_int_equal(entries_of(a, ENTRY_REFUSED), 1);
    /* The void numbers came first, as one entry for five. */
    assert_int_equal(number(a,
                            "SELECT span FROM parcel_out_to r JOIN parcel_out p ON p.id = r.parcel"
                            " WHERE p.state = 1 AND r.span = 5"),
                     5);
}

static void refusal_that_was_not_heard_of_is_heard_after_a_restart(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    a->down = true;
    actor_turn(w, a, NULL, NULL);
    mail_both(w, CHENGDU, 2);
    mail(w, CHENGDU, HANGZHOU, 2);
    close_shenzhen(w);
    actor_connect(a);
    w->drop_answers = 1;
    for (size_t i = 0; i < 40 && w->drop_answers; i++)
        actor_turn(w, a, NULL, NULL);
    assert_int_equal(w->drop_answers, 0);
    actor_kill(a);
    actor_start(w, a);
    actor_connect(a);
    world_run(w);
    assert_settled(a, b, 5);
}

/* ---- by the recipient ---- */

static void add_garbage(struct actor *a, struct turn *t, void *arg)
{
    struct buf body = BUF_INIT;
    struct bytes *to = arena_alloc(turn_arena(t), sizeof *to);
    *to = bytes_of(arg);
    assert_int_equal(body_encode(&(struct body){.record = BYTES_LIT("no record")}, &body), 0);
    const struct draft d = {.kind = ENTRY_RECORD,
                            .body = arena_copy(turn_arena(t), buf_bytes(&body)),
                            .to = to,
                            .to_count = 1,
                            .done = note_done,
                            .owner = a};
    assert_int_equal(turn_add(t, &d), 0);
    buf_free(&body);
}

static void content_that_is_no_record_is_refused_and_never_blocks(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    actor_turn(w, a, add_garbage, HANGZHOU);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in WHERE token = 'not_canonical'"), 1);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 4);
    assert_int_equal(number(b, "SELECT count(*) FROM pair_gap"), 0);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 2"), 1);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 2);
    /* What follows is linked all the same. */
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 3);
    assert_int_equal(number(a, "SELECT count(*) FROM pair_out WHERE ask <> 0"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(revoked_recipient_does_not_wedge_the_sender, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(refused_among_several_voids_the_numbers_of_the_others,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(refusal_that_was_not_heard_of_is_heard_after_a_restart,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(content_that_is_no_record_is_refused_and_never_blocks,
                                        world_setup, world_teardown),
    };
    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
