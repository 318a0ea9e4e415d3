/*
 * Waiting. See poll.h.
 */
#include "link/poll.h"

#include "link/link_internal.h"

#include <comity/err.h>
#include <errno.h>

/* An item becomes up to two of libzmq's: the socket or descriptor, and a client's monitor. */
struct entry {
    size_t item;
    bool monitor;
};

static size_t translate(const struct link_poll_item *items, size_t n, zmq_pollitem_t *to,
                        struct entry *entries)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        const struct link_poll_item *it = &items[i];
        short events = (short)((it->events & LINK_IN ? ZMQ_POLLIN : 0) |
                               (it->events & LINK_OUT ? ZMQ_POLLOUT : 0));
        bool usable = it->socket || it->fd >= 0;
        if (usable && events) {
            to[k] = (zmq_pollitem_t){.socket = it->socket ? it->socket->zmq : NULL,
                                     .fd = it->socket ? 0 : it->fd,
                                     .events = (short)(events | (it->socket ? 0 : ZMQ_POLLERR))};
            entries[k++] = (struct entry){.item = i};
        }
        if (it->socket && it->socket->monitor.zmq && (it->events & LINK_STATE)) {
            to[k] = (zmq_pollitem_t){.socket = it->socket->monitor.zmq, .events = ZMQ_POLLIN};
            entries[k++] = (struct entry){.item = i, .monitor = true};
        }
    }
    return k;
}

int link_poll(struct link_poll_item *items, size_t n, int timeout_ms)
{
    zmq_pollitem_t polled[2 * LINK_POLL_MAX];
    struct entry entries[2 * LINK_POLL_MAX];
    if (n > LINK_POLL_MAX)
        return COMITY_E_LIMIT;
    for (size_t i = 0; i < n; i++)
        items[i].ready = 0;
    size_t k = translate(items, n, polled, entries);
    if (zmq_poll(polled, (int)k, timeout_ms) < 0)
        return errno == EINTR ? COMITY_OK : link_err(errno);
    for (size_t i = 0; i < k; i++) {
        unsigned ready = entries[i].monitor && polled[i].revents ? LINK_STATE : 0;
        if (!entries[i].monitor)
            ready = (polled[i].revents & ZMQ_POLLIN ? LINK_IN : 0) |
                    (polled[i].revents & ZMQ_POLLOUT ? LINK_OUT : 0) |
                    (polled[i].revents & ZMQ_POLLERR ? LINK_ERROR : 0);
        items[entries[i].item].ready |= ready;
    }
    return COMITY_OK;
}
