/*
 * The thread of the bulk socket. See bulk.h, and PROTOCOL.md, Bulk.
 *
 * It takes in PUT, syncs what came (one fdatasync for a batch), answers HAVE, and sends what GET asked for, a little for each
 * reader in turn.
 */
#include "bulk.h"

#include "base/file.h"
#include "base/log.h"
#include "blobs.h"
#include "broker.h"
#include "link/link.h"
#include "link/poll.h"
#include "link/socket.h"
#include "store.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    INTAKE_MESSAGES = 64,   /* one batch: at most 16 MiB between two syncs */
    READERS_MAX = 1024,     /* GETs being served */
    GET_BLOCKS_MAX = 64,
    BLOCKS_A_ROUND = 4,     /* for one reader before the next one's turn */
    SEND_HWM = 80,
    RECV_HWM = 64,
    PUT_AHEAD = 8,          /* blocks beyond the last HAVE that an uploader may send */
    ARENA_MAX = 4 * 1024 * 1024,
    RETRY_MS = 20
};

struct speaker {
    uint8_t key[32];
    char member[MEMBER_ID_MAX + 1];
    const struct suite *suite;
};

/* A GET being served. */
struct reader {
    struct link_peer peer;
    struct hash blob;
    uint64_t len;
    uint64_t next;
    uint64_t end;
};

/* An uploader who is owed a HAVE once what came is synced. */
struct owed {
    struct link_peer peer;
    struct hash blob;
    uint64_t len;
};

struct bulk {
    pthread_t thread;
    bool runs;
    struct link_socket *socket;
    char *dir;
    char *db_path;
    int to_thread; /* eventfds */
    int to_main;

    /* Shared, under the lock. */
    pthread_mutex_t lock;
    bool stop;
    struct speaker *speakers; /* sorted by key */
    size_t speaker_count;
    struct hash *remove;
    size_t remove_count;
    struct bulk_finished *finished;
    size_t finished_count;

    /* The thread's own. */
    struct blobs *blobs;
    struct db *db;
    struct arena *arena;
    struct speaker *known; /* the copy that it works with */
    size_t known_count;
    struct reader readers[READERS_MAX];
    size_t reader_count;
    struct owed owed[INTAKE_MESSAGES];
    size_t owed_count;
};

/* ---- what both threads share ---- */

static void ring(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* full means: rung already */
}

static void hush(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    (void)n;
}

static int report(struct bulk *k, const struct hash *blob, bool is_gone)
{
    pthread_mutex_lock(&k->lock);
    struct bulk_finished *more =
        realloc(k->finished, (k->finished_count + 1) * sizeof *k->finished);
    if (more) {
        k->finished = more;
        k->finished[k->finished_count++] = (struct bulk_finished){.blob = *blob, .is_gone = is_gone};
    }
    pthread_mutex_unlock(&k->lock);
    ring(k->to_main);
    return more ? COMITY_OK : COMITY_E_NOMEM;
}

size_t bulk_take_finished(struct bulk *k, struct bulk_finished *ret, size_t max)
{
    hush(k->to_main);
    pthread_mutex_lock(&k->lock);
    size_t n = k->finished_count < max ? k->finished_count : max;
    if (n)
        memcpy(ret, k->finished, n * sizeof *ret);
    k->finished_count -= n;
    if (k->finished_count) {
        memmove(k->finished, k->finished + n, k->finished_count * sizeof *k->finished);
        ring(k->to_main);
    }
    pthread_mutex_unlock(&k->lock);
    return n;
}

void bulk_remove(struct bulk *k, const struct hash *blob)
{
    pthread_mutex_lock(&k->lock);
    struct hash *more = realloc(k->remove, (k->remove_count + 1) * sizeof *k->remove);
    if (more) { /* without memory: it is asked again at the next tidying */
        k->remove = more;
        k->remove[k->remove_count++] = *blob;
    }
    pthread_mutex_unlock(&k->lock);
    ring(k->to_thread);
}

static int compare_speakers(const void *a, const void *b)
{
    return memcmp(((const struct speaker *)a)->key, ((const struct speaker *)b)->key, 32);
}

int bulk_take_roster(struct bulk *k, const struct broker *b)
{
    if (!b->roster)
        return COMITY_OK;
    const struct roster_doc *doc = roster_doc(b->roster);
    struct speaker *all = calloc(doc->member_count + 1, sizeof *all);
    if (!all)
        return COMITY_E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < doc->member_count; i++) {
        const struct roster_member *m = &doc->members[i];
        const struct roster_origin *o = roster_current_origin(b->roster, m);
        if (m->role != MEMBER_BUREAU || !o)
            continue;
        memcpy(all[n].key, m->curve.data, sizeof all[n].key);
        memcpy(all[n].member, m->id.data, m->id.len);
        all[n++].suite = o->suite;
    }
    qsort(all, n, sizeof *all, compare_speakers);
    pthread_mutex_lock(&k->lock);
    free(k->speakers);
    k->speakers = all;
    k->speaker_count = n;
    pthread_mutex_unlock(&k->lock);
    ring(k->to_thread);
    return COMITY_OK;
}

/* ---- the thread ---- */

static int send_frame(struct bulk *k, const struct link_peer *to, const struct bulk_frame *f)
{
    struct buf out = BUF_INIT;
    int err = bulk_frame_encode(f, &out);
    if (!err)
        err = link_send_buf(k->socket, to, &out);
    buf_free(&out);
    return err;
}

/* A peer that is gone asks again when it is back. */
static int unless_gone(int err)
{
    return err == COMITY_E_UNREACHABLE || err == COMITY_E_AGAIN ? COMITY_OK : err;
}

static int send_have(struct bulk *k, const struct link_peer *to, const struct hash *id,
                     const struct blob *b, const char *token)
{
    const struct bulk_frame f = {.kind = BULK_HAVE,
                                 .blob = hash_bytes(id),
                                 .index = b ? blob_durable(b) : 0,
                                 .complete = b && blob_durable(b) == blob_count(b),
                                 .token = bytes_of(token)};
    return unless_gone(send_frame(k, to, &f));
}

static const struct speaker *speaker_of(const struct bulk *k, const uint8_t key[32])
{
    struct speaker wanted;
    memcpy(wanted.key, key, sizeof wanted.key);
    return bsearch(&wanted, k->known, k->known_count, sizeof wanted, compare_speakers);
}

/* Owe a HAVE, once per uploader and blob. */
static void owe(struct bulk *k, const struct link_peer *to, const struct hash *id, uint64_t len)
{
    for (size_t i = 0; i < k->owed_count; i++)
        if (hash_equal(&k->owed[i].blob, id) && link_peer_same(&k->owed[i].peer, to))
            return;
    k->owed[k->owed_count++] = (struct owed){.peer = *to, .blob = *id, .len = len};
}

static int take_put(struct bulk *k, const struct link_peer *from, const struct speaker *who,
                    const struct bulk_frame *f, const struct hash *id, const struct blob_access *may)
{
    struct hash path[PROOF_PATH_MAX];
    struct blob *b = NULL;
    if (!may->may_put || f->len != may->len)
        return send_have(k, from, id, NULL, comity_err_token(COMITY_E_UNKNOWN_BLOB));
    int err = blobs_get(k->blobs, id, may->len, true, &b);
    if (err)
        return err;
    if (f->index != blob_next(b) || f->index > blob_durable(b) + 2 * PUT_AHEAD) {
        owe(k, from, id, may->len); /* it learns from HAVE where we are */
        return COMITY_OK;
    }
    if (f->proof_count > PROOF_PATH_MAX)
        return send_have(k, from, id, b, comity_err_token(COMITY_E_BLOB));
    for (size_t i = 0; i < f->proof_count; i++)
        memcpy(path[i].b, f->proof[i].data, HASH_LEN);
    err = blob_block_verify(who->suite, id, may->len, f->index, f->block, path, f->proof_count);
    if (err)
        return send_have(k, from, id, b, comity_err_token(COMITY_E_BLOB));
    err = blob_put(b, f->block, f->proof, f->proof_count);
    if (err == COMITY_E_DISK_FULL)
        return send_have(k, from, id, b, comity_err_token(err));
    if (!err)
        owe(k, from, id, may->len);
    return err;
}

static int take_get(struct bulk *k, const struct link_peer *from, const struct bulk_frame *f,
                    const struct hash *id, const struct blob_access *may)
{
    struct blob *b = NULL;
    if (!may->may_get)
        return send_have(k, from, id, NULL, comity_err_token(COMITY_E_UNKNOWN_BLOB));
    int err = blobs_get(k->blobs, id, may->len, false, &b);
    if (err == COMITY_E_NOT_FOUND)
        return send_have(k, from, id, NULL, NULL);
    if (err)
        return err;
    if (f->count == 0 || f->count > GET_BLOCKS_MAX)
        return send_have(k, from, id, b, comity_err_token(COMITY_E_LIMIT));
    if (f->index >= blob_next(b))
        return send_have(k, from, id, b, NULL);
    if (k->reader_count == READERS_MAX)
        return COMITY_OK; /* it asks again */
    uint64_t end = f->index + f->count;
    k->readers[k->reader_count++] = (struct reader){
        .peer = *from,
        .blob = *id,
        .len = may->len,
        .next = f->index,
        .end = end < blob_next(b) ? end : blob_next(b)};
    return COMITY_OK;
}

static int take_ask(struct bulk *k, const struct link_peer *from, const struct hash *id,
                    const struct blob_access *may)
{
    struct blob *b = NULL;
    if (!may->may_put)
        return send_have(k, from, id, NULL, comity_err_token(COMITY_E_UNKNOWN_BLOB));
    int err = blobs_get(k->blobs, id, may->len, false, &b);
    if (err && err != COMITY_E_NOT_FOUND)
        return err;
    return send_have(k, from, id, err ? NULL : b, NULL);
}

static int take_message(struct bulk *k, const struct link_message *m)
{
    struct bulk_frame f;
    struct hash id;
    struct blob_access may = {0};
    const struct speaker *who = speaker_of(k, m->peer.key);
    int err = who ? bulk_frame_decode(k->arena, m->payload, &f) : COMITY_E_NOT_MEMBER;
    if (err) {
        log_event(LOG_WARN, "bulk_dropped", LOG_STR("member", who ? who->member : "-"), LOG_ERR(err));
        int dropped = link_drop(k->socket, &m->peer);
        return dropped == COMITY_E_NOT_FOUND ? COMITY_OK : dropped;
    }
    memcpy(id.b, f.blob.data, sizeof id.b);
    err = queue_blob_access(k->db, f.blob, bytes_of(who->member), &may);
    if (err == COMITY_E_NOT_FOUND)
        return send_have(k, &m->peer, &id, NULL, comity_err_token(COMITY_E_UNKNOWN_BLOB));
    if (err)
        return err;
    switch (f.kind) {
    case BULK_PUT:
        return take_put(k, &m->peer, who, &f, &id, &may);
    case BULK_GET:
        return take_get(k, &m->peer, &f, &id, &may);
    case BULK_ASK:
        return take_ask(k, &m->peer, &id, &may);
    default:
        return COMITY_OK; /* HAVE and DATA are ours to say */
    }
}

static int take_in(struct bulk *k)
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

/* Sync what came, then say so. */
static int pay_owed(struct bulk *k)
{
    for (size_t i = 0; i < k->owed_count; i++) {
        const struct owed *o = &k->owed[i];
        struct blob *b = NULL;
        int err = blobs_get(k->blobs, &o->blob, o->len, false, &b);
        if (!err && blob_durable(b) < blob_next(b)) {
            err = blob_sync(b);
            if (!err && blob_durable(b) == blob_count(b))
                err = report(k, &o->blob, false);
        }
        if (!err)
            err = send_have(k, &o->peer, &o->blob, b, NULL);
        if (err && err != COMITY_E_NOT_FOUND)
            return err;
    }
    k->owed_count = 0;
    return COMITY_OK;
}

static int send_block(struct bulk *k, const struct reader *r, struct blob *b)
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

/* A few blocks for each reader. ${ret_blocked}: some reader's queue is full. */
static int serve_readers(struct bulk *k, bool *ret_blocked)
{
    bool blocked = false;
    for (size_t i = 0; i < k->reader_count;) {
        struct reader *r = &k->readers[i];
        struct blob *b = NULL;
        int err = blobs_get(k->blobs, &r->blob, r->len, false, &b);
        for (size_t n = 0; !err && n < BLOCKS_A_ROUND && r->next < r->end; n++)
            if (!(err = send_block(k, r, b)))
                r->next++;
        if (err == COMITY_E_AGAIN) {
            blocked = true;
            i++;
            continue;
        }
        if (err && err != COMITY_E_UNREACHABLE && err != COMITY_E_NOT_FOUND)
            return err;
        if (err || r->next == r->end)
            *r = k->readers[--k->reader_count];
        else
            i++;
    }
    *ret_blocked = blocked;
    return COMITY_OK;
}

/* Take over what the main thread has left. */
static int take_orders(struct bulk *k, bool *ret_stop)
{
    hush(k->to_thread);
    pthread_mutex_lock(&k->lock);
    *ret_stop = k->stop;
    struct speaker *speakers = k->speakers;
    size_t speaker_count = k->speaker_count;
    struct hash *gone = k->remove;
    size_t gone_count = k->remove_count;
    k->speakers = NULL;
    k->remove = NULL;
    k->remove_count = 0;
    pthread_mutex_unlock(&k->lock);
    if (speakers) {
        free(k->known);
        k->known = speakers;
        k->known_count = speaker_count;
    }
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < gone_count; i++) {
        err = blobs_remove(k->blobs, &gone[i]);
        if (!err)
            err = report(k, &gone[i], true);
    }
    free(gone);
    return err;
}

static int loop(struct bulk *k)
{
    bool stop = false;
    bool blocked = false;
    int err = take_orders(k, &stop);
    while (!err && !stop) {
        struct link_poll_item items[] = {{.fd = k->to_thread, .events = LINK_IN},
                                         {.socket = k->socket, .events = LINK_IN}};
        int timeout_ms = k->reader_count == 0 ? -1 : blocked ? RETRY_MS : 0;
        err = link_poll(items, 2, timeout_ms);
        if (!err && items[0].ready)
            err = take_orders(k, &stop);
        if (!err && items[1].ready)
            err = take_in(k);
        if (!err)
            err = pay_owed(k);
        if (!err)
            err = serve_readers(k, &blocked);
    }
    return err;
}

static void *run(void *self)
{
    struct bulk *k = self;
    int err = loop(k);
    if (err) {
        log_event(LOG_ERROR, "bulk_failed", LOG_ERR(err));
        _exit(comity_err_exit(err)); /* what the disk holds is unknown, or memory is out: begin anew */
    }
    link_close(k->socket);
    k->socket = NULL;
    return NULL;
}

/* ---- start and stop ---- */

static int bind_socket(struct bulk *k, const struct broker *b, struct link *link)
{
    struct link_server_options options = {.endpoint = b->site->listen_bulk,
                                          .max_message = BULK_FRAME_BYTES_MAX,
                                          .send_hwm = SEND_HWM,
                                          .recv_hwm = RECV_HWM};
    memcpy(options.secret, b->keys->curve_secret, sizeof options.secret);
    int err = link_listen(link, &options, &k->socket);
    wipe(&options, sizeof options);
    return err;
}

static void bulk_free(struct bulk *k)
{
    link_close(k->socket);
    blobs_close(k->blobs);
    db_close(k->db);
    arena_free(k->arena);
    free(k->dir);
    free(k->db_path);
    free(k->speakers);
    free(k->known);
    free(k->remove);
    free(k->finished);
    if (k->to_thread >= 0)
        close(k->to_thread);
    if (k->to_main >= 0)
        close(k->to_main);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

int bulk_start(struct broker *b, struct link *link, struct bulk **ret)
{
    struct bulk *k = calloc(1, sizeof *k);
    if (!k)
        return COMITY_E_NOMEM;
    pthread_mutex_init(&k->lock, NULL);
    k->to_thread = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->to_main = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->dir = site_path(b->site, "blobs");
    k->db_path = site_path(b->site, "broker.db");
    k->arena = arena_new(ARENA_MAX);
    int err = k->to_thread >= 0 && k->to_main >= 0 && k->dir && k->db_path && k->arena
                  ? COMITY_OK
                  : COMITY_E_NOMEM;
    if (!err)
        err = blobs_open(k->dir, &k->blobs);
    if (!err)
        err = db_open(k->db_path, DB_READ, &k->db);
    if (!err)
        err = bind_socket(k, b, link); /* handed to the thread: nobody here touches it again */
    if (!err)
        err = bulk_take_roster(k, b);
    if (!err && pthread_create(&k->thread, NULL, run, k) != 0)
        err = COMITY_E_LIMIT;
    if (err) {
        bulk_free(k);
        return err;
    }
    k->runs = true;
    *ret = k;
    return COMITY_OK;
}

void bulk_stop(struct bulk *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_mutex_unlock(&k->lock);
    ring(k->to_thread);
    if (k->runs)
        pthread_join(k->thread, NULL);
    bulk_free(k);
}

int bulk_fd(const struct bulk *k)
{
    return k->to_main;
}
