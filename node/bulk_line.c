/*
 * The attachment thread's connection to the broker. See bulk_parts.h.
 *
 * libzmq reconnects by itself after a break; where it gives up (the key was refused, the peer broke
 * the protocol), and where the broker owes an answer and says nothing, the socket is made anew
 * after a pause.
 */
#include "bulk_parts.h"

#include "base/log.h"
#include "link/backoff.h"
#include "link/message.h"
#include "link/socket.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum {
    INTAKE_FRAMES = 16, /* in one round */
    SEND_HWM = 16,
    RECV_HWM = 16,         /* 4 MiB; what is on the way beyond that waits at the broker */
    SILENCE_MS = 90 * 1000 /* of a broker that owes us something */
};

/* Find out where the broker is. */
int line_look(struct bulk *k)
{
    char *endpoint = NULL;
    uint8_t key[LINK_KEY_LEN];
    pthread_mutex_lock(&k->lock);
    const struct roster_member *m = k->roster ? roster_broker(k->roster) : NULL;
    bool is_known = m && m->endpoint_count > 1 && m->curve.len == sizeof key;
    if (is_known) {
        endpoint = strndup((const char *)m->endpoints[1].data, m->endpoints[1].len);
        memcpy(key, m->curve.data, sizeof key);
    }
    pthread_mutex_unlock(&k->lock);
    if (!is_known)
        return COMITY_OK; /* that of the last roster is as good as none at all */
    if (!endpoint)
        return COMITY_E_NOMEM;
    if (k->endpoint && strcmp(endpoint, k->endpoint) == 0 &&
        memcmp(key, k->broker_key, sizeof key) == 0) {
        free(endpoint);
        return COMITY_OK;
    }
    free(k->endpoint);
    k->endpoint = endpoint;
    memcpy(k->broker_key, key, sizeof key);
    link_close(k->socket);
    k->socket = NULL;
    k->is_connected = false;
    k->link_due_ms = k->now_ms;
    k->link_failures = 0;
    return COMITY_OK;
}

int bulk_send(struct bulk *k, const struct bulk_frame *f)
{
    struct buf out = BUF_INIT;
    int err = k->is_connected && !k->is_blocked ? bulk_frame_encode(f, &out) : COMITY_E_AGAIN;
    if (!err) {
        err = link_send_buf(k->socket, NULL, &out);
        k->is_blocked = err == COMITY_E_AGAIN;
    }
    buf_free(&out);
    return err;
}

static void disconnect(struct bulk *k)
{
    uint32_t chance;
    struct link_backoff backoff = {.failures = k->link_failures};
    random_bytes((uint8_t *)&chance, sizeof chance);
    k->link_due_ms = k->now_ms + link_backoff_next_ms(&backoff, chance);
    k->link_failures = backoff.failures;
    link_close(k->socket);
    k->socket = NULL;
    k->is_connected = false;
}

static int connect_broker(struct bulk *k)
{
    struct link_client_options o = {.endpoint = k->endpoint,
                                    .max_message = BULK_FRAME_BYTES_MAX,
                                    .send_hwm = SEND_HWM,
                                    .recv_hwm = RECV_HWM};
    memcpy(o.secret, k->node->keys->curve_secret, sizeof o.secret);
    memcpy(o.server_public, k->broker_key, sizeof o.server_public);
    int err = link_connect(k->node->link, &o, &k->socket);
    wipe(&o, sizeof o);
    if (err == COMITY_E_NOMEM)
        return err;
    if (err) {
        log_event(LOG_WARN, "bulk_not_connected", LOG_STR("endpoint", k->endpoint), LOG_ERR(err));
        disconnect(k);
    }
    k->generation = 0;
    return COMITY_OK;
}

/* Nothing of what was on the way counts on a new connection. */
static void begin_connection(struct bulk *k)
{
    k->generation = link_client_generation(k->socket);
    k->is_connected = true;
    k->is_blocked = false;
    k->heard_ms = k->now_ms;
    upload_restart(k);
    fetch_restart(k);
    log_event(LOG_INFO, "bulk_connected", LOG_STR("endpoint", k->endpoint));
}

int line_run(struct bulk *k)
{
    if (!k->socket)
        return k->endpoint && k->now_ms >= k->link_due_ms ? connect_broker(k) : COMITY_OK;
    enum link_client_state state = link_client_state(k->socket);
    if (state == LINK_REFUSED || state == LINK_BROKEN) {
        log_event(LOG_WARN, "bulk_disconnected", LOG_STR("endpoint", k->endpoint),
                  LOG_STR("why", state == LINK_REFUSED ? "refused" : "broken"));
        disconnect(k);
    } else if (state == LINK_CONNECTED) {
        if (!k->is_connected || link_client_generation(k->socket) != k->generation)
            begin_connection(k);
    } else {
        k->is_connected = false;
    }
    return COMITY_OK;
}

bool line_waits(const struct bulk *k)
{
    bool waits = false;
    for (size_t i = 0; i < BULK_UPLOADS_MAX; i++)
        waits = waits || (k->uploads[i].is_used && upload_waits(&k->uploads[i]));
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++)
        waits = waits || (k->fetches[i].is_used && fetch_waits(&k->fetches[i]));
    return waits;
}

/* A connection that stands and says nothing, though we wait for something. */
void line_watch(struct bulk *k)
{
    if (!k->is_connected || !line_waits(k))
        k->heard_ms = k->now_ms;
    if (k->now_ms - k->heard_ms <= SILENCE_MS)
        return;
    log_event(LOG_WARN, "bulk_disconnected", LOG_STR("endpoint", k->endpoint),
              LOG_STR("why", "silence"));
    disconnect(k);
}

static int take_frame(struct bulk *k, struct bytes payload)
{
    struct bulk_frame f;
    int err = bulk_frame_decode(k->arena, payload, &f);
    if (err) {
        log_event(LOG_WARN, "bulk_dropped", LOG_ERR(err));
        disconnect(k);
        return err == COMITY_E_NOMEM ? err : COMITY_OK;
    }
    k->heard_ms = k->now_ms;
    k->link_failures = 0;
    err = upload_take(k, &f);
    return err ? err : fetch_take(k, &f);
}

int line_take(struct bulk *k)
{
    struct link_message m = LINK_MESSAGE_INIT;
    int err = COMITY_OK;
    for (size_t i = 0; !err && k->socket && i < INTAKE_FRAMES; i++) {
        arena_reset(k->arena);
        err = link_recv(k->socket, &m);
        if (!err)
            err = take_frame(k, m.payload);
        else if (err == COMITY_E_MALFORMED) {
            disconnect(k);
            err = COMITY_OK;
        }
    }
    link_message_done(&m);
    return err == COMITY_E_AGAIN ? COMITY_OK : err;
}
