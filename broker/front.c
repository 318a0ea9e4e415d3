/*
 * Between the main socket and the broker's step. See front.h.
 */
#include "front.h"

#include "base/fault.h"
#include "base/log.h"
#include "lines.h"
#include "link/link.h"
#include "link/socket.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_MESSAGES = 256,
    TURN_BYTES = 8 * 1024 * 1024,
    TURN_MS = 20,
    SEND_HWM = 4096, /* credit bounds the bytes; this bounds the number */
    RECV_HWM = 256,
    LEAVE_MS = 250 /* between BYE and the cut: what libzmq has not sent by then would be lost with
                      the connection */
};

/* A connection that was told BYE. Nothing of it is taken in any more, and soon it is cut. */
struct leaving {
    struct link_peer peer;
    int64_t due_ms;
};

/* A member from which something came: on which connections. */
struct caller {
    uint8_t key[LINK_KEY_LEN];
    struct lines lines;
    UT_hash_handle hh;
};

struct front {
    struct broker *broker;
    struct link_socket *socket;
    struct link_message messages[TURN_MESSAGES];
    struct broker_event events[TURN_MESSAGES];
    struct leaving *leaving; /* in the order of due_ms */
    size_t leaving_count;
    size_t leaving_cap;
    struct caller *callers;
};

int front_open(struct broker *b, struct link *link, struct front **ret)
{
    struct front *f = calloc(1, sizeof *f);
    if (!f)
        return COMITY_E_NOMEM;
    f->broker = b;
    struct link_server_options options = {.endpoint = b->site->listen,
                                          .max_message = FRAME_BYTES_MAX,
                                          .send_hwm = SEND_HWM,
                                          .recv_hwm = RECV_HWM};
    memcpy(options.secret, b->keys->curve_secret, sizeof options.secret);
    int err = link_listen(link, &options, &f->socket);
    wipe(&options, sizeof options);
    if (err) {
        free(f);
        return err;
    }
    *ret = f;
    return COMITY_OK;
}

static void forget_caller(struct front *f, struct caller *c)
{
    HASH_DEL(f->callers, c);
    free(c);
}

void front_close(struct front *f)
{
    struct caller *c = NULL;
    struct caller *next = NULL;
    if (!f)
        return;
    HASH_ITER(hh, f->callers, c, next)
    forget_caller(f, c);
    for (size_t i = 0; i < TURN_MESSAGES; i++)
        link_message_done(&f->messages[i]);
    link_close(f->socket);
    free(f->leaving);
    free(f);
}

struct link_socket *front_socket(struct front *f)
{
    return f->socket;
}

static bool may_come_in(const struct broker *b, const struct roster_member *m)
{
    return m->role == MEMBER_BUREAU && m->curve.data && roster_current_origin(b->roster, m);
}

int front_allow(struct broker *b, struct link *link)
{
    if (!b->roster)
        return COMITY_OK; /* no table: the handler answers "come back later" */
    const struct roster_doc *doc = roster_doc(b->roster);
    uint8_t(*keys)[32] = calloc(doc->member_count + 1, sizeof *keys);
    if (!keys)
        return COMITY_E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < doc->member_count; i++) {
        const struct roster_member *m = &doc->members[i];
        if (may_come_in(b, m))
            memcpy(keys[n++], m->curve.data, sizeof *keys);
    }
    int err = link_allow_set(link, (const uint8_t(*)[32])keys, n);
    free(keys);
    return err;
}

/* ---- connections that are over ---- */

static bool is_leaving(const struct front *f, const struct link_peer *peer)
{
    for (size_t i = 0; i < f->leaving_count; i++)
        if (link_peer_same(&f->leaving[i].peer, peer))
            return true;
    return false;
}

static void cut(struct front *f, const struct link_peer *peer)
{
    if (link_drop(f->socket, peer) == COMITY_E_IO)
        log_event(LOG_ERROR, "drop_failed", LOG_ERR(COMITY_E_IO));
}

/* Cut it soon; at once without memory. */
static void cut_later(struct front *f, const struct link_peer *peer)
{
    if (f->leaving_count == f->leaving_cap) {
        size_t cap = f->leaving_cap ? 2 * f->leaving_cap : 16;
        struct leaving *more = realloc(f->leaving, cap * sizeof *more);
        if (!more) {
            cut(f, peer);
            return;
        }
        f->leaving = more;
        f->leaving_cap = cap;
    }
    f->leaving[f->leaving_count++] =
        (struct leaving){.peer = *peer, .due_ms = clock_mono_ms(f->broker->clock) + LEAVE_MS};
}

int front_timeout_ms(const struct front *f)
{
    if (f->leaving_count == 0)
        return -1;
    int64_t left = f->leaving[0].due_ms - clock_mono_ms(f->broker->clock);
    return left > 0 ? (int)left : 0;
}

void front_tidy(struct front *f)
{
    int64_t now = clock_mono_ms(f->broker->clock);
    size_t due = 0;
    while (due < f->leaving_count && f->leaving[due].due_ms <= now)
        cut(f, &f->leaving[due++].peer);
    if (due == 0)
        return;
    f->leaving_count -= due;
    memmove(f->leaving, f->leaving + due, f->leaving_count * sizeof *f->leaving);
}

/* ---- connections that are known ---- */

/* Without memory it is not known, and ends when it speaks. */
static void take_down(struct front *f, const struct link_peer *peer)
{
    struct caller *c = NULL;
    struct link_peer old;
    HASH_FIND(hh, f->callers, peer->key, sizeof c->key, c);
    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c)
            return;
        memcpy(c->key, peer->key, sizeof c->key);
        HASH_ADD(hh, f->callers, key, sizeof c->key, c);
    }
    if (lines_heard(&c->lines, peer, &old))
        cut(f, &old);
}

void front_cut_gone(struct front *f)
{
    const struct broker *b = f->broker;
    struct caller *c = NULL;
    struct caller *next = NULL;
    if (!b->roster)
        return;
    HASH_ITER(hh, f->callers, c, next)
    {
        const struct roster_member *m = roster_member_by_curve(b->roster, c->key);
        if (m && may_come_in(b, m))
            continue;
        for (size_t i = 0; i < c->lines.count; i++)
            if (!is_leaving(f, &c->lines.at[i].peer))
                cut(f, &c->lines.at[i].peer);
        forget_caller(f, c);
    }
}

/* ---- turns ---- */

/* Receive up to the bounds of a turn. */
static int take_in(struct front *f, size_t *ret_count)
{
    size_t n = 0;
    size_t bytes = 0;
    int64_t start = clock_mono_ms(f->broker->clock);
    while (n < TURN_MESSAGES && bytes < TURN_BYTES &&
           clock_mono_ms(f->broker->clock) - start < TURN_MS) {
        int err = link_recv(f->socket, &f->messages[n]);
        if (err == COMITY_E_AGAIN)
            break;
        if (err && err != COMITY_E_MALFORMED)
            return err;
        if (is_leaving(f, &f->messages[n].peer))
            continue;
        take_down(f, &f->messages[n].peer);
        f->events[n] = (struct broker_event){.peer = f->messages[n].peer,
                                             .payload = err ? BYTES_NONE : f->messages[n].payload};
        bytes += f->events[n].payload.len;
        n++;
    }
    *ret_count = n;
    return COMITY_OK;
}

void front_send(struct front *f)
{
    struct broker *b = f->broker;
    for (size_t i = 0; i < b->out_count; i++) {
        struct broker_output *o = &b->out[i];
        const bool had_frame = o->frame.len > 0;
        int err = had_frame ? link_send_buf(f->socket, &o->to, &o->frame) : COMITY_OK;
        if (err == COMITY_E_AGAIN || err == COMITY_E_UNREACHABLE) {
            /* The peer is gone, or takes nothing: its session ends, and it says HELLO when it is
             * back. */
            struct session *s = session_find(&b->sessions, o->to.key);
            if (s && link_peer_same(&s->peer, &o->to))
                session_drop(&b->sessions, s);
            o->drop = o->drop || err == COMITY_E_AGAIN;
        } else if (err) {
            log_event(LOG_ERROR, "send_failed", LOG_ERR(err));
        }
        if (o->drop && (err || !had_frame))
            cut(f, &o->to);
        else if (o->drop)
            cut_later(f, &o->to);
    }
    broker_sent(b);
}

int front_turn(struct front *f, bool *ret_busy)
{
    size_t n = 0;
    int err = take_in(f, &n);
    if (err)
        return err;
    err = broker_step(f->broker, f->events, n);
    if (err && fault_of(err) != FAULT_PASSING)
        return err;
    front_send(f);
    *ret_busy = !err && broker_has_work(f->broker);
    return COMITY_OK;
}
