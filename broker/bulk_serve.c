/*
 * What the bulk thread answers. See bulk_parts.h, and PROTOCOL.md, Bulk.
 *
 * A HAVE is owed until it could be sent, since who waits for one waits long; DATA is read from the
 * disk when there is room for it. Both are bounded for each key, however many connections it has,
 * and the keys have their turn one after the other: one that asks and does not listen costs the
 * others nothing.
 */
#include "bulk_parts.h"

#include "base/log.h"
#include "link/socket.h"
#include "msg/frame.h"
#include "store.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <string.h>

enum {
    INTAKE_MESSAGES = 64, /* one batch: at most 16 MiB between two syncs */
    GET_BLOCKS_MAX = 64,
    BLOCKS_A_ROUND = 4, /* for one key before the next one's turn */
    SHORT_MS = 100,     /* until descriptors are tried for again */
    PUT_AHEAD = 8       /* blocks beyond the last HAVE that an uploader may send */
};

static int send_frame(struct bulk *k, const struct link_peer *to, const struct bulk_frame *f)
{
    struct buf out = BUF_INIT;
    int err = bulk_frame_encode(f, &out);
    if (!err)
        err = link_send_buf(k->socket, to, &out);
    buf_free(&out);
    return err;
}

/* Owe a HAVE, once per connection and blob; what it says is seen when it is sent. Who lets too many
 * wait asks again. */
static int owe(struct bulk *k, const struct link_peer *to, const struct hash *id,
               const uint64_t *len, int err)
{
    struct bulk_client *c = hub_bulk_client(k, to);
    struct bulk_owed *o = NULL;
    struct bulk_owed fresh = {
        .peer = *to, .blob = *id, .token = err ? comity_err_token(err) : NULL};
    fresh.is_known = len != NULL;
    fresh.len = len ? *len : 0;
    for (size_t i = 0; c && i < c->owed_count && !o; i++)
        if (link_peer_same(&c->owed[i].peer, to) && hash_equal(&c->owed[i].blob, id))
            o = &c->owed[i];
    if (o && !err && fresh.is_known == o->is_known)
        return COMITY_OK;
    if (!o && c)
        o = hub_bulk_add_owed(c);
    if (o)
        *o = fresh;
    return COMITY_OK;
}

static int owe_unknown(struct bulk *k, const struct link_peer *to, const struct hash *id)
{
    return owe(k, to, id, NULL, COMITY_E_UNKNOWN_BLOB);
}

/* Descriptors come back when connections end: nobody is told that they are out. */
static bool is_short(struct bulk *k, int err)
{
    const bool now = err == COMITY_E_FILES;
    if (now && !k->is_short)
        log_event(LOG_ERROR, "bulk_is_short_of_files");
    if (now)
        hub_bulk_try_in(k, SHORT_MS);
    k->is_short = now || (k->is_short && err);
    return now;
}

/* What ails one blob alone is told to whoever asks for it, what will pass is answered once it has
 * passed; other errors end the process. */
static int owe_trouble(struct bulk *k, const struct link_peer *to, const struct hash *id,
                       const uint64_t *len, int err)
{
    if (is_short(k, err))
        return owe(k, to, id, len, COMITY_OK);
    return err == COMITY_E_DISK_FULL || err == COMITY_E_BLOB ? owe(k, to, id, NULL, err) : err;
}

static int take_put(struct bulk *k, const struct link_peer *from, const struct bulk_speaker *who,
                    const struct bulk_frame *f, const struct hash *id,
                    const struct blob_access *may)
{
    struct hash path[PROOF_PATH_MAX];
    struct blob *b = NULL;
    if (!may->may_put || f->len != may->len)
        return owe_unknown(k, from, id);
    int err = blobs_get(k->blobs, id, may->len, true, &b);
    if (err)
        return owe_trouble(k, from, id, &may->len, err);
    if (f->index != blob_next(b) || f->index > blob_durable(b) + 2 * PUT_AHEAD)
        return owe(k, from, id, &may->len, COMITY_OK); /* it learns from HAVE where we are */
    if (f->proof_count > PROOF_PATH_MAX)
        return owe(k, from, id, &may->len, COMITY_E_BLOB);
    for (size_t i = 0; i < f->proof_count; i++)
        memcpy(path[i].b, f->proof[i].data, HASH_LEN);
    err = blob_block_verify(who->suite, id, may->len, f->index, f->block, path, f->proof_count);
    if (!err)
        err = blob_put(b, f->block, f->proof, f->proof_count);
    if (err == COMITY_E_BLOB || err == COMITY_E_DISK_FULL || !err)
        return owe(k, from, id, &may->len, err);
    return err;
}

/* The reader of that blob on that connection, or a free one; NULL when there are too many. */
static struct bulk_reader *find_reader(struct bulk *k, const struct link_peer *peer,
                                       const struct hash *id)
{
    struct bulk_client *c = hub_bulk_client(k, peer);
    for (size_t i = 0; c && i < c->reader_count; i++)
        if (link_peer_same(&c->readers[i].peer, peer) && hash_equal(&c->readers[i].blob, id))
            return &c->readers[i];
    return c ? hub_bulk_add_reader(c) : NULL;
}

/* A GET that goes on where the last one ends makes it longer, so that blocks come in their order;
 * any other takes its place. */
static int take_get(struct bulk *k, const struct link_peer *from, const struct bulk_frame *f,
                    const struct hash *id, const struct blob_access *may)
{
    struct blob *b = NULL;
    if (!may->may_get)
        return owe_unknown(k, from, id);
    int err = blobs_get(k->blobs, id, may->len, false, &b);
    if (err == COMITY_E_NOT_FOUND)
        return owe(k, from, id, &may->len, COMITY_OK);
    if (err)
        return owe_trouble(k, from, id, &may->len, err);
    if (f->count == 0 || f->count > GET_BLOCKS_MAX || f->index >= blob_count(b))
        return owe(k, from, id, &may->len, COMITY_E_LIMIT);
    struct bulk_reader *r = find_reader(k, from, id);
    if (!r)
        return COMITY_OK; /* it asks again */
    uint64_t next = r->end && f->index == r->end ? r->next : f->index;
    uint64_t end = f->index + f->count;
    if (end > next + GET_BLOCKS_MAX)
        end = next + GET_BLOCKS_MAX;
    *r = (struct bulk_reader){.peer = *from,
                              .blob = *id,
                              .len = may->len,
                              .next = next,
                              .end = end < blob_count(b) ? end : blob_count(b)};
    return COMITY_OK;
}

static int take_message(struct bulk *k, const struct link_message *m)
{
    struct bulk_frame f;
    struct hash id;
    struct blob_access may = {0};
    const struct bulk_speaker *who = hub_bulk_speaker_of(k, m->peer.key);
    int err = who ? bulk_frame_decode(k->arena, m->payload, &f) : COMITY_E_NOT_MEMBER;
    if (err) {
        log_event(LOG_WARN, "bulk_dropped", LOG_STR("member", who ? who->member : "-"),
                  LOG_ERR(err));
        int dropped = link_drop(k->socket, &m->peer);
        return dropped == COMITY_E_NOT_FOUND ? COMITY_OK : dropped;
    }
    if (!hub_bulk_client(k, &m->peer))
        return COMITY_OK; /* no memory: it asks again */
    memcpy(id.b, f.blob.data, sizeof id.b);
    err = queue_blob_access(k->db, f.blob, bytes_of(who->member), &may);
    if (err == COMITY_E_NOT_FOUND)
        return owe_unknown(k, &m->peer, &id);
    if (err)
        return err;
    switch (f.kind) {
    case BULK_PUT:
        return take_put(k, &m->peer, who, &f, &id, &may);
    case BULK_GET:
        return take_get(k, &m->peer, &f, &id, &may);
    case BULK_ASK:
        return may.may_put ? owe(k, &m->peer, &id, &may.len, COMITY_OK)
                           : owe_unknown(k, &m->peer, &id);
    default:
        return COMITY_OK; /* HAVE and DATA are ours to say */
    }
}

int hub_bulk_take_in(struct bulk *k)
{
    struct link_message m = LINK_MESSAGE_INIT;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < INTAKE_MESSAGES; i++) {
        arena_reset(k->arena);
        err = link_recv(k->socket, &m);
        if (err == COMITY_E_AGAIN)
            break;
        if (err == COMITY_E_MALFORMED) {
            err = link_drop(k->socket, &m.peer) == COMITY_E_IO ? COMITY_E_IO : COMITY_OK;
            continue;
        }
        if (!err)
            err = take_message(k, &m);
    }
    link_message_done(&m);
    return err == COMITY_E_AGAIN ? COMITY_OK : err;
}

static int send_have(struct bulk *k, const struct bulk_owed *o, const struct blob *b,
                     const char *token)
{
    const struct bulk_frame f = {.kind = BULK_HAVE,
                                 .blob = hash_bytes(&o->blob),
                                 .index = b ? blob_durable(b) : 0,
                                 .complete = b && blob_durable(b) == blob_count(b),
                                 .token = bytes_of(token)};
    return send_frame(k, &o->peer, &f);
}

/* Sync what came, then say so. COMITY_E_AGAIN: there is no room for the answer; COMITY_E_FILES. */
static int pay(struct bulk *k, const struct bulk_owed *o)
{
    struct blob *b = NULL;
    const char *token = o->token;
    int err = o->is_known ? blobs_get(k->blobs, &o->blob, o->len, false, &b) : COMITY_OK;
    if (!err && b && blob_durable(b) < blob_next(b))
        err = blob_sync(b);
    if (err == COMITY_E_BLOB || err == COMITY_E_DISK_FULL)
        token = comity_err_token(err);
    else if (err && err != COMITY_E_NOT_FOUND)
        return err;
    return send_have(k, o, b, token);
}

static int pay_client(struct bulk *k, struct bulk_client *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->owed_count; i++) {
        const struct bulk_owed o = c->owed[i];
        int err = hub_bulk_waits(k, c, &o.peer) ? COMITY_E_BUSY : pay(k, &o);
        if (err == COMITY_E_AGAIN)
            hub_bulk_is_full(k, c, &o.peer);
        else if (!err)
            hub_bulk_moved(c, &o.peer);
        if (err == COMITY_E_AGAIN || err == COMITY_E_BUSY || is_short(k, err))
            c->owed[kept++] = o;
        else if (err && err != COMITY_E_UNREACHABLE) /* who is gone asks again when it is back */
            return err;
    }
    c->owed_count = kept;
    return COMITY_OK;
}

int hub_bulk_pay(struct bulk *k)
{
    int err = COMITY_OK;
    for (struct bulk_client *c = k->clients; c && !err; c = c->hh.next)
        err = pay_client(k, c);
    return err;
}

static int send_block(struct bulk *k, const struct bulk_reader *r, struct blob *b)
{
    struct hash path[PROOF_PATH_MAX];
    struct bytes proof[PROOF_PATH_MAX];
    size_t n = 0;
    struct buf block = BUF_INIT;
    int err = blob_get(b, r->next, &block, path, &n);
    for (size_t i = 0; i < n; i++)
        proof[i] = hash_bytes(&path[i]);
    const struct bulk_frame f = {.kind = BULK_DATA,
                                 .blob = hash_bytes(&r->blob),
                                 .index = r->next,
                                 .block = buf_bytes(&block),
                                 .proof = proof,
                                 .proof_count = n};
    if (!err)
        err = send_frame(k, &r->peer, &f);
    buf_free(&block);
    return err;
}

/* A few blocks for one reader. COMITY_E_AGAIN: its queue is full. */
static int serve(struct bulk *k, struct bulk_reader *r, bool *ret_sent)
{
    struct blob *b = NULL;
    int err = blobs_get(k->blobs, &r->blob, r->len, false, &b);
    for (size_t n = 0; !err && n < BLOCKS_A_ROUND && r->next < r->end; n++) {
        if (r->next == blob_next(b)) {
            /* What comes later is asked for later. */
            r->end = r->next;
            *ret_sent = true;
            return owe(k, &r->peer, &r->blob, &r->len, COMITY_OK);
        }
        err = send_block(k, r, b);
        if (!err) {
            r->next++;
            *ret_sent = true;
        }
    }
    return err;
}

/* One reader, tried in its turn. Whether it has had it: else the next one may. */
static int serve_one(struct bulk *k, struct bulk_client *c, size_t i, bool *ret_sent)
{
    struct bulk_reader *r = &c->readers[i];
    const struct link_peer peer = r->peer;
    if (hub_bulk_waits(k, c, &peer))
        return COMITY_OK;
    int err = serve(k, r, ret_sent);
    bool is_gone = err == COMITY_E_UNREACHABLE || err == COMITY_E_NOT_FOUND;
    if (*ret_sent)
        hub_bulk_moved(c, &peer);
    if (err == COMITY_E_AGAIN)
        hub_bulk_is_full(k, c, &peer);
    else if (err && !is_gone && !is_short(k, err))
        return err;
    if (is_gone || r->next == r->end)
        *r = c->readers[--c->reader_count];
    return COMITY_OK;
}

/* A few blocks for one key: of the first of its readers that can be sent any, from the one on whose
 * turn it is. */
static int serve_client(struct bulk *k, struct bulk_client *c, bool *ret_sent)
{
    bool has_sent = false;
    for (size_t tried = 0; tried < c->reader_count && !has_sent; tried++) {
        const size_t i = c->reader_turn++ % c->reader_count;
        int err = serve_one(k, c, i, &has_sent);
        if (err)
            return err;
    }
    *ret_sent = *ret_sent || has_sent;
    return COMITY_OK;
}

int hub_bulk_serve(struct bulk *k, bool *ret_sent)
{
    int err = COMITY_OK;
    *ret_sent = false;
    for (struct bulk_client *c = k->clients; c && !err; c = c->hh.next)
        err = serve_client(k, c, ret_sent);
    return err;
}
