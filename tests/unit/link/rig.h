/*
 * What the tests of link share: a broker's socket on a free port of 127.0.0.1, one member's key,
 * and waiting with an end.
 */
#ifndef TESTS_UNIT_LINK_RIG_H
#define TESTS_UNIT_LINK_RIG_H

#include "base/clock.h"
#include "link/link.h"
#include "link/message.h"
#include "link/poll.h"
#include "link/socket.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#define UNUSED __attribute__((unused))
#define assert_err(call, err) assert_string_equal(comity_err_token(call), comity_err_token(err))

enum { RIG_LIMIT = 64 * 1024, RIG_HWM = 10, RIG_WAIT_MS = 15000 };

struct rig {
    struct link *link;
    struct link_socket *server;
    struct link_server_options server_options;
    uint8_t server_public[32];
    uint8_t secret[32]; /* the member's */
    uint8_t public[1][32];
};

static inline int64_t rig_now_ms(void)
{
    return clock_mono_ms(&clock_system);
}

/* A server without an allow table. */
static inline void rig_up_closed(struct rig *r)
{
    *r = (struct rig){0};
    r->server_options = (struct link_server_options){.endpoint = "tcp://127.0.0.1:*",
                                                     .max_message = RIG_LIMIT,
                                                     .send_hwm = RIG_HWM,
                                                     .recv_hwm = RIG_HWM};
    assert_err(link_key_new(r->server_options.secret, r->server_public), COMITY_OK);
    assert_err(link_key_new(r->secret, r->public[0]), COMITY_OK);
    assert_err(link_new(&r->link), COMITY_OK);
    assert_err(link_listen(r->link, &r->server_options, &r->server), COMITY_OK);
}

/* A server that knows the member. */
UNUSED static inline void rig_up(struct rig *r)
{
    rig_up_closed(r);
    assert_err(link_allow_set(r->link, r->public, 1), COMITY_OK);
}

UNUSED static inline void rig_down(struct rig *r)
{
    link_close(r->server);
    link_free(r->link);
}

static inline struct link_client_options rig_client_options(const struct rig *r)
{
    struct link_client_options o = {.endpoint = link_endpoint(r->server),
                                    .max_message = RIG_LIMIT,
                                    .send_hwm = RIG_HWM,
                                    .recv_hwm = RIG_HWM,
                                    .reconnect_ms = 50,
                                    .reconnect_max_ms = 200};
    memcpy(o.secret, r->secret, 32);
    memcpy(o.server_public, r->server_public, 32);
    return o;
}

UNUSED static inline struct link_socket *rig_client(const struct rig *r)
{
    struct link_client_options o = rig_client_options(r);
    struct link_socket *client = NULL;
    assert_err(link_connect(r->link, &o, &client), COMITY_OK);
    return client;
}

/* The state ${s} is in when it first is in ${state}, or when ${ms} are over. */
static inline enum link_client_state rig_await(struct link_socket *s, enum link_client_state state,
                                               int ms)
{
    int64_t until = rig_now_ms() + ms;
    while (link_client_state(s) != state && rig_now_ms() < until) {
        struct link_poll_item item = {.socket = s, .events = LINK_STATE};
        assert_err(link_poll(&item, 1, 50), COMITY_OK);
    }
    return link_client_state(s);
}

/* The first thing other than "nothing yet" that link_recv() says within ${ms}. */
static inline int rig_recv(struct link_socket *s, struct link_message *m, int ms)
{
    int64_t until = rig_now_ms() + ms;
    int err = link_recv(s, m);
    while (err == COMITY_E_AGAIN && rig_now_ms() < until) {
        struct link_poll_item item = {.socket = s, .events = LINK_IN};
        assert_err(link_poll(&item, 1, 50), COMITY_OK);
        err = link_recv(s, m);
    }
    return err;
}

/* A member's socket that is connected, and the peer as which the server sees it. */
UNUSED static inline struct link_socket *rig_member(struct rig *r, struct link_peer *ret_peer)
{
    struct link_socket *client = rig_client(r);
    struct link_message m = LINK_MESSAGE_INIT;
    assert_int_equal(rig_await(client, LINK_CONNECTED, RIG_WAIT_MS), LINK_CONNECTED);
    assert_err(link_send(client, NULL, BYTES_LIT("hello")), COMITY_OK);
    assert_err(rig_recv(r->server, &m, RIG_WAIT_MS), COMITY_OK);
    *ret_peer = m.peer;
    link_message_done(&m);
    return client;
}

/* ---- a client that is none of ours: what a stranger can do with plain libzmq
 * -------------------------------- */

struct stranger {
    void *context;
    void *socket;
    void *monitor;
};

UNUSED static inline void stranger_up(struct stranger *s, int type)
{
    const int none = 0;
    s->context = zmq_ctx_new();
    assert_non_null(s->context);
    s->socket = zmq_socket(s->context, type);
    s->monitor = zmq_socket(s->context, ZMQ_PAIR);
    assert_non_null(s->socket);
    assert_int_equal(zmq_setsockopt(s->socket, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_socket_monitor(s->socket, "inproc://monitor", ZMQ_EVENT_ALL), 0);
    assert_int_equal(zmq_connect(s->monitor, "inproc://monitor"), 0);
}

UNUSED static inline void stranger_down(struct stranger *s)
{
    zmq_socket_monitor(s->socket, NULL, 0);
    zmq_close(s->monitor);
    zmq_close(s->socket);
    zmq_ctx_term(s->context);
}

/* Take on the member's key, and connect. */
UNUSED static inline void stranger_connect_as_member(struct stranger *s, const struct rig *r)
{
    void *z = s->socket;
    assert_int_equal(zmq_setsockopt(z, ZMQ_CURVE_SERVERKEY, r->server_public, 32), 0);
    assert_int_equal(zmq_setsockopt(z, ZMQ_CURVE_PUBLICKEY, r->public[0], 32), 0);
    assert_int_equal(zmq_setsockopt(z, ZMQ_CURVE_SECRETKEY, r->secret, 32), 0);
    assert_int_equal(zmq_connect(z, link_endpoint(r->server)), 0);
}

/* Whether the monitor reports one of ${events} within ${ms}. */
UNUSED static inline bool stranger_sees(struct stranger *s, int events, int ms)
{
    int64_t until = rig_now_ms() + ms;
    for (int64_t left = ms; left > 0; left = until - rig_now_ms()) {
        zmq_pollitem_t item = {.socket = s->monitor, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, (long)left) <= 0)
            continue;
        uint16_t head[3] = {0};
        char endpoint[256];
        assert_int_equal(zmq_recv(s->monitor, head, sizeof head, 0), 6);
        zmq_recv(s->monitor, endpoint, sizeof endpoint, 0);
        if (head[0] & events)
            return true;
    }
    return false;
}

#endif
