/*
 * RECALL: what is still held of a member's own ledgers, and only of those.
 */
#include "hub.h"

static struct frame recall_frame(struct bytes epoch, const char *origin, uint64_t after)
{
    return (struct frame){.kind = FRAME_RECALL,
                          .epoch = epoch,
                          .u.recall = {.origin = bytes_of(origin), .after = after}};
}

/* Chengdu has sent one parcel; the epoch of its session. */
static struct bytes send_one(struct fixture *f, struct party *p, struct buf *parcel)
{
    struct frame welcome = greet(f, p, 0, 0);
    make(f, CHENGDU, HANGZHOU, 2, 1, 0, parcel);
    submit(f, p, welcome.epoch, 1, buf_bytes(parcel));
    return welcome.epoch;
}

static void recall_gives_a_parcel_with_its_statement(void **state)
{
    struct fixture *f = *state;
    struct party *p = net_party(&f->net, CHENGDU);
    struct buf parcel = BUF_INIT;
    struct frame got;
    struct bytes epoch = send_one(f, p, &parcel);
    struct frame ask = recall_frame(epoch, p->origin, 0);
    step(f, p, &ask);
    assert_true(sent(f, p, FRAME_RECALLED, 0, &got));
    assert_true(bytes_is(got.u.recalled.origin, p->origin));
    assert_int_equal(got.u.recalled.parcel_seq, 1);
    assert_int_equal(got.u.recalled.last, 1);
    assert_true(bytes_equal(got.u.recalled.parcel, buf_bytes(&parcel)));
    struct parcel_facts *facts = NULL;
    const struct parcel_rules rules = {.roster = f->net.roster, .place = PARCEL_STATEMENT};
    assert_int_equal(parcel_verify(f->arena, got.u.recalled.statement, &rules, &facts), 0);
    assert_int_equal(facts->entries[0].kind, ENTRY_ROUTED);
    buf_free(&parcel);
}

static void recall_behind_the_last_says_that_there_is_no_more(void **state)
{
    struct fixture *f = *state;
    struct party *p = net_party(&f->net, CHENGDU);
    struct buf parcel = BUF_INIT;
    struct frame got;
    struct bytes epoch = send_one(f, p, &parcel);
    struct frame ask = recall_frame(epoch, p->origin, 1);
    step(f, p, &ask);
    assert_true(sent(f, p, FRAME_RECALLED, 0, &got));
    assert_false(got.u.recalled.parcel.data);
    assert_int_equal(got.u.recalled.parcel_seq, got.u.recalled.last);
    buf_free(&parcel);
}

static void recall_passes_over_what_was_let_go(void **state)
{
    struct fixture *f = *state;
    struct party *p = net_party(&f->net, CHENGDU);
    struct buf parcel = BUF_INIT;
    struct frame got;
    struct bytes epoch = send_one(f, p, &parcel);
    spoil(f, "UPDATE parcel SET chunk = 0");
    struct frame ask = recall_frame(epoch, p->origin, 0);
    step(f, p, &ask);
    assert_true(sent(f, p, FRAME_RECALLED, 0, &got));
    assert_false(got.u.recalled.parcel.data);
    assert_int_equal(got.u.recalled.parcel_seq, 1);
    buf_free(&parcel);
}

static void recall_of_anothers_ledger_is_refused(void **state)
{
    struct fixture *f = *state;
    struct party *p = net_party(&f->net, HANGZHOU);
    struct buf parcel = BUF_INIT;
    send_one(f, net_party(&f->net, CHENGDU), &parcel);
    struct frame welcome = greet(f, p, 0, 0);
    struct frame ask = recall_frame(welcome.epoch, net_party(&f->net, CHENGDU)->origin, 0);
    step(f, p, &ask);
    expect_bye(f, p, "not_a_member");
    buf_free(&parcel);
}

static void recall_before_an_answer_is_refused(void **state)
{
    struct fixture *f = *state;
    struct party *p = net_party(&f->net, CHENGDU);
    struct buf parcel = BUF_INIT;
    struct bytes epoch = send_one(f, p, &parcel);
    const struct party *const both[] = {p, p};
    const struct frame twice[] = {recall_frame(epoch, p->origin, 0),
                                  recall_frame(epoch, p->origin, 0)};
    assert_int_equal(step_all(f, both, twice, 2), 0);
    expect_bye(f, p, "invalid");
    buf_free(&parcel);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(recall_gives_a_parcel_with_its_statement),
        TEST(recall_behind_the_last_says_that_there_is_no_more),
        TEST(recall_passes_over_what_was_let_go),
        TEST(recall_of_anothers_ledger_is_refused),
        TEST(recall_before_an_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
