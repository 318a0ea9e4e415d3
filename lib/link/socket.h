/*
 * Sockets: the broker's ROUTER and the node's DEALER, CURVE on both, every option set in one place.
 *
 * A socket belongs to the thread that made it: no function here or in link/message.h, link/poll.h
 * may be called for it from another one. Several threads may have sockets of their own from the one
 * context.
 *
 * What is set, and why, stands beside the table in options.c. HWMs are never changed after the
 * socket was made.
 */
#ifndef LINK_SOCKET_H
#define LINK_SOCKET_H

#include "link/key.h"

#include <stdbool.h>
#include <stddef.h>

struct link;
struct link_socket;

/* Smallest and largest max_message: the handshake itself must pass, and nothing in Comity needs
 * more. */
enum { LINK_MESSAGE_MIN = 1024, LINK_MESSAGE_MAX = 64 * 1024 * 1024 };

struct link_server_options {
    const char *endpoint; /* tcp or ipc; "tcp://127.0.0.1:*" takes a free port */
    uint8_t secret[LINK_KEY_LEN];
    size_t max_message; /* largest payload, bytes */
    int send_hwm;       /* messages that may wait for one peer; at least 1 */
    int recv_hwm;       /* messages from one peer that may wait for us; at least 1 */
};

/*
 * Bind a ROUTER that only keys of ${link}'s allow table can reach.
 *
 * Before the socket is handed out it is put to the test: a client with a fresh random key connects
 * over the real endpoint (a wildcard host by way of 127.0.0.1) and must be refused with 400, and
 * the handler must have been the one that refused that very key. Otherwise there is no socket, and
 * COMITY_E_NO_ZAP. There is no way around it. Blocks for some milliseconds, at worst for 5 s.
 * ${options} is not kept (the caller wipes the secret).
 *
 * Errors: those of link_endpoint_check(); COMITY_E_INVALID for options out of range or an endpoint
 * that cannot be understood; COMITY_E_BAD_KEY for a secret of zeros; COMITY_E_EXISTS when the
 * address is in use; COMITY_E_NOT_FOUND when this machine has no such address; COMITY_E_PERMISSION;
 * COMITY_E_LIMIT without descriptors or sockets; COMITY_E_NO_ZAP; COMITY_E_NOMEM; COMITY_E_IO.
 *
 * ipc: libzmq removes what stands at the path first, even another process's live socket. Hold a
 * lock of your own.
 */
int link_listen(struct link *link, const struct link_server_options *options,
                struct link_socket **ret) __attribute__((warn_unused_result));

struct link_client_options {
    const char *endpoint;
    uint8_t secret[LINK_KEY_LEN];
    uint8_t server_public[LINK_KEY_LEN];
    size_t max_message;   /* largest payload, bytes */
    int send_hwm;         /* at least 1 */
    int recv_hwm;         /* at least 1 */
    int reconnect_ms;     /* libzmq's own retries: the first pause, 0 for 250 */
    int reconnect_max_ms; /* and the longest, 0 for 30,000 */
};

/*
 * A DEALER that connects to ${options}->endpoint in the background, and goes on trying. Returns at
 * once; see link_client_state(). Host names are resolved by libzmq's I/O thread, at each attempt.
 *
 * Nothing is queued while there is no connection (IMMEDIATE): link_send() says COMITY_E_AGAIN. What
 * was queued when a connection breaks may be lost: acknowledge and send again.
 *
 * Errors: as link_listen(), without COMITY_E_EXISTS and COMITY_E_NO_ZAP.
 */
int link_connect(struct link *link, const struct link_client_options *options,
                 struct link_socket **ret) __attribute__((warn_unused_result));

enum link_client_state {
    /* No connection yet, or not any more; libzmq is trying. */
    LINK_CONNECTING,
    /* The handshake succeeded: the server holds the key we expect, and let ours in. */
    LINK_CONNECTED,
    /* The server denied our key (ZAP 400 or 500). libzmq has given up for good. */
    LINK_REFUSED,
    /* The other side broke the protocol (another mechanism, a message beyond the limit). libzmq has
       given up. */
    LINK_BROKEN,
};

/*
 * Read the socket's monitor to its end and say how things stand. From LINK_REFUSED and LINK_BROKEN
 * there is no way back: close the socket, wait (link/backoff.h), link_connect() again. Ask in every
 * turn: link_poll() reports with LINK_STATE that there is something to read, but a connection that
 * libzmq gave up without a word becomes LINK_BROKEN only by the passing of a second.
 *
 * While no roster is loaded the server answers 300, which a client cannot tell from a server that
 * is down: it stays LINK_CONNECTING and tries again. libzmq 4.3 often leaves such a connection
 * hanging until the server's handshake timeout, so getting in can take 5 s and a pause longer than
 * the roster does. A client that expects another server key stays LINK_CONNECTING as well.
 */
enum link_client_state link_client_state(struct link_socket *socket);

/* Connections that completed a handshake so far; tells a reconnect that came between two looks at
 * the state. */
uint64_t link_client_generation(struct link_socket *socket);

/* Close, dropping what was not sent yet (LINGER 0). NULL is fine. */
void link_close(struct link_socket *socket);

/* The resolved endpoint ("tcp://127.0.0.1:40123") of a server, or what a client was given. Lives as
 * long as the socket. */
const char *link_endpoint(const struct link_socket *socket);

/* The options as libzmq has them now. -1 where an option is not for this kind of socket, or cannot
 * be read back (ROUTER_MANDATORY and ROUTER_HANDOVER, which libzmq 4.3 only lets one set). */
struct link_socket_options {
    int type;
    int mechanism;
    int curve_server;
    char zap_domain[16];
    int zap_enforce_domain;
    int router_mandatory;
    int router_handover;
    int immediate;
    int linger_ms;
    int send_hwm;
    int recv_hwm;
    int64_t max_frame; /* MAXMSGSIZE: counts what CURVE adds */
    int handshake_ivl_ms;
    int backlog;
    int reconnect_ivl_ms;
    int reconnect_ivl_max_ms;
    int connect_timeout_ms;
    int heartbeat_ivl_ms;
    int tcp_keepalive;
    int tcp_keepalive_idle_s;
    int tcp_keepalive_intvl_s;
    int tcp_keepalive_cnt;
    int ipv6;
};

/* Errors: COMITY_E_INTERNAL when libzmq does not answer for an option. */
int link_socket_options(struct link_socket *socket, struct link_socket_options *ret)
    __attribute__((warn_unused_result));

#endif
