/* Making sockets: options, endpoints, the start-up test, what a client says of its connection. */
#include "link/link_internal.h"
#include "rig.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---- options
 * ---------------------------------------------------------------------------------------- */

static void expect_common_options(const struct link_socket_options *o)
{
    assert_int_equal(o->mechanism, ZMQ_CURVE);
    assert_int_equal(o->linger_ms, 0);
    assert_int_equal(o->send_hwm, 7);
    assert_int_equal(o->recv_hwm, 9);
    assert_int_equal(o->max_frame, RIG_LIMIT + 64);
    assert_int_equal(o->handshake_ivl_ms, 5000);
    assert_int_equal(o->heartbeat_ivl_ms, 0);
    assert_int_equal(o->tcp_keepalive, 1);
    assert_int_equal(o->tcp_keepalive_idle_s, 60);
    assert_int_equal(o->tcp_keepalive_intvl_s, 15);
    assert_int_equal(o->tcp_keepalive_cnt, 4);
    assert_int_equal(o->ipv6, 1);
}

static void options_of_a_server_read_back_as_set(void **state)
{
    (void)state;
    struct rig r;
    struct link_socket_options o;
    rig_up(&r);
    link_close(r.server);
    r.server_options.send_hwm = 7;
    r.server_options.recv_hwm = 9;
    assert_err(link_listen(r.link, &r.server_options, &r.server), COMITY_OK);
    assert_err(link_socket_options(r.server, &o), COMITY_OK);
    expect_common_options(&o);
    assert_int_equal(o.type, ZMQ_ROUTER);
    assert_int_equal(o.curve_server, 1);
    assert_string_equal(o.zap_domain, "comity");
    assert_int_equal(o.zap_enforce_domain, 1);
    assert_int_equal(o.backlog, 4096);
    assert_int_equal(o.router_mandatory, -1); /* test_message.c sees it at work */
    assert_int_equal(o.immediate, -1);
    rig_down(&r);
}

static void options_of_a_client_read_back_as_set(void **state)
{
    (void)state;
    struct rig r;
    struct link_socket *client = NULL;
    struct link_socket_options o;
    rig_up(&r);
    struct link_client_options set = rig_client_options(&r);
    set.send_hwm = 7;
    set.recv_hwm = 9;
    set.reconnect_ms = 0;
    set.reconnect_max_ms = 0;
    assert_err(link_connect(r.link, &set, &client), COMITY_OK);
    assert_err(link_socket_options(client, &o), COMITY_OK);
    expect_common_options(&o);
    assert_int_equal(o.type, ZMQ_DEALER);
    assert_int_equal(o.curve_server, -1);
    assert_int_equal(o.immediate, 1);
    assert_int_equal(o.reconnect_ivl_ms, 250);
    assert_int_equal(o.reconnect_ivl_max_ms, 30000);
    assert_int_equal(o.connect_timeout_ms, 10000);
    link_close(client);
    rig_down(&r);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    struct rig r;
    struct link_socket *s = NULL;
    rig_up(&r);
    struct link_server_options good = r.server_options;
    struct link_server_options bad = good;
    bad.send_hwm = 0; /* libzmq takes 0 for "no limit" */
    assert_err(link_listen(r.link, &bad, &s), COMITY_E_INVALID);
    bad = good;
    bad.recv_hwm = 0;
    assert_err(link_listen(r.link, &bad, &s), COMITY_E_INVALID);
    bad = good;
    bad.max_message = LINK_MESSAGE_MIN - 1;
    assert_err(link_listen(r.link, &bad, &s), COMITY_E_INVALID);
    bad = good;
    bad.max_message = (size_t)LINK_MESSAGE_MAX + 1;
    assert_err(link_listen(r.link, &bad, &s), COMITY_E_INVALID);
    bad = good;
    memset(bad.secret, 0, 32);
    assert_err(link_listen(r.link, &bad, &s), COMITY_E_BAD_KEY);
    struct link_client_options client = rig_client_options(&r);
    client.reconnect_max_ms = 49;
    assert_err(link_connect(r.link, &client, &s), COMITY_E_INVALID);
    assert_null(s);
    rig_down(&r);
}

/* ---- endpoints
 * -------------------------------------------------------------------------------------- */

static void expect_round_trip(struct rig *r)
{
    struct link_peer peer;
    struct link_socket *client = rig_member(r, &peer);
    assert_memory_equal(peer.key, r->public[0], 32);
    link_close(client);
}

static void listen_free_port_is_told_and_reachable(void **state)
{
    (void)state;
    struct rig r;
    rig_up(&r);
    assert_true(bytes_has_prefix(bytes_of(link_endpoint(r.server)), "tcp://127.0.0.1:"));
    assert_true(link_endpoint_port(link_endpoint(r.server)) > 0);
    expect_round_trip(&r);
    rig_down(&r);
}

static void listen_ipc_path_is_reachable(void **state)
{
    (void)state;
    struct rig r;
    char dir[] = "/tmp/comity-link-XXXXXX";
    char endpoint[64];
    assert_non_null(mkdtemp(dir));
    snprintf(endpoint, sizeof endpoint, "ipc://%s/broker.sock", dir);
    rig_up(&r);
    link_close(r.server);
    r.server_options.endpoint = endpoint;
    assert_err(link_listen(r.link, &r.server_options, &r.server), COMITY_OK);
    assert_string_equal(link_endpoint(r.server), endpoint);
    expect_round_trip(&r);
    rig_down(&r);
    unlink(endpoint + strlen("ipc://"));
    assert_int_equal(rmdir(dir), 0);
}

static void listen_bad_endpoints_are_refused(void **state)
{
    (void)state;
    struct rig r;
    struct link_socket *s = NULL;
    char text[160];
    rig_up(&r);
    struct link_server_options o = r.server_options;
    o.endpoint = "inproc://broker"; /* where libzmq asks nobody for a key */
    assert_err(link_listen(r.link, &o, &s), COMITY_E_UNSUPPORTED);
    o.endpoint = "tcp://nonsense";
    assert_err(link_listen(r.link, &o, &s), COMITY_E_INVALID);
    memset(text, 'x', sizeof text);
    memcpy(text, "ipc:///", 7);
    text[sizeof text - 1] = '\0';
    o.endpoint = text;
    assert_err(link_listen(r.link, &o, &s), COMITY_E_TOO_LARGE);
    o.endpoint = link_endpoint(r.server);
    assert_err(link_listen(r.link, &o, &s), COMITY_E_EXISTS);
    o.endpoint = "tcp://192.0.2.1:5670"; /* RFC 5737: nobody's */
    assert_err(link_listen(r.link, &o, &s), COMITY_E_NOT_FOUND);
    struct link_client_options c = rig_client_options(&r);
    c.endpoint = "inproc://broker";
    assert_err(link_connect(r.link, &c, &s), COMITY_E_UNSUPPORTED);
    assert_null(s);
    rig_down(&r);
}

/* ---- the start-up test
 * ------------------------------------------------------------------------------ */

static void listen_leaves_no_trace_in_the_counts(void **state)
{
    (void)state;
    struct rig r;
    struct link_zap_counts c;
    rig_up_closed(&r);
    link_zap_counts(r.link, &c);
    assert_int_equal(c.allowed + c.deferred + c.denied, 0);
    assert_int_equal(r.link->probe_status, 400);
    assert_false(r.link->probing);
    rig_down(&r);
}

static void expect_no_socket(const struct link_faults *faults)
{
    struct link *link = NULL;
    struct link_socket *s = NULL;
    uint8_t unused[32];
    struct link_server_options o = {
        .endpoint = "tcp://127.0.0.1:*", .max_message = RIG_LIMIT, .send_hwm = 1, .recv_hwm = 1};
    assert_err(link_key_new(o.secret, unused), COMITY_OK);
    assert_err(link_new_faulty(faults, &link), COMITY_OK);
    assert_err(link_listen(link, &o, &s), COMITY_E_NO_ZAP);
    assert_null(s);
    assert_int_equal(link->sockets, 0);
    link_free(link);
}

static void listen_without_a_handler_gives_no_socket(void **state)
{
    (void)state;
    expect_no_socket(&(struct link_faults){.no_handler = true});
}

static void listen_where_strangers_get_in_gives_no_socket(void **state)
{
    (void)state;
    expect_no_socket(&(struct link_faults){.no_handler = true, .no_enforce = true});
}

/* A handler that stands where ours should, and answers ${status} to all. */
static void *foreign_handler(void *self)
{
    void **handler = self; /* socket, status */
    for (;;) {
        char frames[16][256];
        int n = 0;
        int more = 1;
        size_t len = sizeof more;
        int id_len = 0;
        while (more && n < 16) {
            int got = zmq_recv(handler[0], frames[n], sizeof frames[n], 0);
            if (got < 0)
                break;
            if (n == 1)
                id_len = got;
            n++;
            zmq_getsockopt(handler[0], ZMQ_RCVMORE, &more, &len);
        }
        if (n < 7)
            break;
        zmq_send(handler[0], "1.0", 3, ZMQ_SNDMORE);
        zmq_send(handler[0], frames[1], (size_t)id_len, ZMQ_SNDMORE);
        zmq_send(handler[0], handler[1], 3, ZMQ_SNDMORE);
        zmq_send(handler[0], "", 0, ZMQ_SNDMORE);
        zmq_send(handler[0], "me", 2, ZMQ_SNDMORE);
        zmq_send(handler[0], "", 0, 0);
    }
    zmq_close(handler[0]);
    return NULL;
}

static void expect_no_socket_with_foreign_handler(char *status)
{
    struct link *link = NULL;
    struct link_socket *s = NULL;
    uint8_t unused[32];
    pthread_t thread;
    const int patience_ms = 2000;
    struct link_server_options o = {
        .endpoint = "tcp://127.0.0.1:*", .max_message = RIG_LIMIT, .send_hwm = 1, .recv_hwm = 1};
    assert_err(link_key_new(o.secret, unused), COMITY_OK);
    assert_err(link_new_faulty(&(struct link_faults){.no_handler = true}, &link), COMITY_OK);
    void *handler[] = {zmq_socket(link->zmq, ZMQ_REP), status};
    assert_int_equal(zmq_setsockopt(handler[0], ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms), 0);
    assert_int_equal(zmq_bind(handler[0], LINK_ZAP_ENDPOINT), 0);
    assert_int_equal(pthread_create(&thread, NULL, foreign_handler, handler), 0);
    assert_err(link_listen(link, &o, &s), COMITY_E_NO_ZAP);
    assert_null(s);
    pthread_join(thread, NULL);
    link_free(link);
}

static void listen_with_a_handler_that_lets_all_in_gives_no_socket(void **state)
{
    (void)state;
    expect_no_socket_with_foreign_handler("200");
}

static void listen_refused_by_another_than_our_handler_gives_no_socket(void **state)
{
    (void)state;
    expect_no_socket_with_foreign_handler("400");
}

/* ---- what a client sees
 * ----------------------------------------------------------------------------- */

static void client_without_a_server_is_connecting(void **state)
{
    (void)state;
    struct rig r;
    rig_up(&r);
    struct link_socket *client = rig_client(&r);
    assert_int_equal(rig_await(client, LINK_CONNECTED, RIG_WAIT_MS), LINK_CONNECTED);
    assert_int_equal(link_client_generation(client), 1);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "%s", link_endpoint(r.server));
    link_close(r.server);
    assert_int_equal(rig_await(client, LINK_CONNECTING, RIG_WAIT_MS), LINK_CONNECTING);
    /* more than a second: it must not be taken for given up */
    assert_int_equal(rig_await(client, LINK_BROKEN, 1500), LINK_CONNECTING);
    r.server_options.endpoint = endpoint;
    assert_err(link_listen(r.link, &r.server_options, &r.server), COMITY_OK);
    assert_int_equal(rig_await(client, LINK_CONNECTED, RIG_WAIT_MS), LINK_CONNECTED);
    assert_int_equal(link_client_generation(client), 2);
    link_close(client);
    rig_down(&r);
}

static void client_of_a_server_without_curve_is_broken(void **state)
{
    (void)state;
    struct rig r;
    struct stranger s;
    struct link_socket *client = NULL;
    char endpoint[64];
    size_t len = sizeof endpoint;
    rig_up(&r);
    stranger_up(&s, ZMQ_ROUTER);
    assert_int_equal(zmq_bind(s.socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(s.socket, ZMQ_LAST_ENDPOINT, endpoint, &len), 0);
    struct link_client_options o = rig_client_options(&r);
    o.endpoint = endpoint;
    assert_err(link_connect(r.link, &o, &client), COMITY_OK);
    assert_int_equal(rig_await(client, LINK_BROKEN, RIG_WAIT_MS), LINK_BROKEN);
    link_close(client);
    stranger_down(&s);
    rig_down(&r);
}

static void client_that_is_sent_too_much_is_broken(void **state)
{
    (void)state;
    struct rig r;
    struct link_socket *client = NULL;
    struct link_message m = LINK_MESSAGE_INIT;
    static const uint8_t much[4096];
    rig_up(&r);
    struct link_client_options o = rig_client_options(&r);
    o.max_message = 1024;
    assert_err(link_connect(r.link, &o, &client), COMITY_OK);
    assert_int_equal(rig_await(client, LINK_CONNECTED, RIG_WAIT_MS), LINK_CONNECTED);
    assert_err(link_send(client, NULL, BYTES_LIT("hello")), COMITY_OK);
    assert_err(rig_recv(r.server, &m, RIG_WAIT_MS), COMITY_OK);
    assert_err(link_send(r.server, &m.peer, BYTES(much, sizeof much)), COMITY_OK);
    assert_int_equal(rig_await(client, LINK_BROKEN, RIG_WAIT_MS), LINK_BROKEN);
    link_message_done(&m);
    link_close(client);
    rig_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_a_server_read_back_as_set),
        cmocka_unit_test(options_of_a_client_read_back_as_set),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(listen_free_port_is_told_and_reachable),
        cmocka_unit_test(listen_ipc_path_is_reachable),
        cmocka_unit_test(listen_bad_endpoints_are_refused),
        cmocka_unit_test(listen_leaves_no_trace_in_the_counts),
        cmocka_unit_test(listen_without_a_handler_gives_no_socket),
        cmocka_unit_test(listen_where_strangers_get_in_gives_no_socket),
        cmocka_unit_test(listen_with_a_handler_that_lets_all_in_gives_no_socket),
        cmocka_unit_test(listen_refused_by_another_than_our_handler_gives_no_socket),
        cmocka_unit_test(client_without_a_server_is_connecting),
        cmocka_unit_test(client_of_a_server_without_curve_is_broken),
        cmocka_unit_test(client_that_is_sent_too_much_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
