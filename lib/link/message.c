/*
 * Receiving and sending single-frame messages. See message.h.
 */
#include "link/message.h"

#include "base/text.h"
#include "link/link_internal.h"

#include <assert.h>
#include <comity/err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(zmq_msg_t) == sizeof(((struct link_message *)0)->frame), "zmq_msg_t fits");
_Static_assert(_Alignof(zmq_msg_t) <= _Alignof(struct link_message), "zmq_msg_t is aligned");

static zmq_msg_t *frame_of(struct link_message *m)
{
    return (zmq_msg_t *)(void *)&m->frame;
}

void link_message_done(struct link_message *m)
{
    if (m->held)
        zmq_msg_close(frame_of(m));
    m->held = false;
    m->payload = BYTES_NONE;
}

bool link_peer_same(const struct link_peer *a, const struct link_peer *b)
{
    return a->route_len == b->route_len && memcmp(a->route, b->route, a->route_len) == 0 &&
           memcmp(a->key, b->key, LINK_KEY_LEN) == 0;
}

/* ---- receiving
 * ------------------------------------------------------------------------------------- */

/*
 * The key that ZAP gave the sender, from the frame's metadata. What a peer itself writes there
 * under the same name does not count: libzmq keeps the first value, and ZAP's comes first.
 */
static bool read_user_id(zmq_msg_t *frame, uint8_t ret_key[LINK_KEY_LEN])
{
    const char *text = zmq_msg_gets(frame, "User-Id");
    return text && text_get_hex(bytes_of(text), ret_key, LINK_KEY_LEN) == 0;
}

static void read_connection(zmq_msg_t *frame, struct link_peer *peer)
{
    int fd = zmq_msg_get(frame, ZMQ_SRCFD);
    socklen_t len = sizeof peer->cookie;
    peer->fd = fd >= 0 ? fd : -1;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &peer->cookie, &len) != 0)
        peer->cookie = 0;
}

/* A message arrives whole, so all its frames are there: read and forget them one by one. */
static void drain(void *zmq, zmq_msg_t *frame)
{
    while (zmq_msg_more(frame)) {
        zmq_msg_close(frame);
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, zmq, ZMQ_DONTWAIT) < 0 && errno != EINTR)
            break;
    }
}

/* libzmq's own routing ids are a zero and four bytes; others were chosen by the peer. */
static bool route_is_automatic(zmq_msg_t *id)
{
    return zmq_msg_size(id) == 5 && *(const uint8_t *)zmq_msg_data(id) == 0;
}

/* The frame that ${m} holds now, the first behind the routing id ${id} (NULL on a client): fit to
 * be handed out? */
static int check_payload(struct link_socket *s, struct link_message *m, zmq_msg_t *id)
{
    zmq_msg_t *frame = frame_of(m);
    int err = COMITY_OK;
    if (zmq_msg_more(frame) || zmq_msg_size(frame) == 0 || zmq_msg_size(frame) > s->max_message)
        err = COMITY_E_MALFORMED;
    if (!id) {
        memcpy(m->peer.key, s->server_public, LINK_KEY_LEN);
        return err;
    }
    read_connection(frame, &m->peer);
    if (route_is_automatic(id)) {
        m->peer.route_len = zmq_msg_size(id);
        memcpy(m->peer.route, zmq_msg_data(id), m->peer.route_len);
    } else {
        err = COMITY_E_MALFORMED;
    }
    /* Where 4.3 puts the property depends on whether the socket was polled before; the payload has
     * it always. */
    if (!read_user_id(frame, m->peer.key) && !read_user_id(id, m->peer.key))
        err = COMITY_E_NO_ZAP;
    return err;
}

static int recv_frame(void *zmq, zmq_msg_t *frame)
{
    for (;;) {
        if (zmq_msg_recv(frame, zmq, ZMQ_DONTWAIT) >= 0)
            return COMITY_OK;
        if (errno != EINTR)
            return link_err(errno);
    }
}

int link_recv(struct link_socket *socket, struct link_message *m)
{
    link_message_done(m);
    m->peer = (struct link_peer){.fd = -1};
    zmq_msg_t id;
    zmq_msg_init(&id);
    int err = COMITY_OK;
    if (socket->server && (err = recv_frame(socket->zmq, &id)) < 0)
        goto out;
    zmq_msg_init(frame_of(m));
    m->held = true;
    if ((err = recv_frame(socket->zmq, frame_of(m))) < 0)
        goto out;
    err = check_payload(socket, m, socket->server ? &id : NULL);
    if (err == COMITY_OK)
        m->payload = BYTES(zmq_msg_data(frame_of(m)), zmq_msg_size(frame_of(m)));
    else
        drain(socket->zmq, frame_of(m));
out:
    if (err < 0)
        link_message_done(m);
    zmq_msg_close(&id);
    return err;
}

/* ---- sending
 * --------------------------------------------------------------------------------------- */

static int check_send(const struct link_socket *s, const struct link_peer *to, size_t len)
{
    assert(s->server == (to != NULL));
    if (len == 0)
        return COMITY_E_INVALID;
    if (len > s->max_message)
        return COMITY_E_TOO_LARGE;
    if (to && to->route_len == 0)
        return COMITY_E_UNREACHABLE;
    return COMITY_OK;
}

/*
 * Name the peer that the next frame is for. A ROUTER learns that a peer with a full queue has left
 * only by reading, and calls it full until then; asking for its events makes it look.
 */
static int send_route(struct link_socket *s, const struct link_peer *to)
{
    for (bool looked = false;; looked = true) {
        if (zmq_send(s->zmq, to->route, to->route_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
            return COMITY_OK;
        if (errno != EAGAIN || looked)
            return link_err(errno);
        int events = 0;
        size_t len = sizeof events;
        if (zmq_getsockopt(s->zmq, ZMQ_EVENTS, &events, &len) != 0)
            return link_err(errno);
    }
}

/* Send ${frame}; it is libzmq's on success, and the caller's to close on failure. */
static int send_frame(struct link_socket *s, const struct link_peer *to, zmq_msg_t *frame)
{
    /* Once libzmq has taken the route, the payload goes where it goes, or nowhere if the peer left
     * meanwhile. */
    int err = to ? send_route(s, to) : COMITY_OK;
    if (err < 0)
        return err;
    return zmq_msg_send(frame, s->zmq, ZMQ_DONTWAIT) < 0 ? link_err(errno) : COMITY_OK;
}

int link_send(struct link_socket *socket, const struct link_peer *to, struct bytes payload)
{
    zmq_msg_t frame;
    int err = check_send(socket, to, payload.len);
    if (err < 0)
        return err;
    if (zmq_msg_init_size(&frame, payload.len) != 0)
        return COMITY_E_NOMEM;
    memcpy(zmq_msg_data(&frame), payload.data, payload.len);
    err = send_frame(socket, to, &frame);
    if (err < 0)
        zmq_msg_close(&frame);
    return err;
}

/* Memory lent to libzmq, which ends every loan in its own time. One that failed goes back to the
 * caller. */
struct loan {
    bool returned;
};

static void loan_end(void *data, void *hint)
{
    struct loan *loan = hint;
    if (!loan->returned)
        free(data);
    free(loan);
}

int link_send_buf(struct link_socket *socket, const struct link_peer *to, struct buf *payload)
{
    zmq_msg_t frame;
    int err = buf_check(payload);
    if (err < 0 || (err = check_send(socket, to, payload->len)) < 0)
        return err;
    struct loan *loan = calloc(1, sizeof *loan);
    if (!loan || zmq_msg_init_data(&frame, payload->data, payload->len, loan_end, loan) != 0) {
        free(loan);
        return COMITY_E_NOMEM;
    }
    err = send_frame(socket, to, &frame);
    if (err < 0) {
        loan->returned = true;
        zmq_msg_close(&frame); /* ends the loan, here and now: nobody else has the frame */
        return err;
    }
    *payload = BUF_INIT;
    return COMITY_OK;
}
