/*
 * The control socket: connections in the node's loop. See control.h; what a request means is
 * control_call.c's.
 *
 * Requests are read and run while a turn takes in, replies gather in memory and are written behind
 * its end, in few large pieces. Nobody can make the node hold much: a connection whose replies are
 * not taken is not read from, and at most one request too many is in memory for each.
 */
#include "control_parts.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- opening and closing ---- */

/* What lies at the path is a socket that a dead node left behind: we hold the ledger's lock.
 * Anything else stays. */
static int remove_stale(const char *path)
{
    struct stat st;
    if (lstat(path, &st))
        return errno == ENOENT ? COMITY_OK : file_err(errno);
    if (!S_ISSOCK(st.st_mode))
        return COMITY_E_EXISTS;
    return unlink(path) ? file_err(errno) : COMITY_OK;
}

static int listen_at(struct control *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(c->path);
    if (len >= sizeof address.sun_path)
        return COMITY_E_CONFIG;
    memcpy(address.sun_path, c->path, len);
    int err = remove_stale(c->path);
    if (err)
        return err;
    c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->listen_fd < 0)
        return file_err(errno);
    mode_t mask = umask(0117);
    int failed = bind(c->listen_fd, (const struct sockaddr *)&address, sizeof address);
    int why = errno;
    umask(mask);
    return failed || listen(c->listen_fd, CONTROL_CONNECTIONS_MAX) ? file_err(failed ? why : errno)
                                                                   : COMITY_OK;
}

int control_open(struct node *n, struct control **ret)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return COMITY_E_NOMEM;
    c->n = n;
    c->listen_fd = -1;
    LIST_INIT(&c->waiters);
    c->path = strdup(n->site->control);
    c->arena = arena_new(CONTROL_ARENA);
    c->scratch = arena_new(CONTROL_SCRATCH);
    c->officers = officers_new(n);
    int err = c->path && c->arena && c->scratch && c->officers ? COMITY_OK : COMITY_E_NOMEM;
    if (!err)
        err = files_start(n, &c->files);
    if (!err)
        err = listen_at(c);
    if (err) {
        control_close(c);
        return err;
    }
    *ret = c;
    return COMITY_OK;
}

static void conn_free(struct conn *conn)
{
    struct control *c = conn->control;
    waiters_drop(c, conn);
    transfer_drop(c, &conn->up);
    transfer_drop(c, &conn->down);
    close(conn->fd);
    buf_wipe(&conn->in); /* files' secrets pass here */
    buf_wipe(&conn->out);
    free(conn);
}

void control_close(struct control *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->conn_count; i++)
        conn_free(c->conn[i]);
    files_stop(c->files);
    HASH_CLEAR(hh, c->claimed);
    if (c->listen_fd >= 0) {
        close(c->listen_fd);
        unlink(c->path);
    }
    officers_free(c->officers);
    arena_free(c->arena);
    arena_free(c->scratch);
    free(c->path);
    free(c);
}

/* ---- waiting ---- */

static size_t unsent(const struct conn *conn)
{
    return conn->out.len - conn->out_at;
}

/* Whether more may be asked of the connection. */
static bool is_open_for_more(const struct conn *conn)
{
    return !conn->is_gone && unsent(conn) < CONTROL_OUT_MAX &&
           conn->up.pending < CONTROL_CHUNKS_MAX;
}

size_t control_poll(struct control *c, struct link_poll_item *items, size_t max)
{
    size_t n = 0;
    if (n < max && c->conn_count < CONTROL_CONNECTIONS_MAX)
        items[n++] = (struct link_poll_item){.fd = c->listen_fd, .events = LINK_IN};
    if (n < max)
        items[n++] = (struct link_poll_item){.fd = files_fd(c->files), .events = LINK_IN};
    for (size_t i = 0; i < c->conn_count; i++) {
        struct conn *conn = c->conn[i];
        unsigned events = (is_open_for_more(conn) ? LINK_IN : 0) | (unsent(conn) ? LINK_OUT : 0);
        conn->slot = SIZE_MAX;
        if (!events || n == max)
            continue;
        conn->slot = n;
        items[n++] = (struct link_poll_item){.fd = conn->fd, .events = events};
    }
    return n;
}

int control_timeout_ms(const struct control *c)
{
    return c->is_left ? 0 : waiters_timeout_ms(c);
}

/* ---- taking in ---- */

static void accept_some(struct control *c)
{
    while (c->conn_count < CONTROL_CONNECTIONS_MAX) {
        int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return; /* nobody, or no descriptor: the next turn looks again */
        struct conn *conn = calloc(1, sizeof *conn);
        if (!conn) {
            close(fd);
            return;
        }
        conn->control = c;
        conn->fd = fd;
        conn->slot = SIZE_MAX;
        c->conn[c->conn_count++] = conn;
    }
}

/* Read a piece. False when nothing is there. */
static bool read_some(struct conn *conn)
{
    if (conn->in_at == conn->in.len) {
        buf_reset(&conn->in);
        conn->in_at = 0;
    } else if (conn->in_at > CONTROL_READ_MAX) {
        memmove(conn->in.data, conn->in.data + conn->in_at, conn->in.len - conn->in_at);
        conn->in.len -= conn->in_at;
        conn->in_at = 0;
    }
    uint8_t *room = buf_reserve(&conn->in, CONTROL_READ_MAX);
    if (!room) {
        conn->is_gone = true;
        return false;
    }
    ssize_t got = recv(conn->fd, room, CONTROL_READ_MAX, 0);
    if (got > 0) {
        conn->in.len += (size_t)got;
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        conn->is_gone = true;
    return false;
}

/* The next whole message, not taken off. A length beyond the limit ends the connection: there is no
 * way to find the next. */
static bool peek_message(struct conn *conn, struct bytes *ret)
{
    size_t have = conn->in.len - conn->in_at;
    if (have < CONTROL_LENGTH_LEN)
        return false;
    const uint8_t *at = conn->in.data + conn->in_at;
    size_t len = get_u32be(at);
    if (len > CONTROL_BYTES_MAX) {
        conn_reply_error(conn, 0, COMITY_E_TOO_LARGE, NULL, NULL);
        conn->is_gone = true;
        return false;
    }
    *ret = BYTES(at + CONTROL_LENGTH_LEN, len);
    return have >= CONTROL_LENGTH_LEN + len;
}

/* Whether the turn takes in any more requests. */
static bool is_taking(const struct control *c)
{
    return !c->is_closed && clock_mono_ms(&c->n->clock) - c->began_ms < CONTROL_TAKE_MS;
}

/* Requests ask the tables for a few rows each. As long as one query stays open, SQLite does not
 * lock and unlock the file for every one of them, which costs more than the rows. */
static void begin_reading(struct control *c)
{
    if (!c->reading &&
        db_query(store_db(c->n->store), &c->reading, "SELECT name FROM cursor WHERE name >= ?1",
                 DB_STR("")) == COMITY_OK)
        (void)!db_next(c->reading);
}

static void end_reading(struct control *c)
{
    db_done(c->reading);
    c->reading = NULL;
}

/* Run some requests of one connection. False when it has none that could be run now. */
static bool take_round(struct conn *conn)
{
    struct control *c = conn->control;
    struct bytes message = BYTES_NONE;
    for (size_t i = 0; i < CONTROL_ROUND; i++) {
        if (!is_open_for_more(conn))
            return false;
        while (!peek_message(conn, &message)) {
            if (conn->is_gone || conn->is_drained || !read_some(conn)) {
                conn->is_drained = true;
                return false;
            }
        }
        begin_reading(c);
        if (!is_taking(c) || call_run(conn, message) == CALL_NOT_NOW) {
            c->is_left = true;
            return false;
        }
        conn->in_at += CONTROL_LENGTH_LEN + message.len;
    }
    return true;
}

/*
 * While a turn is written, no more requests can come than a socket's buffer holds: a hundred. Who
 * sends them in a stream has the next ones ready in a moment, and waiting that long makes turns of
 * a thousand.
 */
static bool wait_for_stream(struct control *c)
{
    struct pollfd stream[CONTROL_CONNECTIONS_MAX];
    nfds_t n = 0;
    if (c->is_left || !is_taking(c))
        return false;
    for (size_t i = 0; i < c->conn_count; i++) {
        struct conn *conn = c->conn[i];
        if (conn->in_flight < CONTROL_ROUND || !is_open_for_more(conn))
            continue;
        conn->is_drained = false;
        stream[n++] = (struct pollfd){.fd = conn->fd, .events = POLLIN};
    }
    return n > 0 && poll(stream, n, CONTROL_LINGER_MS) > 0;
}

static void take_rounds(struct control *c)
{
    bool is_more = true;
    size_t n = c->conn_count;
    while (is_more) {
        is_more = false;
        for (size_t i = 0; i < n; i++)
            if (take_round(c->conn[(c->first + i) % n]))
                is_more = true;
        is_more = is_more || wait_for_stream(c);
    }
    c->first = n ? (c->first + 1) % n : 0;
}

static void begin_turn(struct control *c, struct turn *t)
{
    HASH_CLEAR(hh, c->claimed);
    arena_reset(c->arena);
    c->turn = t;
    c->drafts = 0;
    c->is_closed = false;
    c->is_left = false;
    c->began_ms = clock_mono_ms(&c->n->clock);
}

/* Since when there is no session, for people who ask how things stand. */
static void note_link(struct control *c)
{
    struct node_status s;
    node_status(c->n, &s);
    if (s.online_since_ms)
        c->offline_since_ms = 0;
    else if (!c->offline_since_ms)
        c->offline_since_ms = clock_wall_ms(&c->n->clock);
}

void control_take(struct control *c, struct turn *t, const struct link_poll_item *items, size_t n)
{
    begin_turn(c, t);
    note_link(c);
    for (size_t i = 0; i < c->conn_count; i++) {
        struct conn *conn = c->conn[i];
        bool is_there = conn->slot < n && items[conn->slot].fd == conn->fd &&
                        (items[conn->slot].ready & (LINK_IN | LINK_ERROR));
        conn->is_drained = !is_there;
        if (is_there && !(items[conn->slot].ready & LINK_IN) && !unsent(conn))
            conn->is_gone = true;
    }
    if (n > 0 && items[0].fd == c->listen_fd && (items[0].ready & LINK_IN))
        accept_some(c);
    transfers_take(c);
    take_rounds(c);
    end_reading(c);
}

/* ---- settling ---- */

static void write_some(struct conn *conn)
{
    while (unsent(conn)) {
        ssize_t n = send(conn->fd, conn->out.data + conn->out_at, unsent(conn), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            conn->is_gone = conn->is_gone || errno != EAGAIN;
            return;
        }
        conn->out_at += (size_t)n;
    }
    buf_reset(&conn->out);
    conn->out_at = 0;
}

void control_settle(struct control *c)
{
    c->turn = NULL;
    waiters_settle(c);
    size_t kept = 0;
    for (size_t i = 0; i < c->conn_count; i++) {
        struct conn *conn = c->conn[i];
        write_some(conn);
        transfer_pump(conn);
        if (conn->is_gone && conn->in_flight == 0)
            conn_free(conn);
        else
            c->conn[kept++] = conn;
    }
    c->conn_count = kept;
}

/* ---- replies ---- */

void conn_reply(struct conn *conn, const struct reply *r)
{
    const struct control_reply reply = {
        .id = r->id, .err = r->err, .json = r->json, .chunk = r->chunk, .more = r->more};
    if (conn->is_gone)
        return;
    if (conn->out_at && conn->out_at == conn->out.len) {
        buf_reset(&conn->out);
        conn->out_at = 0;
    }
    size_t start = conn->out.len;
    buf_put_u32be(&conn->out, 0);
    int err = control_reply_encode(&reply, &conn->out);
    if (err || buf_check(&conn->out)) {
        conn->is_gone = true; /* an answer that cannot be given must not look like none yet */
        log_event(LOG_WARN, "control_reply_failed", LOG_ERR(err ? err : COMITY_E_NOMEM));
        return;
    }
    put_u32be(conn->out.data + start, (uint32_t)(conn->out.len - start - CONTROL_LENGTH_LEN));
}
