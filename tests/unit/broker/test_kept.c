/*
 * What the broker keeps, for whom and how long: cursors, quota, attachments; and what it does when
 * it could not do a thing when it should have.
 */
#include "base/fault.h"
#include "hub.h"

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
    struct buf kept = BUF_INIT;
    struct queue_delivery d;
    uint64_t first = 0;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    assert_int_equal(sweep_before(f, INT64_MAX), 0); /* not taken yet */
    assert_int_equal(queue_delivery(f->broker->store, bytes_of(HANGZHOU), 1, &d), 0);
    int64_t before = clock_wall_ms(&clock_system);
    say_taken(f, b, to_b.epoch, 1);
    assert_int_equal(sweep_before(f, before - 1), 0); /* its time begins now */
    assert_int_equal(store_get(f->broker->store, d.chunk, &kept), 0);
    assert_int_equal(queue_first_delivery(f->broker->store, bytes_of(HANGZHOU), &first), 0);
    assert_int_equal(first, 1);
    assert_int_equal(sweep_before(f, clock_wall_ms(&clock_system)), 1);
    assert_int_equal(queue_first_delivery(f->broker->store, bytes_of(HANGZHOU), &first), 0);
    assert_int_equal(first, 2);
    assert_int_equal(store_get(f->broker->store, d.chunk, &kept), COMITY_E_NOT_FOUND);
    assert_int_equal(sweep_before(f, INT64_MAX), 0); /* once */
    buf_free(&parcel);
    buf_free(&kept);
}

static void tidying_lets_go_when_the_days_are_over(void **state)
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
    say_taken(f, b, to_b.epoch, 1);
    assert_int_equal(broker_tidy(f->broker), 0); /* keep_days = 1 */
    assert_int_equal(queue_first_delivery(f->broker->store, bytes_of(HANGZHOU), &first), 0);
    assert_int_equal(first, 1);
    f->site.keep_days = 0;
    assert_int_equal(broker_tidy(f->broker), 0);
    assert_int_equal(queue_first_delivery(f->broker->store, bytes_of(HANGZHOU), &first), 0);
    assert_int_equal(first, 2);
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

static struct recipient waiting_for(struct fixture *f, const char *member)
{
    struct recipient r;
    assert_int_equal(queue_recipient(f->broker->store, bytes_of(member), &r), 0);
    return r;
}

static uint64_t held_for(struct fixture *f, const char *member)
{
    return waiting_for(f, member).held;
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
    attach(&half, 1, SHARE / 2);
    attach(&rest, 2, SHARE / 2);
    attach(&all, 3, SHARE);
    struct frame to_a = greet(f, a, 0, 0);
    submit_with(f, a, to_a.epoch, 1, &all);
    assert_string_equal(refused_for(f, a), "quota"); /* what surrounds it counts, too */
    assert_int_equal(held_for(f, HANGZHOU), 0);
    to_a = greet(f, a, 0, 1);
    submit_with(f, a, to_a.epoch, 2, &half);
    assert_null(refused_for(f, a));
    assert_in_range(held_for(f, HANGZHOU), SHARE / 2, SHARE / 2 + 64);
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

/* Somebody who sends alone fills half of it; what others send has the rest, and no more. */
static void one_sender_has_half_of_the_quota(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *c = net_party(&f->net, SHENZHEN);
    struct attachment most;
    struct attachment same;
    struct attachment little;
    attach(&most, 1, SHARE - 20000);
    attach(&same, 2, SHARE - 20000);
    attach(&little, 3, 20000);
    struct frame to_a = greet(f, a, 0, 0);
    submit_with(f, a, to_a.epoch, 1, &most);
    assert_null(refused_for(f, a));
    submit_with(f, a, to_a.epoch, 2, &little);
    assert_string_equal(refused_for(f, a), "quota");
    const uint64_t sent_by_a = f->sent;
    f->sent = 0;
    struct frame to_c = greet(f, c, 0, 0);
    submit_with(f, c, to_c.epoch, 1, &same);
    assert_null(refused_for(f, c));
    submit_with(f, c, to_c.epoch, 2, &little);
    assert_string_equal(refused_for(f, c), "quota");
    /* What was named by the one is counted for the one, until the reader has it. */
    uint64_t share = 0;
    struct party *b = net_party(&f->net, HANGZHOU);
    struct frame to_b = greet(f, b, 0, 0);
    file_receipt(f, HANGZHOU, CHENGDU, 1, to_b.epoch, &most);
    assert_int_equal(queue_share(f->broker->store, bytes_of(HANGZHOU), bytes_of(SHENZHEN), &share),
                     0);
    assert_true(share > SHARE - 20000);
    f->sent = sent_by_a;
    to_a = greet(f, a, 0, 2);
    submit_with(f, a, to_a.epoch, 3, &little);
    assert_null(refused_for(f, a));
    /* Parcels count until they are taken. */
    say_taken(f, b, to_b.epoch, 3);
    assert_int_equal(queue_share(f->broker->store, bytes_of(HANGZHOU), bytes_of(SHENZHEN), &share),
                     0);
    assert_int_equal(share, queue_blob_weight(SHARE - 20000));
    assert_int_equal(queue_share(f->broker->store, bytes_of(HANGZHOU), bytes_of(CHENGDU), &share),
                     0);
    assert_int_equal(share, queue_blob_weight(20000));
}

/* Of an operator who sets less: nobody alone has half of it, all together have more. */
static void quota_is_for_what_all_have_sent(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct party *b = net_party(&f->net, HANGZHOU);
    struct party *c = net_party(&f->net, SHENZHEN);
    struct attachment most;
    struct attachment third;
    attach(&most, 1, SHARE - 20000);
    attach(&third, 2, QUOTA / 3);
    struct frame to_a = greet(f, a, 0, 0);
    submit_with(f, a, to_a.epoch, 1, NULL);
    submit_with(f, a, to_a.epoch, 2, NULL);
    submit_with(f, a, to_a.epoch, 3, &most);
    assert_null(refused_for(f, a));
    f->sent = 0;
    /* Attachments that are kept … */
    f->site.quota_bytes = QUOTA / 4 * 3;
    struct frame to_c = greet(f, c, 0, 0);
    submit_with(f, c, to_c.epoch, 1, &third);
    assert_string_equal(refused_for(f, c), "quota");
    struct frame to_b = greet(f, b, 0, 0);
    file_receipt(f, HANGZHOU, CHENGDU, 1, to_b.epoch, &most);
    const uint64_t three = waiting_for(f, HANGZHOU).queued;
    /* … parcels that wait … */
    f->site.quota_bytes = three / 4 * 5;
    to_c = greet(f, c, 0, 1);
    submit_with(f, c, to_c.epoch, 2, NULL);
    assert_string_equal(refused_for(f, c), "quota");
    say_taken(f, b, to_b.epoch, 3);
    assert_int_equal(waiting_for(f, HANGZHOU).queued, 0);
    /* … and the one that comes, of which half is the bound still. */
    f->site.quota_bytes = three / 2;
    to_c = greet(f, c, 0, 2);
    submit_with(f, c, to_c.epoch, 3, NULL);
    assert_string_equal(refused_for(f, c), "quota");
    f->site.quota_bytes = three;
    to_c = greet(f, c, 0, 3);
    submit_with(f, c, to_c.epoch, 4, NULL);
    assert_null(refused_for(f, c));
}

static void attachment_has_one_length(void **state)
{
    struct fixture *f = *state;
    struct party *a = net_party(&f->net, CHENGDU);
    struct attachment small;
    struct attachment longer;
    attach(&small, 1, 1000);
    attach(&longer, 1, 1001);
    struct frame to_a = greet(f, a, 0, 0);
    const struct bytes both[] = {small.bytes, longer.bytes};
    static const char *const to = HANGZHOU;
    const struct party_parcel what = {.to = &to,
                                      .to_count = 1,
                                      .count = 1,
                                      .pair_seq = 1,
                                      .broker = HUB,
                                      .blobs = both,
                                      .blob_count = 2};
    struct buf parcel = BUF_INIT;
    party_make_parcel(&f->net, a, &what, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    assert_string_equal(refused_for(f, a), "blob_mismatch"); /* in one parcel */
    to_a = greet(f, a, 0, 1);
    submit_with(f, a, to_a.epoch, 2, &small);
    assert_null(refused_for(f, a));
    submit_with(f, a, to_a.epoch, 3, &longer);
    assert_string_equal(refused_for(f, a), "blob_mismatch"); /* or in another */
    assert_int_equal(held_for(f, HANGZHOU), queue_blob_weight(1000));
    buf_free(&parcel);
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
    submit_with(f, a, to_a.epoch, 3, &small); /* named anew: for the next receipt */
    assert_null(refused_for(f, a));
    assert_int_equal(held_for(f, HANGZHOU), queue_blob_weight(1000));
    file_receipt(f, HANGZHOU, CHENGDU, 3, to_b.epoch, &small);
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
    assert_int_equal(fault_of(COMITY_E_LEDGER_DAMAGED), FAULT_STORE);
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
    s->now.deliver_granted = 100;
    struct buf parcel = BUF_INIT;
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    assert_false(sent(f, b, FRAME_DELIVER, 0, &d));
    assert_int_equal(s->now.deliver_granted, 100);
    assert_false(broker_has_work(f->broker)); /* nor is it tried without end */
    const struct frame ping = {
        .kind = FRAME_PING, .epoch = to_b.epoch, .u.ping = {.credit = 1 << 20}};
    /* The parcel would fit, and what belongs to it does not. */
    const uint64_t seen = s->now.checkpoint_size;
    s->now.deliver_granted = parcel.len + 10;
    assert_int_equal(step_all(f, NULL, NULL, 0), 0);
    assert_false(sent(f, b, FRAME_DELIVER, 0, &d));
    assert_int_equal(s->now.checkpoint_size, seen); /* it has not been shown a newer one */
    step(f, b, &ping);
    assert_true(sent(f, b, FRAME_DELIVER, 0, &d));
    const struct frame less = {.kind = FRAME_PING, .epoch = to_b.epoch, .u.ping = {.credit = 1}};
    step(f, b, &less);
    assert_int_equal(s->now.deliver_granted, 1 << 20);
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
    step(f, b, &ask);
    assert_false(sent(f, b, FRAME_ROSTER_PART, 0, &part));
    expect_bye(f, b, "internal");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(taken_parcels_are_let_go_after_their_time),
        TEST(tidying_lets_go_when_the_days_are_over),
        TEST(parcel_is_done_when_its_last_recipient_has_it),
        TEST(what_hello_says_was_taken_does_not_wait_any_more),
        TEST(attachments_count_until_their_reader_has_them),
        TEST(one_sender_has_half_of_the_quota),
        TEST(quota_is_for_what_all_have_sent),
        TEST(attachment_has_one_length),
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
