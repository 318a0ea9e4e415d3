/*
 * Messages: one payload frame each, from or to a peer that is known by its CURVE key.
 *
 * Nothing here blocks. All functions belong to the thread of the socket.
 */
#ifndef LINK_MESSAGE_H
#define LINK_MESSAGE_H

#include "base/bytes.h"
#include "link/key.h"

struct link_socket;

enum { LINK_ROUTE_MAX = 16 };

/*
 * Who sent a message, and the way back. Plain data: copy it as you like, keep it as long as you
 * like. The key is the identity; the rest tells one connection of that key from another, and dies
 * with the connection.
 */
struct link_peer {
    uint8_t
        key[LINK_KEY_LEN]; /* the CURVE key that the handshake proved; zeros when there was none */
    uint8_t route[LINK_ROUTE_MAX];
    size_t route_len;
    int fd; /* libzmq's descriptor of the connection, -1 if unknown. Only for link_drop(). */
    uint64_t cookie; /* the kernel's name for that connection (SO_COOKIE), 0 if unknown */
};

/* Whether both are the same connection. */
bool link_peer_same(const struct link_peer *a, const struct link_peer *b);

/*
 * A received message. Begin with LINK_MESSAGE_INIT, end with link_message_done(). Do not copy or
 * move the struct by assignment: a short payload lies inside it.
 */
struct link_message {
    struct link_peer peer;
    struct bytes payload; /* borrowed from the frame: until the next link_recv() or _done() */
    union {
        unsigned char room[64];
        void *align;
    } frame; /* libzmq's */
    bool held;
};

#define LINK_MESSAGE_INIT ((struct link_message){.held = false})

/* Release what it holds, if anything. It can be used again. */
void link_message_done(struct link_message *m);

/*
 * Take the next message; what ${m} held before is released first, whatever the outcome.
 *
 * On a server the peer is filled from the message; on a client it is the server, with no route.
 *
 * Errors:
 * - COMITY_E_AGAIN: nothing is there.
 * - COMITY_E_MALFORMED: a message was taken and thrown away: more than one payload frame (the rest
 * is drained, one frame at a time), an empty one, one beyond max_message, or a peer that chose its
 * own routing id. ${m}->peer says whose it was; there is no payload. Count it, link_drop() it.
 * - COMITY_E_NO_ZAP: a message without User-Id was taken and thrown away: nobody authenticated its
 *   sender. This cannot be; the owner should stop.
 * - COMITY_E_NOMEM, COMITY_E_IO.
 */
int link_recv(struct link_socket *socket, struct link_message *m)
    __attribute__((warn_unused_result));

/*
 * Hand a copy of ${payload} (1 to max_message bytes) to libzmq. ${to} is the peer on a server, NULL
 * on a client. 0 says that libzmq has taken it, not that it arrives.
 *
 * Errors:
 * - COMITY_E_AGAIN: it would block: the peer's queue is full (send_hwm), or a client has no
 * connection.
 * - COMITY_E_UNREACHABLE: the peer's connection is gone, for good: it comes back with another
 * route. One whose queue was full is called full until all that it had sent was received: never
 * stop receiving.
 * - COMITY_E_INVALID: an empty payload.
 * - COMITY_E_TOO_LARGE: beyond max_message.
 * - COMITY_E_NOMEM, COMITY_E_IO.
 */
int link_send(struct link_socket *socket, const struct link_peer *to, struct bytes payload)
    __attribute__((warn_unused_result));

/*
 * As link_send(), without the copy: for large messages. On success the memory of ${payload} is
 * libzmq's, which frees it from its own thread, and ${payload} is empty. On failure ${payload} is
 * as it was. A failed buf: COMITY_E_NOMEM.
 */
int link_send_buf(struct link_socket *socket, const struct link_peer *to, struct buf *payload)
    __attribute__((warn_unused_result));

/*
 * Cut the live connection that ${peer} (filled by link_recv() on ${socket}, a server) came in on:
 * shutdown(2), never close, for the descriptor is libzmq's. libzmq then sees the end of the stream,
 * within milliseconds. Take the key out of the allow table first, or it comes right back. What the
 * peer sent before may still come out of link_recv().
 *
 * The hazard: by now libzmq may have closed that descriptor, and its number may mean something
 * else. So the descriptor is first pinned by duplicating it, and is only touched if what it means
 * *now* is a connection accepted on this very socket's address, with the cookie that ${peer}
 * carries. What remains: a message that was still queued when its connection ended carries a number
 * that may already have been given to a newer peer of the same socket; dropping that one makes an
 * innocent client reconnect, and no more. The peer meant is gone in that case.
 *
 * Errors: COMITY_E_NOT_FOUND when that connection is gone already (nothing was touched);
 * COMITY_E_IO.
 */
int link_drop(struct link_socket *socket, const struct link_peer *peer)
    __attribute__((warn_unused_result));

#endif
