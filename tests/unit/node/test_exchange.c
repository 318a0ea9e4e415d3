/*
 * Nodes and a broker exchanging parcels: what is sent arrives once, is received and receipted, and
 * is counted the same on all sides, whatever goes wrong on the way.
 */
#include "world.h"

static void greeting_opens_sessions(void **state)
{
    struct world *w = *state;
    world_connect_all(w);
    for (size_t i = 0; i < WORLD_NODES; i++)
        assert_int_equal(status_of(&w->actor[i]).session, NODE_ONLINE);
}

static void record_is_received_and_receipted(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    mail(w, CHENGDU, HANGZHOU, 3);
    assert_int_equal(a->done, 3);
    assert_int_equal(a->done_err, 0);
    world_run(w);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out WHERE state = 1 AND count = 3"), 1);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 1);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in WHERE token IS NULL"), 1);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 4);
    assert_int_equal(entries_of(b, ENTRY_RECEIVED), 1);
    assert_int_equal(entries_of(a, ENTRY_RECEIPT), 1);
    /* … and then there is peace. */
    uint64_t size = ledger_size(a->node->ledger) + ledger_size(b->node->ledger);
    assert_true(world_run(w) <= 2);
    assert_int_equal(ledger_size(a->node->ledger) + ledger_size(b->node->ledger), size);
}

/* Frames that the node sent are lost with the connection; it sends again what was not answered. */
static void lost_answer_is_given_again(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    w->drop_answers = 1;
    mail(w, CHENGDU, HANGZHOU, 2);
    world_run(w);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out WHERE state = 0"), 1);
    a->down = true;
    world_run(w);
    actor_connect(a);
    world_run(w);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out WHERE state = 0"), 0);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in"), 1);
}

static void what_is_written_offline_goes_out_later(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    for (size_t i = 0; i < 5; i++)
        mail(w, CHENGDU, HANGZHOU, 4);
    assert_int_equal(status_of(a).parcels_queued, 5);
    world_connect_all(w);
    assert_int_equal(status_of(a).parcels_queued, 0);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 21);
    assert_int_equal(number(b, "SELECT count(*) FROM pair_gap"), 0);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 5);
}

/* Killed after the commit and before anything was sent. */
static void restart_resumes_from_the_store(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    w->cut = true;
    mail(w, CHENGDU, HANGZHOU, 7);
    actor_kill(a);
    w->cut = false;
    actor_start(w, a);
    actor_connect(a);
    world_run(w);
    assert_int_equal(status_of(a).parcels_queued, 0);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 8);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 9);
    /* The recipient is killed after its commit: what it took is not received twice. */
    mail(w, CHENGDU, HANGZHOU, 1);
    actor_turn(w, b, NULL, NULL);
    actor_kill(b);
    actor_start(w, b);
    actor_connect(b);
    world_run(w);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in"), 3);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 3);
}

static void large_turn_travels_in_bounded_parcels(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    struct mail m = {.to = {HANGZHOU}, .to_count = 1, .count = 1024, .size = 1000};
    actor_turn(w, a, add_mail, &m);
    assert_int_equal(m.err, 0);
    world_run(w);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 1025);
    assert_true(number(b, "SELECT count(*) FROM parcel_in") >= 4);
    assert_true(number(b, "SELECT max(count) FROM parcel_in") <= 256);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state <> 1"), 0);
    m.size = 60 * 1024;
    m.count = 20;
    actor_turn(w, a, add_mail, &m);
    world_run(w);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 1045);
}

/* ---- a delivery that fails the turn it is in, every time ---- */

static void fail_turns_by(struct actor *a, const char *table)
{
    char sql[300];
    snprintf(sql, sizeof sql,
             "CREATE TRIGGER no_way BEFORE INSERT ON %s WHEN NEW.origin LIKE '%%/" SHENZHEN "'"
             " BEGIN SELECT RAISE(ABORT, 'no way'); END",
             table);
    assert_int_equal(db_run(store_db(a->node->store), sql, DB_NULL), 0);
}

static void wait_and_run(struct world *w)
{
    for (int i = 0; i < 20; i++) {
        w->ms += 5000;
        world_run(w);
    }
}

/* What is before it, with it and behind it arrives; it is refused, and its sender is told. */
static void only_it_is_refused(struct world *w, const char *table, uint64_t undone)
{
    struct actor *hz = actor_of(w, HANGZHOU);
    struct actor *sz = actor_of(w, SHENZHEN);
    struct actor *cd = actor_of(w, CHENGDU);
    world_connect_all(w);
    fail_turns_by(hz, table);
    hz->down = true;
    world_run(w);
    mail(w, CHENGDU, HANGZHOU, 1);
    mail(w, SHENZHEN, HANGZHOU, 2);
    mail(w, CHENGDU, HANGZHOU, 3);
    world_run(w);
    actor_connect(hz);
    wait_and_run(w);
    assert_int_equal(number(hz, "SELECT count(*) FROM parcel_in WHERE token IS NULL"), 2);
    assert_int_equal(number(hz, "SELECT count(*) FROM parcel_in WHERE token = 'invalid'"), 1);
    assert_int_equal(number(cd, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 2);
    assert_int_equal(number(sz, "SELECT count(*) FROM parcel_out_to WHERE state = 2"), 1);
    assert_int_equal(status_of(hz).turns_undone, undone);
    mail(w, HANGZHOU, CHENGDU, 1);
    wait_and_run(w);
    assert_int_equal(number(hz, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 1);
}

static void content_that_cannot_be_written_is_refused_alone(void **state)
{
    only_it_is_refused(*state, "opening_run", 2);
}

static void parcel_that_cannot_be_written_at_all_is_refused_alone(void **state)
{
    only_it_is_refused(*state, "peer_root", 3);
}

static void several_recipients_have_numbers_of_their_own(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    struct actor *c = actor_of(w, SHENZHEN);
    world_connect_all(w);
    struct mail both = {.to = {HANGZHOU, SHENZHEN}, .to_count = 2, .count = 3, .size = 10};
    mail(w, CHENGDU, HANGZHOU, 2);
    actor_turn(w, a, add_mail, &both);
    assert_int_equal(both.err, 0);
    mail(w, CHENGDU, SHENZHEN, 1);
    world_run(w);
    assert_int_equal(number(b, "SELECT next FROM pair_in"), 6);
    assert_int_equal(number(c, "SELECT next FROM pair_in"), 5);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out_to WHERE state = 1"), 4);
    /* One receipt for all that arrived in one turn. */
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_in"), 2);
}

static void drafts_that_cannot_be_sent_are_refused_at_once(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    static const struct {
        struct mail m;
        int err;
    } cases[] = {
        {{.to = {"999999-001"}, .to_count = 1, .count = 1}, COMITY_E_UNKNOWN_MEMBER},
        {{.to = {HUB}, .to_count = 1, .count = 1}, COMITY_E_UNKNOWN_MEMBER},
        {{.to = {CHENGDU}, .to_count = 1, .count = 1}, COMITY_E_RECIPIENTS},
        {{.to = {SHENZHEN, HANGZHOU}, .to_count = 2, .count = 1}, COMITY_E_RECIPIENTS},
        {{.to = {HANGZHOU, HANGZHOU}, .to_count = 2, .count = 1}, COMITY_E_RECIPIENTS},
    };
    uint64_t size = ledger_size(a->node->ledger);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mail m = cases[i].m;
        actor_turn(w, a, add_mail, &m);
        assert_int_equal(m.err, cases[i].err);
    }
    assert_int_equal(a->done, 0);
    assert_int_equal(ledger_size(a->node->ledger), size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(greeting_opens_sessions, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(record_is_received_and_receipted, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(lost_answer_is_given_again, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_is_written_offline_goes_out_later, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(restart_resumes_from_the_store, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(large_turn_travels_in_bounded_parcels, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(content_that_cannot_be_written_is_refused_alone,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(parcel_that_cannot_be_written_at_all_is_refused_alone,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(several_recipients_have_numbers_of_their_own, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(drafts_that_cannot_be_sent_are_refused_at_once, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
