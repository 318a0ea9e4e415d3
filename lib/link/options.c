/*
 * Every option of every socket.
 *
 * Two tables of the same shape say what a socket gets, in one go, before it binds or connects.
 * link_socket_options() reads all of it back through the same tables.
 */
#include "link/link_internal.h"

#include <comity/err.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

/* In 4.3 this stands behind ZMQ_BUILD_DRAFT_API, but it is compiled in and works without. It makes
 * CURVE refuse everybody when no ZAP handler answers; by default libzmq would let everybody in. */
#define LINK_ZMQ_ZAP_ENFORCE_DOMAIN 93

/* What CURVE adds to a payload in a frame is 33 bytes (RFC 26: 8 name, 8 nonce, 16 box, 1 flags);
 * rounded up. */
enum { CURVE_OVERHEAD = 64 };

enum role { SERVER = 1, CLIENT = 2, BOTH = 3 };

struct row {
    int option;
    enum role role;
    enum { INT, INT64, TEXT, SET_ONLY } kind; /* SET_ONLY: an int that libzmq does not tell */
    size_t offset;
    size_t room;
};

#define ROW(opt, who, what, member)                                   \
    {                                                                 \
        opt, who, what, offsetof(struct link_socket_options, member), \
            sizeof(((struct link_socket_options *)0)->member)         \
    }

static const struct row rows[] = {
    /* CURVE_SERVER comes first: it fixes the mechanism. */
    ROW(ZMQ_CURVE_SERVER, SERVER, INT, curve_server),
    /* ZAP: asked about every client, and nobody in without an answer. */
    ROW(ZMQ_ZAP_DOMAIN, SERVER, TEXT, zap_domain),
    ROW(LINK_ZMQ_ZAP_ENFORCE_DOMAIN, SERVER, INT, zap_enforce_domain),
    /* Sending to a peer that is gone is an error, not silence. */
    ROW(ZMQ_ROUTER_MANDATORY, SERVER, SET_ONLY, router_mandatory),
    /* A second connection with the same routing id never takes over the first. */
    ROW(ZMQ_ROUTER_HANDOVER, SERVER, SET_ONLY, router_handover),
    /* Many nodes come back at once after a restart. */
    ROW(ZMQ_BACKLOG, SERVER, INT, backlog),
    /* Queue nothing for a connection that does not exist. */
    ROW(ZMQ_IMMEDIATE, CLIENT, INT, immediate),
    ROW(ZMQ_RECONNECT_IVL, CLIENT, INT, reconnect_ivl_ms),
    ROW(ZMQ_RECONNECT_IVL_MAX, CLIENT, INT, reconnect_ivl_max_ms),
    ROW(ZMQ_CONNECT_TIMEOUT, CLIENT, INT, connect_timeout_ms),
    /* Closing never waits: what matters is acknowledged and sent again. */
    ROW(ZMQ_LINGER, BOTH, INT, linger_ms),
    ROW(ZMQ_SNDHWM, BOTH, INT, send_hwm),
    ROW(ZMQ_RCVHWM, BOTH, INT, recv_hwm),
    /* Holds before authentication, and counts the frame as it is on the wire. */
    ROW(ZMQ_MAXMSGSIZE, BOTH, INT64, max_frame),
    ROW(ZMQ_HANDSHAKE_IVL, BOTH, INT, handshake_ivl_ms),
    /* Off: a receiver that is full makes them kill healthy peers. Comity has a PING of its own. */
    ROW(ZMQ_HEARTBEAT_IVL, BOTH, INT, heartbeat_ivl_ms),
    /* Finds peers whose machine went away, in about two minutes, and keeps NAT entries alive. */
    ROW(ZMQ_TCP_KEEPALIVE, BOTH, INT, tcp_keepalive),
    ROW(ZMQ_TCP_KEEPALIVE_IDLE, BOTH, INT, tcp_keepalive_idle_s),
    ROW(ZMQ_TCP_KEEPALIVE_INTVL, BOTH, INT, tcp_keepalive_intvl_s),
    ROW(ZMQ_TCP_KEEPALIVE_CNT, BOTH, INT, tcp_keepalive_cnt),
    ROW(ZMQ_IPV6, BOTH, INT, ipv6),
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static const struct link_socket_options common = {
    .linger_ms = 0,
    .handshake_ivl_ms = 5000,
    .heartbeat_ivl_ms = 0,
    .tcp_keepalive = 1,
    .tcp_keepalive_idle_s = 60,
    .tcp_keepalive_intvl_s = 15,
    .tcp_keepalive_cnt = 4,
    .ipv6 = 1,
};

static int set_all(void *zmq, enum role role, const struct link_socket_options *o)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        const void *value = (const char *)o + r->offset;
        size_t len = r->kind == TEXT ? strlen(value) : r->room;
        if ((r->role & role) && zmq_setsockopt(zmq, r->option, value, len) != 0)
            return r->option == LINK_ZMQ_ZAP_ENFORCE_DOMAIN ? COMITY_E_NO_ZAP : link_err(errno);
    }
    return COMITY_OK;
}

static int set_key(void *zmq, int option, const uint8_t key[LINK_KEY_LEN])
{
    return zmq_setsockopt(zmq, option, key, LINK_KEY_LEN) == 0 ? COMITY_OK : link_err(errno);
}

static bool limits_are_valid(size_t max_message, int send_hwm, int recv_hwm)
{
    return max_message >= LINK_MESSAGE_MIN && max_message <= LINK_MESSAGE_MAX && send_hwm >= 1 &&
           recv_hwm >= 1;
}

int link_options_set_server(void *zmq, const struct link *link, const struct link_server_options *o)
{
    if (!limits_are_valid(o->max_message, o->send_hwm, o->recv_hwm))
        return COMITY_E_INVALID;
    struct link_socket_options all = common;
    all.curve_server = 1;
    memcpy(all.zap_domain, LINK_ZAP_DOMAIN, sizeof LINK_ZAP_DOMAIN);
    all.zap_enforce_domain = link->faults.no_enforce ? 0 : 1;
    all.router_mandatory = 1;
    all.router_handover = 0;
    all.backlog = 4096;
    all.send_hwm = o->send_hwm;
    all.recv_hwm = o->recv_hwm;
    all.max_frame = (int64_t)o->max_message + CURVE_OVERHEAD;
    int err = set_all(zmq, SERVER, &all);
    return err < 0 ? err : set_key(zmq, ZMQ_CURVE_SECRETKEY, o->secret);
}

int link_options_set_client(void *zmq, const struct link_client_options *o,
                            const uint8_t public[LINK_KEY_LEN])
{
    if (!limits_are_valid(o->max_message, o->send_hwm, o->recv_hwm) || o->reconnect_ms < 0 ||
        o->reconnect_max_ms < 0)
        return COMITY_E_INVALID;
    struct link_socket_options all = common;
    all.immediate = 1;
    all.reconnect_ivl_ms = o->reconnect_ms > 0 ? o->reconnect_ms : 250;
    all.reconnect_ivl_max_ms = o->reconnect_max_ms > 0 ? o->reconnect_max_ms : 30000;
    if (all.reconnect_ivl_max_ms < all.reconnect_ivl_ms)
        return COMITY_E_INVALID;
    all.connect_timeout_ms = 10000;
    all.send_hwm = o->send_hwm;
    all.recv_hwm = o->recv_hwm;
    all.max_frame = (int64_t)o->max_message + CURVE_OVERHEAD;
    int err = set_all(zmq, CLIENT, &all);
    if (err == COMITY_OK)
        err = set_key(zmq, ZMQ_CURVE_SERVERKEY, o->server_public);
    if (err == COMITY_OK)
        err = set_key(zmq, ZMQ_CURVE_PUBLICKEY, public);
    if (err == COMITY_OK)
        err = set_key(zmq, ZMQ_CURVE_SECRETKEY, o->secret);
    return err;
}

static int read_int(void *zmq, int option, int *ret)
{
    size_t len = sizeof *ret;
    return zmq_getsockopt(zmq, option, ret, &len) == 0 ? COMITY_OK : COMITY_E_INTERNAL;
}

int link_socket_options(struct link_socket *socket, struct link_socket_options *ret)
{
    struct link_socket_options o = {0};
    if (read_int(socket->zmq, ZMQ_TYPE, &o.type) < 0 ||
        read_int(socket->zmq, ZMQ_MECHANISM, &o.mechanism) < 0)
        return COMITY_E_INTERNAL;
    enum role role = socket->server ? SERVER : CLIENT;
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        char *to = (char *)&o + r->offset;
        size_t len = r->room;
        bool known = (r->role & role) && r->kind != SET_ONLY;
        if (known && zmq_getsockopt(socket->zmq, r->option, to, &len) != 0)
            return COMITY_E_INTERNAL;
        if (!known && r->kind != TEXT)
            memset(to, 0xff, r->room); /* -1 */
    }
    *ret = o;
    return COMITY_OK;
}
