/*
 * Making and closing sockets, and what a client's monitor says. See socket.h.
 */
#include "link/socket.h"

#include "base/clock.h"
#include "link/link_internal.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GIVEN_UP_MS = 1000 };

static int socket_new(struct link *link, int type, struct link_socket **ret)
{
    struct link_socket *s = calloc(1, sizeof *s);
    if (!s)
        return COMITY_E_NOMEM;
    s->reserve_fd = -1;
    s->server = type == ZMQ_ROUTER;
    s->zmq = zmq_socket(link->zmq, type);
    if (!s->zmq) {
        int err = link_err(errno);
        free(s);
        return err;
    }
    s->link = link;
    atomic_fetch_add(&link->sockets, 1);
    *ret = s;
    return COMITY_OK;
}

void link_close(struct link_socket *socket)
{
    if (!socket)
        return;
    link_monitor_close(&socket->monitor, socket->zmq);
    zmq_close(socket->zmq);
    if (socket->reserve_fd >= 0)
        close(socket->reserve_fd);
    atomic_fetch_sub(&socket->link->sockets, 1);
    free(socket);
}

static int resolve(struct link_socket *s)
{
    char bound[LINK_ENDPOINT_MAX + 1] = "";
    size_t len = sizeof bound;
    if (zmq_getsockopt(s->zmq, ZMQ_LAST_ENDPOINT, bound, &len) != 0)
        return link_err(errno);
    struct buf plain = BUF_INIT;
    link_endpoint_put_plain(&plain, bound);
    int err = buf_check(&plain);
    if (err == COMITY_OK && plain.len < sizeof s->endpoint)
        memcpy(s->endpoint, buf_str(&plain), plain.len + 1);
    else if (err == COMITY_OK)
        err = COMITY_E_TOO_LARGE;
    buf_free(&plain);
    return err;
}

static int server_bind(struct link_socket *s, const struct link_server_options *o)
{
    uint8_t public[LINK_KEY_LEN];
    int err = link_key_public(o->secret, public);
    if (err < 0 || (err = link_options_set_server(s->zmq, s->link, o)) < 0)
        return err;
    s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (s->reserve_fd < 0)
        return link_err(errno);
    if (zmq_bind(s->zmq, o->endpoint) != 0)
        return link_err(errno);
    if ((err = resolve(s)) < 0)
        return err;
    s->port = link_endpoint_port(s->endpoint);
    s->max_message = o->max_message;
    return link_probe(s, public);
}

int link_listen(struct link *link, const struct link_server_options *options,
                struct link_socket **ret)
{
    struct link_socket *s = NULL;
    int err = link_endpoint_check(options->endpoint, NULL);
    if (err < 0 || (err = socket_new(link, ZMQ_ROUTER, &s)) < 0)
        return err;
    err = server_bind(s, options);
    if (err < 0) {
        link_close(s);
        return err;
    }
    *ret = s;
    return COMITY_OK;
}

static int client_connect(struct link_socket *s, const struct link_client_options *o)
{
    uint8_t public[LINK_KEY_LEN];
    int err = link_key_public(o->secret, public);
    if (err < 0 || (err = link_options_set_client(s->zmq, o, public)) < 0 ||
        (err = link_monitor_open(s->link, s->zmq, &s->monitor)) < 0)
        return err;
    s->max_message = o->max_message;
    s->state = LINK_CONNECTING;
    memcpy(s->server_public, o->server_public, sizeof s->server_public);
    memcpy(s->endpoint, o->endpoint, strlen(o->endpoint) + 1); /* checked: it fits */
    return zmq_connect(s->zmq, o->endpoint) == 0 ? COMITY_OK : link_err(errno);
}

int link_connect(struct link *link, const struct link_client_options *options,
                 struct link_socket **ret)
{
    struct link_socket *s = NULL;
    int err = link_endpoint_check(options->endpoint, NULL);
    if (err < 0 || (err = socket_new(link, ZMQ_DEALER, &s)) < 0)
        return err;
    err = client_connect(s, options);
    if (err < 0) {
        link_close(s);
        return err;
    }
    *ret = s;
    return COMITY_OK;
}

static void take_event(struct link_socket *s, int kind)
{
    switch (kind) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        s->state = LINK_CONNECTED;
        s->generation++;
        s->lost = false;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        s->state = LINK_REFUSED;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        s->state = LINK_BROKEN;
        break;
    case ZMQ_EVENT_DISCONNECTED:
        s->lost_ms = clock_mono_ms(&clock_system);
        s->lost = true;
        if (s->state == LINK_CONNECTED)
            s->state = LINK_CONNECTING;
        break;
    case ZMQ_EVENT_CONNECT_RETRIED:
        s->lost = false;
        break;
    default:
        break;
    }
}

/*
 * Where libzmq goes on after a lost connection it says so at once. It says nothing where it gives
 * up (4.3 does when the peer breaks the protocol after the handshake), so silence is how we know.
 */
enum link_client_state link_client_state(struct link_socket *socket)
{
    struct link_event event;
    while (socket->monitor.zmq && link_monitor_next(&socket->monitor, &event))
        take_event(socket, event.kind);
    if (socket->lost && socket->state == LINK_CONNECTING &&
        clock_mono_ms(&clock_system) - socket->lost_ms > GIVEN_UP_MS)
        socket->state = LINK_BROKEN;
    return socket->state;
}

uint64_t link_client_generation(struct link_socket *socket)
{
    (void)link_client_state(socket);
    return socket->generation;
}

const char *link_endpoint(const struct link_socket *socket)
{
    return socket->endpoint;
}
