/*
 * Cutting a live connection by its descriptor, which is libzmq's. See link_drop() in message.h.
 */
#include "link/link_internal.h"
#include "link/message.h"

#include <assert.h>
#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Whether ${fd} is a connection that ${s} accepted: it has the listener's address, and does not
 * listen itself. */
static bool is_accepted_here(const struct link_socket *s, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } local = {0};
    socklen_t len = sizeof local - 1; /* keeps a zero behind the longest path */
    int listens = 1;
    socklen_t listens_len = sizeof listens;
    if (getsockname(fd, &local.any, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) != 0 || listens)
        return false;
    switch (local.any.sa_family) {
    case AF_INET:
        return s->port != 0 && ntohs(local.in.sin_port) == s->port;
    case AF_INET6:
        return s->port != 0 && ntohs(local.in6.sin6_port) == s->port;
    case AF_UNIX:
        return s->port == 0 && strlen(s->endpoint) > strlen("ipc://") &&
               strcmp(local.un.sun_path, s->endpoint + strlen("ipc://")) == 0;
    default:
        return false;
    }
}

static bool has_cookie(int fd, uint64_t cookie)
{
    uint64_t now = 0;
    socklen_t len = sizeof now;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &now, &len) == 0 && now == cookie;
}

int link_drop(struct link_socket *socket, const struct link_peer *peer)
{
    assert(socket->server);
    if (peer->fd < 0 || peer->cookie == 0)
        return COMITY_E_NOT_FOUND;
    /* From here on reserve_fd means that connection, whatever libzmq does with its own number. */
    while (dup3(peer->fd, socket->reserve_fd, O_CLOEXEC) < 0)
        if (errno != EINTR && errno != EBUSY)
            return errno == EBADF ? COMITY_E_NOT_FOUND : link_err(errno);
    int err = COMITY_E_NOT_FOUND;
    if (has_cookie(socket->reserve_fd, peer->cookie) &&
        is_accepted_here(socket, socket->reserve_fd)) {
        /* ENOTCONN: it ended by itself. */
        err = COMITY_OK;
        if (shutdown(socket->reserve_fd, SHUT_RDWR) != 0)
            err = errno == ENOTCONN ? COMITY_E_NOT_FOUND : link_err(errno);
    }
    /* Let go of it: a duplicate would keep the connection from ending when libzmq closes its own.
     */
    while (dup3(socket->link->stop_fd, socket->reserve_fd, O_CLOEXEC) < 0)
        if (errno != EINTR && errno != EBUSY)
            return link_err(errno);
    return err;
}
