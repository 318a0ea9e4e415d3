/*
 * A socket's monitor: what libzmq's I/O thread has to say about its connections.
 */
#include "link/link_internal.h"

#include <comity/err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    EVENTS = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
             ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
             ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
};

int link_monitor_open(struct link *link, void *socket, struct link_monitor *ret)
{
    char name[48];
    snprintf(name, sizeof name, "inproc://link.monitor.%u", atomic_fetch_add(&link->names, 1));
    /* No HWM here: libzmq 4.3 writes events without DONTWAIT, so a full monitor would stop its I/O
     * thread, and all sockets with it. A handful of small frames per attempt to connect is what
     * waits instead. */
    const int none = 0;
    void *pair = zmq_socket(link->zmq, ZMQ_PAIR);
    if (!pair)
        return link_err(errno);
    int err = COMITY_OK;
    if (zmq_setsockopt(pair, ZMQ_RCVHWM, &none, sizeof none) != 0 ||
        zmq_setsockopt(pair, ZMQ_LINGER, &none, sizeof none) != 0 ||
        zmq_socket_monitor(socket, name, EVENTS) != 0)
        err = link_err(errno);
    else if (zmq_connect(pair, name) != 0) {
        err = link_err(errno);
        zmq_socket_monitor(socket, NULL, 0);
    }
    if (err < 0) {
        zmq_close(pair);
        return err;
    }
    ret->zmq = pair;
    return COMITY_OK;
}

void link_monitor_close(struct link_monitor *m, void *socket)
{
    if (!m->zmq)
        return;
    zmq_socket_monitor(socket, NULL, 0);
    zmq_close(m->zmq);
    m->zmq = NULL;
}

/* Frame 1: u16 event, u32 value, in the machine's order. Frame 2: the endpoint. */
bool link_monitor_next(struct link_monitor *m, struct link_event *ret)
{
    uint8_t head[6] = {0};
    int len = zmq_recv(m->zmq, head, sizeof head, ZMQ_DONTWAIT);
    if (len < 0)
        return false;
    int more = 1;
    size_t more_len = sizeof more;
    while (zmq_getsockopt(m->zmq, ZMQ_RCVMORE, &more, &more_len) == 0 && more)
        if (zmq_recv(m->zmq, NULL, 0, 0) < 0 && errno != EINTR)
            return false;
    uint16_t kind = 0;
    uint32_t value = 0;
    memcpy(&kind, head, sizeof kind);
    memcpy(&value, head + sizeof kind, sizeof value);
    *ret = (struct link_event){.kind = kind, .value = (int)value};
    return true;
}
