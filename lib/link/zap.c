/*
 * The ZAP handler (ZeroMQ RFC 27): a thread that answers libzmq's question "may this key come in?".
 *
 * It keeps no state of its own; the decision is link_zap_decide()'s. Whatever is not a well-formed
 * question about a CURVE key in our domain is answered 400.
 */
#include "base/bytes.h"
#include "link/link_internal.h"

#include <comity/err.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The frames of a question, by position. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, CREDENTIAL, FRAMES };

enum { FRAME_MAX = 256 };

struct question {
    uint8_t data[FRAMES][FRAME_MAX];
    size_t len[FRAMES];
    bool well_formed;
};

/* Read one question, in full, and keep what fits. False when there is none. */
static bool question_read(void *zap, struct question *q)
{
    size_t n = 0;
    int more = 1;
    *q = (struct question){.well_formed = true};
    while (more) {
        uint8_t spill[FRAME_MAX];
        uint8_t *to = n < FRAMES ? q->data[n] : spill;
        int len = zmq_recv(zap, to, FRAME_MAX, n == 0 ? ZMQ_DONTWAIT : 0);
        if (len < 0 && errno == EINTR && n > 0)
            continue;
        if (len < 0)
            return false;
        if (n >= FRAMES || len > FRAME_MAX)
            q->well_formed = false;
        if (n < FRAMES)
            q->len[n] = len > FRAME_MAX ? FRAME_MAX : (size_t)len;
        n++;
        size_t more_len = sizeof more;
        if (zmq_getsockopt(zap, ZMQ_RCVMORE, &more, &more_len) != 0)
            return false;
    }
    if (n != FRAMES)
        q->well_formed = false;
    return true;
}

static bool frame_is(const struct question *q, int frame, const char *s)
{
    return bytes_is(BYTES(q->data[frame], q->len[frame]), s);
}

static bool question_is_ours(const struct question *q)
{
    return q->well_formed && frame_is(q, VERSION, "1.0") && frame_is(q, DOMAIN, LINK_ZAP_DOMAIN) &&
           frame_is(q, MECHANISM, "CURVE") && q->len[CREDENTIAL] == LINK_KEY_LEN;
}

static void answer(void *zap, const struct question *q, int status, const char *user_id)
{
    const char *code = status == 200 ? "200" : status == 300 ? "300" : "400";
    const struct bytes frames[] = {
        BYTES_LIT("1.0"),  BYTES(q->data[REQUEST_ID], q->len[REQUEST_ID]),
        bytes_of(code),    BYTES_NONE, /* status text: goes nowhere */
        bytes_of(user_id), BYTES_NONE, /* metadata */
    };
    const size_t n = sizeof frames / sizeof frames[0];
    for (size_t i = 0; i < n; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < n ? ZMQ_SNDMORE : 0);
        /* No answer leaves the client outside, until its handshake times out. */
        if (zmq_send(zap, frames[i].len ? (const void *)frames[i].data : "", frames[i].len, flags) <
            0)
            return;
    }
}

static void *zap_run(void *self)
{
    struct link *link = self;
    struct question q;
    for (;;) {
        zmq_pollitem_t items[] = {{.socket = link->zap, .events = ZMQ_POLLIN},
                                  {.fd = link->stop_fd, .events = ZMQ_POLLIN}};
        if (zmq_poll(items, 2, -1) < 0 && errno != EINTR)
            break;
        if (items[1].revents)
            break;
        while (question_read(link->zap, &q)) {
            char user_id[LINK_KEY_TEXT_LEN + 1] = "";
            int status = 400;
            if (question_is_ours(&q))
                status = link_zap_decide(link, q.data[CREDENTIAL]);
            else
                link_zap_deny(link);
            if (status == 200)
                link_key_to_text(q.data[CREDENTIAL], user_id);
            answer(link->zap, &q, status, user_id);
        }
    }
    zmq_close(link->zap);
    return NULL;
}

int link_zap_start(struct link *link)
{
    const int no_linger = 0;
    int err = COMITY_OK;
    link->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (link->stop_fd < 0)
        return link_err(errno);
    link->zap = zmq_socket(link->zmq, ZMQ_REP);
    if (!link->zap)
        return link_err(errno);
    if (zmq_setsockopt(link->zap, ZMQ_LINGER, &no_linger, sizeof no_linger) != 0 ||
        zmq_bind(link->zap, LINK_ZAP_ENDPOINT) != 0) {
        err = link_err(errno);
        zmq_close(link->zap);
        return err;
    }
    /* Signals are the main thread's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&link->thread, NULL, zap_run, link);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        zmq_close(link->zap);
        return failed == EAGAIN ? COMITY_E_LIMIT : link_err(failed);
    }
    link->running = true;
    return COMITY_OK;
}

void link_zap_stop(struct link *link)
{
    if (link->running) {
        const uint64_t one = 1;
        /* An eventfd takes 8 bytes as a whole, or is full, which wakes the thread as well. */
        if (write(link->stop_fd, &one, sizeof one) < 0) {
        }
        pthread_join(link->thread, NULL);
        link->running = false;
    }
    if (link->stop_fd >= 0)
        close(link->stop_fd);
    link->stop_fd = -1;
}
