/*
 * The control client: one connection, calls out, replies in. See comity/client.h; files are
 * transfer.c's.
 *
 * The socket does not block. What is sent gathers in `out`; whenever it cannot be written, what the
 * node has answered meanwhile is read into `in`, so that two sides with full buffers never wait for
 * each other.
 */
#include "client/client.h"

#include "base/file.h"
#include "msg/control.h"
#include "json/error_json.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    LENGTH_LEN = 4,
    GATHER_MAX = 256 * 1024, /* written once so much has come together */
    READ_MAX = 256 * 1024,
    REPLY_ARENA = 4 * 1024 * 1024
};

/* ---- errors of the client itself ---- */

static const char *hint_for(int err)
{
    switch (err) {
    case COMITY_E_UNREACHABLE:
        return "is comity-node running, and is this the path of its socket?";
    case COMITY_E_PERMISSION:
        return "the socket may be opened by its owner and group: join the group of the node";
    default:
        return NULL;
    }
}

static const char *explain_into(struct buf *out, int err)
{
    const struct error_detail d = {.hint = hint_for(err)};
    json_t *json = error_json(err, &d);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    buf_reset(out);
    buf_put_str(out, text ? text : "{}");
    free(text);
    json_decref(json);
    return buf_str(out);
}

const char *comity_client_explain(comity_client *c, int err)
{
    static _Thread_local struct buf explained;
    return explain_into(c ? &c->explained : &explained, err);
}

int client_fail(comity_client *c, int err, struct comity_reply *ret)
{
    if (ret) {
        const char *json = explain_into(&c->explained, err);
        *ret = (struct comity_reply){.err = err, .json = json, .json_len = strlen(json)};
    }
    return err;
}

static int fail_for_good(comity_client *c, int err)
{
    c->is_broken = true;
    return err;
}

/* ---- opening and closing ---- */

static int connect_to(const char *path, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return COMITY_E_INVALID;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return file_err(errno);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address)) {
        int err = errno == EACCES || errno == EPERM ? COMITY_E_PERMISSION : COMITY_E_UNREACHABLE;
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return COMITY_OK;
}

int comity_client_open(const char *path, comity_client **ret)
{
    comity_client *c = calloc(1, sizeof *c);
    if (!c)
        return COMITY_E_NOMEM;
    c->fd = -1;
    c->next_id = 1;
    c->last = &c->first;
    c->arena = arena_new(REPLY_ARENA);
    int err = c->arena ? connect_to(path, &c->fd) : COMITY_E_NOMEM;
    if (err) {
        comity_client_close(c);
        return err;
    }
    *ret = c;
    return COMITY_OK;
}

static struct kept *take_kept(comity_client *c)
{
    struct kept *k = c->first;
    if (k && !(c->first = k->next))
        c->last = &c->first;
    return k;
}

static void kept_free(struct kept *k)
{
    if (k)
        buf_free(&k->message);
    free(k);
}

void comity_client_close(comity_client *c)
{
    if (!c)
        return;
    for (struct kept *k = NULL; (k = take_kept(c));)
        kept_free(k);
    if (c->fd >= 0)
        close(c->fd);
    buf_free(&c->out);
    buf_free(&c->in);
    buf_free(&c->explained);
    arena_free(c->arena);
    free(c);
}

size_t comity_client_in_flight(const comity_client *c)
{
    return c->in_flight;
}

int comity_client_fd(const comity_client *c)
{
    return c->fd;
}

/* ---- the socket ---- */

/* Forget what was used up, once it is the larger part. */
static void compact(struct buf *b, size_t *at)
{
    if (*at < b->len / 2)
        return;
    memmove(b->data, b->data + *at, b->len - *at);
    b->len -= *at;
    *at = 0;
}

/* Read what is there. COMITY_E_AGAIN when there is nothing. */
static int read_some(comity_client *c)
{
    if (c->in_at)
        compact(&c->in, &c->in_at);
    uint8_t *room = buf_reserve(&c->in, READ_MAX);
    if (!room)
        return COMITY_E_NOMEM;
    ssize_t n = recv(c->fd, room, READ_MAX, MSG_DONTWAIT);
    if (n > 0) {
        c->in.len += (size_t)n;
        return COMITY_OK;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return COMITY_E_AGAIN;
    return fail_for_good(c, COMITY_E_UNREACHABLE);
}

/* Write what can be written. COMITY_E_AGAIN when something is left. */
static int write_some(comity_client *c)
{
    while (c->out_at < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            c->out_at += (size_t)n;
        else if (errno == EAGAIN)
            return COMITY_E_AGAIN;
        else if (errno != EINTR)
            return fail_for_good(c, COMITY_E_UNREACHABLE);
    }
    buf_reset(&c->out);
    c->out_at = 0;
    return COMITY_OK;
}

/* COMITY_E_TIMEOUT when nothing of ${events} has happened by then. */
static int wait_for(comity_client *c, short events, int timeout_ms)
{
    struct pollfd p = {.fd = c->fd, .events = events};
    int n = poll(&p, 1, timeout_ms);
    if (n < 0 && errno != EINTR)
        return file_err(errno);
    return n == 0 ? COMITY_E_TIMEOUT : COMITY_OK;
}

int comity_client_flush(comity_client *c)
{
    int err = c->is_broken ? COMITY_E_UNREACHABLE : write_some(c);
    while (err == COMITY_E_AGAIN) {
        err = wait_for(c, POLLIN | POLLOUT, -1);
        if (!err && (err = read_some(c)) == COMITY_E_AGAIN)
            err = COMITY_OK;
        if (!err)
            err = write_some(c);
    }
    return err;
}

/* ---- messages ---- */

/* The next whole message that was read, taken off; false when there is none yet. */
static bool next_message(comity_client *c, struct bytes *ret, int *ret_err)
{
    size_t have = c->in.len - c->in_at;
    const uint8_t *at = c->in.data + c->in_at;
    if (have < LENGTH_LEN)
        return false;
    size_t len = get_u32be(at);
    if (len > CONTROL_BYTES_MAX)
        *ret_err = fail_for_good(c, COMITY_E_UNREACHABLE);
    if (len > CONTROL_BYTES_MAX || have < LENGTH_LEN + len)
        return false;
    *ret = BYTES(at + LENGTH_LEN, len);
    c->in_at += LENGTH_LEN + len;
    return true;
}

static int read_message(comity_client *c, int timeout_ms, struct bytes *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t end = timeout_ms < 0 ? 0 : now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
    int err = COMITY_OK;
    while (!next_message(c, ret, &err) && !err) {
        if ((err = read_some(c)) != COMITY_E_AGAIN)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left = end - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
        err = wait_for(c, POLLIN, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);
    }
    return err;
}

static int decode(comity_client *c, struct bytes message, struct control_reply *ret)
{
    arena_reset(c->arena);
    int err = control_reply_decode(c->arena, message, ret);
    return err ? fail_for_good(c, err == COMITY_E_NOMEM ? err : COMITY_E_UNREACHABLE) : COMITY_OK;
}

static int give(comity_client *c, const struct control_reply *r, struct comity_reply *ret)
{
    if (!r->more)
        c->in_flight--;
    if (!ret)
        return COMITY_OK;
    struct bytes json = r->json.len ? r->json : BYTES_LIT("{}");
    const char *text = arena_strdup(c->arena, json);
    if (!text)
        return COMITY_E_NOMEM;
    *ret = (struct comity_reply){.id = r->id,
                                 .err = r->err,
                                 .json = text,
                                 .json_len = json.len,
                                 .chunk = {r->chunk.data, r->chunk.len},
                                 .more = r->more};
    return COMITY_OK;
}

int comity_client_receive(comity_client *c, int timeout_ms, struct comity_reply *ret)
{
    struct kept *k = take_kept(c);
    struct bytes message = BYTES_NONE;
    struct control_reply reply = {0};
    int err = COMITY_OK;
    if (k)
        message = buf_bytes(&k->message);
    else if (!c->in_flight)
        err = COMITY_E_STATE;
    else if (!(err = comity_client_flush(c)))
        err = read_message(c, timeout_ms, &message);
    if (!err && !(err = decode(c, message, &reply)))
        err = give(c, &reply, ret);
    kept_free(k);
    return err ? client_fail(c, err, ret) : COMITY_OK;
}

static int keep(comity_client *c, struct bytes message)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k)
        return COMITY_E_NOMEM;
    buf_put_bytes(&k->message, message);
    if (buf_check(&k->message)) {
        kept_free(k);
        return COMITY_E_NOMEM;
    }
    *c->last = k;
    c->last = &k->next;
    return COMITY_OK;
}

/* ---- calls ---- */

static struct bytes bytes_from(struct comity_bytes b)
{
    return BYTES(b.data, b.len);
}

static int put_call(comity_client *c, uint64_t id, const struct comity_call *call)
{
    struct bytes notes[CONTROL_NOTES_MAX];
    if (call->note_count > CONTROL_NOTES_MAX)
        return COMITY_E_TOO_LARGE;
    for (size_t i = 0; i < call->note_count; i++)
        notes[i] = bytes_from(call->notes[i]);
    const struct control_request request = {.id = id,
                                            .method = bytes_of(call->method),
                                            .json = bytes_of(call->json),
                                            .record = bytes_from(call->record),
                                            .salt = bytes_from(call->salt),
                                            .notes = notes,
                                            .note_count = call->note_count,
                                            .chunk = bytes_from(call->chunk)};
    size_t start = c->out.len;
    buf_put_u32be(&c->out, 0);
    int err = control_request_encode(&request, &c->out);
    if (!err)
        err = buf_check(&c->out);
    if (err) {
        c->out.len = start;
        return err == COMITY_E_INVALID ? COMITY_E_TOO_LARGE : err;
    }
    put_u32be(c->out.data + start, (uint32_t)(c->out.len - start - LENGTH_LEN));
    return COMITY_OK;
}

int comity_client_send(comity_client *c, const struct comity_call *call, uint64_t *ret_id)
{
    uint64_t id = c->next_id;
    int err = c->is_broken ? COMITY_E_UNREACHABLE : put_call(c, id, call);
    if (err)
        return err;
    c->next_id++;
    c->in_flight++;
    if (ret_id)
        *ret_id = id;
    return c->out.len - c->out_at < GATHER_MAX ? COMITY_OK : comity_client_flush(c);
}

/* The reply to the call ${id}; others are kept. Returns its `err`. */
static int await_reply(comity_client *c, uint64_t id, struct comity_reply *ret)
{
    struct bytes message = BYTES_NONE;
    struct control_reply reply = {0};
    int err = comity_client_flush(c);
    while (!err) {
        if ((err = read_message(c, -1, &message)) || (err = decode(c, message, &reply)))
            break;
        if (reply.id == id) {
            err = give(c, &reply, ret);
            return err ? client_fail(c, err, ret) : reply.err;
        }
        err = keep(c, message);
    }
    return client_fail(c, err, ret);
}

int comity_client_call(comity_client *c, const struct comity_call *call, struct comity_reply *ret)
{
    uint64_t id = 0;
    int err = comity_client_send(c, call, &id);
    return err ? client_fail(c, err, ret) : await_reply(c, id, ret);
}
