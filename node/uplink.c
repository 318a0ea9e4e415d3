/*
 * The connection to the broker. See uplink.h.
 */
#include "uplink.h"

#include "base/log.h"
#include "link/backoff.h"
#include "link/endpoint.h"
#include "link/link.h"
#include "link/message.h"
#include "link/socket.h"
#include "msg/frame.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEND_HWM = 1024,
    RECV_HWM = 1024,
    LOOK_MS = 1000 /* libzmq gives some connections up without a word: link_client_state() tells by
                      the clock */
};

struct uplink {
    struct node *n;
    struct link *link;
    struct link_socket *socket;
    /* What the socket was made from: another one in the roster means another socket. */
    char endpoint[LINK_ENDPOINT_MAX + 1];
    uint8_t server[LINK_KEY_LEN];

    struct link_backoff backoff;
    int64_t retry_ms; /* monotonic: not before */
    bool is_up;
    uint64_t generation;
    bool was_closed; /* the session has not been told yet */

    struct link_message message[NODE_TURN_FRAMES];
    struct bytes frame[NODE_TURN_FRAMES];
    size_t count;
    bool has_more; /* the turn was full */

    /* Frames that libzmq had no room for. */
    struct buf *waiting;
    size_t first;
    size_t waiting_count;
    size_t waiting_cap;
};

static int64_t now_ms(const struct uplink *u)
{
    return clock_mono_ms(&u->n->clock);
}

static void drop_waiting(struct uplink *u)
{
    for (size_t i = u->first; i < u->waiting_count; i++)
        buf_free(&u->waiting[i]);
    u->first = u->waiting_count = 0;
}

static void drop_messages(struct uplink *u)
{
    for (size_t i = 0; i < u->count; i++)
        link_message_done(&u->message[i]);
    u->count = 0;
}

/* ---- the socket ---- */

static void pause_then_retry(struct uplink *u)
{
    uint32_t chance = 0;
    random_bytes((uint8_t *)&chance, sizeof chance);
    u->retry_ms = now_ms(u) + link_backoff_next_ms(&u->backoff, chance);
}

static void disconnect(struct uplink *u)
{
    drop_waiting(u);
    link_close(u->socket); /* what was received lives on by itself */
    u->socket = NULL;
    u->was_closed = u->was_closed || u->is_up;
    u->is_up = false;
    u->has_more = false;
}

/* Where the broker is, as the roster in force says. */
static const struct roster_member *broker_of(const struct uplink *u)
{
    const struct roster_member *b = u->n->roster ? roster_broker(u->n->roster) : NULL;
    return b && b->endpoint_count && b->curve.len == LINK_KEY_LEN &&
                   b->endpoints[0].len <= LINK_ENDPOINT_MAX
               ? b
               : NULL;
}

static bool is_current(const struct uplink *u, const struct roster_member *b)
{
    return bytes_is(b->endpoints[0], u->endpoint) &&
           memcmp(b->curve.data, u->server, LINK_KEY_LEN) == 0;
}

static int connect_to(struct uplink *u, const struct roster_member *b)
{
    memset(u->endpoint, 0, sizeof u->endpoint);
    memcpy(u->endpoint, b->endpoints[0].data, b->endpoints[0].len);
    memcpy(u->server, b->curve.data, LINK_KEY_LEN);
    struct link_client_options o = {.endpoint = u->endpoint,
                                    .max_message = FRAME_BYTES_MAX,
                                    .send_hwm = SEND_HWM,
                                    .recv_hwm = RECV_HWM};
    memcpy(o.secret, u->n->keys->curve_secret, LINK_KEY_LEN);
    memcpy(o.server_public, u->server, LINK_KEY_LEN);
    int err = link_connect(u->link, &o, &u->socket);
    wipe(o.secret, sizeof o.secret);
    if (err) {
        log_event(LOG_ERROR, "connect_failed", LOG_STR("endpoint", u->endpoint), LOG_ERR(err));
        pause_then_retry(u);
        return err == COMITY_E_NOMEM ? err : COMITY_OK;
    }
    u->generation = link_client_generation(u->socket);
    return COMITY_OK;
}

/* Make the socket when it is due, or anew when the roster names another broker. */
static int keep_connected(struct uplink *u)
{
    const struct roster_member *b = broker_of(u);
    if (u->socket && (!b || !is_current(u, b)))
        disconnect(u);
    if (u->socket || !b || now_ms(u) < u->retry_ms)
        return COMITY_OK;
    return connect_to(u, b);
}

int uplink_open(struct node *n, struct link *link, struct uplink **ret)
{
    struct uplink *u = calloc(1, sizeof *u);
    if (!u)
        return COMITY_E_NOMEM;
    u->n = n;
    u->link = link;
    int err = keep_connected(u);
    if (err) {
        uplink_close(u);
        return err;
    }
    *ret = u;
    return COMITY_OK;
}

void uplink_close(struct uplink *u)
{
    if (!u)
        return;
    disconnect(u);
    drop_messages(u);
    free(u->waiting);
    free(u);
}

void uplink_poll(struct uplink *u, struct link_poll_item *ret)
{
    *ret = (struct link_poll_item){.socket = u->socket, .fd = -1};
    if (u->socket)
        ret->events = LINK_IN | LINK_STATE | (u->is_up && u->waiting_count ? LINK_OUT : 0);
}

int uplink_timeout_ms(const struct uplink *u)
{
    if (u->has_more)
        return 0;
    if (u->socket)
        return u->is_up ? -1 : LOOK_MS;
    if (!u->n->roster)
        return -1;
    int64_t left = u->retry_ms - now_ms(u);
    return left > 0 ? (int)left : 0;
}

/* ---- in ---- */

/* What the monitor says. */
static void look(struct uplink *u, struct node_in *ret)
{
    enum link_client_state state = link_client_state(u->socket);
    uint64_t generation = link_client_generation(u->socket);
    if (state == LINK_REFUSED || state == LINK_BROKEN) {
        log_event(LOG_WARN, state == LINK_REFUSED ? "broker_denied_us" : "broker_broke_protocol",
                  LOG_STR("endpoint", u->endpoint));
        disconnect(u);
        pause_then_retry(u);
    } else if (state == LINK_CONNECTED && (!u->is_up || generation != u->generation)) {
        ret->down = u->is_up;
        ret->up = true;
        u->is_up = true;
        u->generation = generation;
        drop_waiting(u);
    } else if (state == LINK_CONNECTING && u->is_up) {
        ret->down = true;
        u->is_up = false;
        drop_waiting(u);
    }
}

static int receive(struct uplink *u)
{
    size_t bytes = 0;
    int64_t until = now_ms(u) + NODE_TURN_MS;
    u->has_more = false;
    while (u->count < NODE_TURN_FRAMES && bytes < NODE_TURN_BYTES) {
        struct link_message *m = &u->message[u->count];
        int err = link_recv(u->socket, m);
        if (err == COMITY_E_AGAIN)
            return COMITY_OK;
        if (err == COMITY_E_MALFORMED)
            continue;
        if (err)
            return err;
        bytes += m->payload.len;
        u->frame[u->count++] = m->payload;
        if (u->count % 16 == 0 && now_ms(u) > until)
            break;
    }
    u->has_more = true;
    return COMITY_OK;
}

int uplink_take(struct uplink *u, struct node_in *ret)
{
    *ret = (struct node_in){0};
    int err = keep_connected(u);
    if (!err && u->socket && u->is_up)
        err = receive(u);
    if (!err && u->socket && !u->has_more)
        look(u, ret);
    ret->down = ret->down || u->was_closed;
    u->was_closed = false;
    ret->frames = u->frame;
    ret->frame_count = u->count;
    return err;
}

/* ---- out ---- */

static int keep_waiting(struct uplink *u, struct buf *frame)
{
    if (u->waiting_count == u->waiting_cap) {
        size_t cap = u->waiting_cap ? 2 * u->waiting_cap : 64;
        struct buf *more = realloc(u->waiting, cap * sizeof *more);
        if (!more)
            return COMITY_E_NOMEM;
        u->waiting = more;
        u->waiting_cap = cap;
    }
    u->waiting[u->waiting_count++] = *frame;
    *frame = BUF_INIT;
    return COMITY_OK;
}

static int flush(struct uplink *u)
{
    while (u->first < u->waiting_count) {
        int err = link_send_buf(u->socket, NULL, &u->waiting[u->first]);
        if (err == COMITY_E_AGAIN)
            return COMITY_OK;
        if (err)
            return err;
        u->first++;
    }
    u->first = u->waiting_count = 0;
    return COMITY_OK;
}

int uplink_settle(struct uplink *u, struct node_out *out)
{
    int err = COMITY_OK;
    drop_messages(u);
    if (u->is_up) {
        for (size_t i = 0; !err && i < out->count; i++)
            err = keep_waiting(u, &out->frames[i]);
        if (!err)
            err = flush(u);
    }
    if (out->healthy)
        link_backoff_reset(&u->backoff);
    if (out->reset || err) {
        disconnect(u);
        u->was_closed = false; /* it is the session that ended it */
        pause_then_retry(u);
    }
    node_out_reset(out);
    return err == COMITY_E_NOMEM ? err : COMITY_OK;
}
