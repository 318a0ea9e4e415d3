/*
 * The start-up test of a listening socket: a stranger must be refused.
 *
 * CURVE without a working ZAP handler lets everybody in, silently. So a client with a key that was
 * made this moment, and that no table can hold, goes through the real door. Two things must be
 * seen, from both sides of it: the client is told 400, and the handler remembers having refused
 * this very key. A handler that is not asked fails the second, a handler that is not heeded the
 * first.
 */
#include "link/link_internal.h"

#include <comity/err.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum { PROBE_TIMEOUT_MS = 5000 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait until the client was refused with 400: COMITY_OK. Let in, told anything else, or nothing:
 * COMITY_E_NO_ZAP. */
static int await_refusal(struct link_monitor *m)
{
    int64_t until = now_ms() + PROBE_TIMEOUT_MS;
    for (;;) {
        struct link_event event;
        while (link_monitor_next(m, &event)) {
            if (event.kind == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
                return event.value == 400 ? COMITY_OK : COMITY_E_NO_ZAP;
            if (event.kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ||
                event.kind == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
                event.kind == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
                return COMITY_E_NO_ZAP;
        }
        int64_t left = until - now_ms();
        if (left <= 0)
            return COMITY_E_NO_ZAP;
        zmq_pollitem_t item = {.socket = m->zmq, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, (long)left) < 0 && errno != EINTR)
            return link_err(errno);
    }
}

static int knock(struct link_socket *socket, const uint8_t server_public[LINK_KEY_LEN],
                 const uint8_t secret[LINK_KEY_LEN], const uint8_t public[LINK_KEY_LEN])
{
    struct link_client_options o = {
        .max_message = LINK_MESSAGE_MIN, .send_hwm = 1, .recv_hwm = 1, .reconnect_ms = 50};
    memcpy(o.secret, secret, sizeof o.secret);
    memcpy(o.server_public, server_public, sizeof o.server_public);
    struct buf address = BUF_INIT;
    struct link_monitor monitor = {NULL};
    int err = COMITY_OK;
    void *zmq = zmq_socket(socket->link->zmq, ZMQ_DEALER);
    if (!zmq) {
        err = link_err(errno);
        goto out;
    }
    if ((err = link_options_set_client(zmq, &o, public)) < 0 ||
        (err = link_monitor_open(socket->link, zmq, &monitor)) < 0)
        goto out;
    link_endpoint_put_local(&address, socket->endpoint);
    if ((err = buf_check(&address)) < 0)
        goto out;
    err = zmq_connect(zmq, buf_str(&address)) == 0 ? await_refusal(&monitor) : link_err(errno);
out:
    link_monitor_close(&monitor, zmq);
    if (zmq)
        zmq_close(zmq);
    buf_free(&address);
    return err;
}

int link_probe(struct link_socket *socket, const uint8_t server_public[LINK_KEY_LEN])
{
    struct link *link = socket->link;
    uint8_t secret[LINK_KEY_LEN];
    uint8_t public[LINK_KEY_LEN];
    int err = link_key_new(secret, public);
    if (err < 0)
        return err;

    pthread_mutex_lock(&link->probe_turn);
    pthread_mutex_lock(&link->lock);
    link->probing = true;
    link->probe_status = 0;
    memcpy(link->probe_key, public, sizeof public);
    pthread_mutex_unlock(&link->lock);

    err = knock(socket, server_public, secret, public);

    pthread_mutex_lock(&link->lock);
    link->probing = false;
    if (err == COMITY_OK && link->probe_status != 400)
        err = COMITY_E_NO_ZAP;
    pthread_mutex_unlock(&link->lock);
    pthread_mutex_unlock(&link->probe_turn);
    wipe(secret, sizeof secret);
    return err;
}
