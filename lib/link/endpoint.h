/*
 * Endpoints: "tcp://HOST:PORT" and "ipc://PATH", as libzmq spells them. To bind, HOST is an
 * address, `*` or the name of a network interface (not of a host); PORT may be `*`.
 *
 * No other transport is let through: over inproc libzmq runs no CURVE handshake at all, so a socket
 * bound there would take anybody's messages.
 */
#ifndef LINK_ENDPOINT_H
#define LINK_ENDPOINT_H

#include "base/bytes.h"

/* ENDPOINT_MAX leaves room for the longest ipc path that sockaddr_un can hold, and for any host
 * name. */
enum { LINK_ENDPOINT_MAX = 288, LINK_IPC_PATH_MAX = 107 };

/*
 * Whether ${endpoint} can be used at all: for configuration files, before a socket is tried.
 * ${ret_reason} (may be NULL) is set on failure to one English sentence, static, fit for gettext.
 *
 * Errors: COMITY_E_TOO_LARGE for an ipc path of more than 107 bytes, or anything beyond
 * LINK_ENDPOINT_MAX; COMITY_E_UNSUPPORTED for another transport; COMITY_E_INVALID for no endpoint.
 * Any thread.
 */
int link_endpoint_check(const char *endpoint, const char **ret_reason)
    __attribute__((warn_unused_result));

/*
 * Where a client in this machine reaches what is bound to ${bound} (a resolved endpoint): the same,
 * but 127.0.0.1 for a wildcard host. Appended to ${out}; see buf_check().
 */
void link_endpoint_put_local(struct buf *out, const char *bound);

/* ${bound} (a resolved endpoint) with "[::ffff:127.0.0.1]" written as "127.0.0.1". Appended to
 * ${out}; see buf_check(). */
void link_endpoint_put_plain(struct buf *out, const char *bound);

/* The port of a resolved tcp endpoint; 0 for any other. */
uint16_t link_endpoint_port(const char *bound);

#endif
