/* Who gets in, and who does not. */
#include "link/link_internal.h"
#include "rig.h"

static struct link_zap_counts counts(struct link *link)
{
    struct link_zap_counts c;
    link_zap_counts(link, &c);
    return c;
}

static void zap_known_key_gets_in_and_is_reported(void **state)
{
    (void)state;
    struct rig r;
    struct link_peer peer;
    rig_up(&r);
    struct link_socket *client = rig_member(&r, &peer);
    assert_memory_equal(peer.key, r.public[0], 32);
    assert_int_equal(counts(r.link).allowed, 1);
    assert_int_equal(counts(r.link).denied, 0);
    link_close(client);
    rig_down(&r);
}

static void zap_unknown_key_is_refused_for_good(void **state)
{
    (void)state;
    struct rig r;
    uint8_t unused[32];
    struct link_message m = LINK_MESSAGE_INIT;
    rig_up(&r);
    assert_err(link_key_new(r.secret, unused), COMITY_OK);
    struct link_socket *client = rig_client(&r);
    assert_int_equal(rig_await(client, LINK_REFUSED, RIG_WAIT_MS), LINK_REFUSED);
    assert_int_equal(counts(r.link).denied, 1);
    assert_err(link_send(client, NULL, BYTES_LIT("x")), COMITY_E_AGAIN);
    assert_err(rig_recv(r.server, &m, 200), COMITY_E_AGAIN);
    /* libzmq tries no more, and nor does the state change */
    assert_int_equal(link_client_state(client), LINK_REFUSED);
    assert_int_equal(counts(r.link).denied, 1);
    link_close(client);
    rig_down(&r);
}

static void zap_empty_table_lets_nobody_in(void **state)
{
    (void)state;
    struct rig r;
    rig_up_closed(&r);
    assert_err(link_allow_set(r.link, NULL, 0), COMITY_OK);
    struct link_socket *client = rig_client(&r);
    assert_int_equal(rig_await(client, LINK_REFUSED, RIG_WAIT_MS), LINK_REFUSED);
    link_close(client);
    rig_down(&r);
}

static void zap_before_any_table_the_client_keeps_trying_and_gets_in_later(void **state)
{
    (void)state;
    struct rig r;
    struct link_message m = LINK_MESSAGE_INIT;
    rig_up_closed(&r);
    struct link_socket *client = rig_client(&r);
    int64_t until = rig_now_ms() + RIG_WAIT_MS;
    while (counts(r.link).deferred == 0 && rig_now_ms() < until) {
        assert_int_equal(link_client_state(client), LINK_CONNECTING);
        usleep(5000);
    }
    assert_true(counts(r.link).deferred > 0);
    assert_int_equal(counts(r.link).denied, 0);
    assert_int_equal(rig_await(client, LINK_REFUSED, 300), LINK_CONNECTING);
    assert_err(link_allow_set(r.link, r.public, 1), COMITY_OK);
    assert_int_equal(rig_await(client, LINK_CONNECTED, RIG_WAIT_MS), LINK_CONNECTED);
    assert_err(link_send(client, NULL, BYTES_LIT("late")), COMITY_OK);
    assert_err(rig_recv(r.server, &m, RIG_WAIT_MS), COMITY_OK);
    assert_true(bytes_is(m.payload, "late"));
    link_message_done(&m);
    link_close(client);
    rig_down(&r);
}

static void zap_table_is_replaced_as_a_whole(void **state)
{
    (void)state;
    struct rig r;
    uint8_t keys[300][32];
    rig_up_closed(&r);
    for (size_t i = 0; i < 300; i++)
        memset(keys[i], (int)(300 - i) & 0xff, 32);
    memcpy(keys[137], r.public[0], 32);
    assert_err(link_allow_set(r.link, (const uint8_t(*)[32])keys, 300), COMITY_OK);
    struct link_socket *client = rig_client(&r);
    assert_int_equal(rig_await(client, LINK_CONNECTED, RIG_WAIT_MS), LINK_CONNECTED);
    link_close(client);
    assert_err(link_allow_set(r.link, (const uint8_t(*)[32])keys, 137), COMITY_OK);
    client = rig_client(&r);
    assert_int_equal(rig_await(client, LINK_REFUSED, RIG_WAIT_MS), LINK_REFUSED);
    link_close(client);
    rig_down(&r);
}

/* A member's key alone, without a socket: what the handler would answer. */
static void zap_key_that_connects_too_often_has_to_wait(void **state)
{
    (void)state;
    struct rig r;
    rig_up(&r);
    uint8_t other[2][32];
    memcpy(other[0], r.public[0], 32);
    memset(other[1], 7, 32);
    assert_err(link_allow_set(r.link, (const uint8_t(*)[32])other, 2), COMITY_OK);
    for (int i = 0; i < LINK_CONNECTS_BURST; i++)
        assert_int_equal(link_zap_decide(r.link, other[1]), 200);
    assert_int_equal(link_zap_decide(r.link, other[1]), 300);
    assert_int_equal(link_zap_decide(r.link, r.public[0]), 200);
    /* A new table does not forget it. */
    assert_err(link_allow_set(r.link, (const uint8_t(*)[32])other, 2), COMITY_OK);
    assert_int_equal(link_zap_decide(r.link, other[1]), 300);
    struct link_socket *client = rig_client(&r);
    assert_int_equal(rig_await(client, LINK_CONNECTED, RIG_WAIT_MS), LINK_CONNECTED);
    link_close(client);
    rig_down(&r);
}

static void zap_wrong_server_key_never_connects(void **state)
{
    (void)state;
    struct rig r;
    rig_up(&r);
    r.server_public[3] ^= 1;
    struct link_socket *client = rig_client(&r);
    assert_int_equal(rig_await(client, LINK_CONNECTED, 1000), LINK_CONNECTING);
    assert_err(link_send(client, NULL, BYTES_LIT("x")), COMITY_E_AGAIN);
    assert_int_equal(counts(r.link).allowed, 0);
    link_close(client);
    rig_down(&r);
}

/* The stranger's socket is not CURVE's: nothing of it may arrive. */
static void expect_kept_out(struct rig *r, struct stranger *s)
{
    struct link_message m = LINK_MESSAGE_INIT;
    assert_int_equal(zmq_connect(s->socket, link_endpoint(r->server)), 0);
    zmq_send(s->socket, "let me in", 9, ZMQ_DONTWAIT);
    assert_false(stranger_sees(s, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 700));
    assert_err(rig_recv(r->server, &m, 100), COMITY_E_AGAIN);
    assert_int_equal(counts(r->link).allowed, 0);
}

static void zap_null_client_is_kept_out(void **state)
{
    (void)state;
    struct rig r;
    struct stranger s;
    rig_up(&r);
    stranger_up(&s, ZMQ_DEALER);
    expect_kept_out(&r, &s);
    stranger_down(&s);
    rig_down(&r);
}

static void zap_plain_client_is_kept_out(void **state)
{
    (void)state;
    struct rig r;
    struct stranger s;
    rig_up(&r);
    stranger_up(&s, ZMQ_DEALER);
    assert_int_equal(zmq_setsockopt(s.socket, ZMQ_PLAIN_USERNAME, "admin", 5), 0);
    assert_int_equal(zmq_setsockopt(s.socket, ZMQ_PLAIN_PASSWORD, "admin", 5), 0);
    expect_kept_out(&r, &s);
    stranger_down(&s);
    rig_down(&r);
}

static void zap_known_key_with_another_secret_is_kept_out(void **state)
{
    (void)state;
    struct rig r;
    struct stranger s;
    uint8_t unused[32];
    rig_up(&r);
    assert_err(link_key_new(r.secret, unused), COMITY_OK);
    stranger_up(&s, ZMQ_DEALER);
    assert_int_equal(zmq_setsockopt(s.socket, ZMQ_CURVE_SERVERKEY, r.server_public, 32), 0);
    assert_int_equal(zmq_setsockopt(s.socket, ZMQ_CURVE_PUBLICKEY, r.public[0], 32), 0);
    assert_int_equal(zmq_setsockopt(s.socket, ZMQ_CURVE_SECRETKEY, r.secret, 32), 0);
    expect_kept_out(&r, &s);
    stranger_down(&s);
    rig_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zap_known_key_gets_in_and_is_reported),
        cmocka_unit_test(zap_unknown_key_is_refused_for_good),
        cmocka_unit_test(zap_empty_table_lets_nobody_in),
        cmocka_unit_test(zap_before_any_table_the_client_keeps_trying_and_gets_in_later),
        cmocka_unit_test(zap_table_is_replaced_as_a_whole),
        cmocka_unit_test(zap_key_that_connects_too_often_has_to_wait),
        cmocka_unit_test(zap_wrong_server_key_never_connects),
        cmocka_unit_test(zap_null_client_is_kept_out),
        cmocka_unit_test(zap_plain_client_is_kept_out),
        cmocka_unit_test(zap_known_key_with_another_secret_is_kept_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
