/*
 * The thread of the bulk socket: start, stop, rounds, and what it shares with the main thread. See
 * bulk.h, and PROTOCOL.md, Bulk; what it answers is bulk_serve.c's.
 *
 * A round takes in a batch, syncs what came (once for all of a blob's blocks), answers, and sends
 * what GET asked for, a little for each reader in turn.
 */
#include "bulk_parts.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "broker.h"
#include "link/link.h"
#include "link/poll.h"
#include "link/socket.h"
#include "store.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SEND_HWM = 16, /* for one peer: 4 MiB each way, the rest waits in its TCP window */
    RECV_HWM = 16,
    ARENA_MAX = 4 * 1024 * 1024, /* of one message */
    WATCH_MS = 1000              /* look at connections that stand still */
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

static int report_removed(struct bulk *k, const struct hash *blob)
{
    pthread_mutex_lock(&k->lock);
    struct hash *more = realloc(k->removed, (k->removed_count + 1) * sizeof *more);
    if (more) {
        k->removed = more;
        k->removed[k->removed_count++] = *blob;
    }
    pthread_mutex_unlock(&k->lock);
    ring(k->to_main);
    return more ? COMITY_OK : COMITY_E_NOMEM;
}

size_t hub_bulk_take_removed(struct bulk *k, struct hash *ret, size_t max)
{
    hush(k->to_main);
    pthread_mutex_lock(&k->lock);
    size_t n = k->removed_count < max ? k->removed_count : max;
    if (n)
        memcpy(ret, k->removed, n * sizeof *ret);
    k->removed_count -= n;
    if (k->removed_count) {
        memmove(k->removed, k->removed + n, k->removed_count * sizeof *k->removed);
        ring(k->to_main);
    }
    pthread_mutex_unlock(&k->lock);
    return n;
}

void hub_bulk_remove(struct bulk *k, const struct hash *blob)
{
    bool is_asked = false;
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->remove_count && !is_asked; i++)
        is_asked = hash_equal(&k->remove[i], blob);
    struct hash *more =
        is_asked ? NULL : realloc(k->remove, (k->remove_count + 1) * sizeof *k->remove);
    if (more) { /* without memory: it is asked again at the next tidying */
        k->remove = more;
        k->remove[k->remove_count++] = *blob;
    }
    pthread_mutex_unlock(&k->lock);
    ring(k->to_thread);
}

static int compare_speakers(const void *a, const void *b)
{
    return memcmp(((const struct bulk_speaker *)a)->key, ((const struct bulk_speaker *)b)->key, 32);
}

int hub_bulk_take_roster(struct bulk *k, const struct broker *b)
{
    if (!b->roster)
        return COMITY_OK;
    const struct roster_doc *doc = roster_doc(b->roster);
    struct bulk_speaker *all = calloc(doc->member_count + 1, sizeof *all);
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

const struct bulk_speaker *hub_bulk_speaker_of(const struct bulk *k, const uint8_t key[32])
{
    struct bulk_speaker wanted;
    memcpy(wanted.key, key, sizeof wanted.key);
    return bsearch(&wanted, k->known, k->known_count, sizeof wanted, compare_speakers);
}

/* The main thread's wish may be old: a parcel that came meanwhile may name the blob again. */
static int remove_blob(struct bulk *k, const struct hash *id)
{
    bool is_freed = false;
    int err = queue_blob_is_freed(k->db, hash_bytes(id), &is_freed);
    if (!err && !is_freed)
        return COMITY_OK;
    if (!err)
        err = blobs_remove(k->blobs, id);
    if (err == COMITY_E_FILES)
        return COMITY_OK; /* it is asked for again */
    return err ? err : report_removed(k, id);
}

/* Take over what the main thread has left. */
static int take_orders(struct bulk *k, bool *ret_stop)
{
    hush(k->to_thread);
    pthread_mutex_lock(&k->lock);
    *ret_stop = k->stop;
    struct bulk_speaker *speakers = k->speakers;
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
        hub_bulk_drop_gone(k);
    }
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < gone_count; i++)
        err = remove_blob(k, &gone[i]);
    free(gone);
    return err;
}

/* How long nothing is to be done, unless something comes in. */
static int timeout_ms(const struct bulk *k, bool has_sent)
{
    if (has_sent)
        return 0;
    if (k->try_ms == BULK_IDLE)
        return k->clients ? WATCH_MS : -1;
    const int64_t left = k->try_ms - clock_mono_ms(&clock_system);
    return left < 0 ? 0 : left > WATCH_MS ? WATCH_MS : (int)left;
}

static int one_round(struct bulk *k, bool has_come, bool *ret_sent)
{
    int err = COMITY_OK;
    k->now_ms = clock_mono_ms(&clock_system);
    k->try_ms = BULK_IDLE;
    if (has_come)
        err = hub_bulk_take_in(k);
    if (!err)
        err = hub_bulk_pay(k);
    if (!err)
        err = hub_bulk_serve(k, ret_sent);
    hub_bulk_cut_stalled(k);
    return err;
}

static int loop(struct bulk *k)
{
    bool stop = false;
    bool has_sent = false;
    k->try_ms = BULK_IDLE;
    int err = take_orders(k, &stop);
    while (!err && !stop) {
        struct link_poll_item items[] = {{.fd = k->to_thread, .events = LINK_IN},
                                         {.socket = k->socket, .events = LINK_IN}};
        err = link_poll(items, 2, timeout_ms(k, has_sent));
        if (!err && items[0].ready)
            err = take_orders(k, &stop);
        if (!err)
            err = one_round(k, items[1].ready, &has_sent);
    }
    return err;
}

static void *run(void *self)
{
    struct bulk *k = self;
    int err = loop(k);
    if (err) {
        log_event(LOG_ERROR, "bulk_failed", LOG_ERR(err));
        _exit(comity_err_exit(
            err)); /* what the disk holds is unknown, or memory is out: begin anew */
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
    hub_bulk_drop_all(k);
    blobs_close(k->blobs);
    db_close(k->db);
    arena_free(k->arena);
    free(k->dir);
    free(k->db_path);
    free(k->speakers);
    free(k->known);
    free(k->remove);
    free(k->removed);
    if (k->to_thread >= 0)
        close(k->to_thread);
    if (k->to_main >= 0)
        close(k->to_main);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

int hub_bulk_start(struct broker *b, struct link *link, struct bulk **ret)
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
    k->stall_ms = BULK_STALL_MS;
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
        err = hub_bulk_take_roster(k, b);
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

void hub_bulk_stop(struct bulk *k)
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

int hub_bulk_fd(const struct bulk *k)
{
    return k->to_main;
}
