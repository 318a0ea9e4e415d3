/*
 * The attachment thread: its rounds, its search for work, and what it shares with the turn. See
 * bulk.h, bulk_parts.h, and PROTOCOL.md, Bulk. What an upload or a fetch does is theirs
 * (bulk_upload.c, bulk_fetch.c), the socket is bulk_line.c's.
 *
 * A round: wait; look at the tables if somebody rang; take in frames; give every transfer a slice
 * of work. What the broker does not answer is asked again, and nothing is believed to be there but
 * what it has said since the connection was made.
 */
#include "bulk_parts.h"

#include "base/file.h"
#include "base/log.h"
#include "link/poll.h"
#include "link/socket.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    ARENA_MAX = 2 * 1024 * 1024,
    LOOK_MS = 10 * 1000, /* the tables are looked at so often, even if nobody rings */
    TICK_MS = 1000,      /* while something is waited for */
    REPORT_AGAIN_MS = 30 * 1000
};

void bulk_pause_longer(struct bulk_pause *p, int64_t now_ms)
{
    p->ms = p->ms ? 2 * p->ms : BULK_PAUSE_MIN_MS;
    if (p->ms > BULK_PAUSE_MAX_MS)
        p->ms = BULK_PAUSE_MAX_MS;
    p->due_ms = now_ms + p->ms;
}

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

static bool is_same(const struct bulk_finished *a, const struct bulk_finished *b)
{
    return a->is_upload == b->is_upload && hash_equal(&a->blob, &b->blob) &&
           (a->is_upload || (hash_equal(&a->sha256, &b->sha256) && hash_equal(&a->sm3, &b->sm3)));
}

bool bulk_can_report(const struct bulk *k)
{
    return k->reported_count + BULK_UPLOADS_MAX + BULK_FETCHES_MAX < BULK_REPORTED_MAX;
}

bool bulk_is_reported(const struct bulk *k, const struct bulk_finished *f)
{
    for (size_t i = 0; i < k->reported_count; i++)
        if (is_same(&k->reported[i].f, f))
            return true;
    return false;
}

void bulk_report(struct bulk *k, const struct bulk_finished *f)
{
    bool is_waiting = false;
    if (k->reported_count < BULK_REPORTED_MAX)
        k->reported[k->reported_count++] = (struct bulk_reported){.f = *f, .ms = k->now_ms};
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->finished_count; i++)
        is_waiting = is_waiting || is_same(&k->finished[i], f);
    /* Without room it is found unfinished in its table, and reported again. */
    if (!is_waiting && k->finished_count < BULK_REPORTED_MAX)
        k->finished[k->finished_count++] = *f;
    pthread_mutex_unlock(&k->lock);
    ring(k->to_turn);
}

size_t bulk_take_finished(struct node *node, struct bulk_finished *ret, size_t max)
{
    struct bulk *k = node->bulk;
    if (!k)
        return 0;
    hush(k->to_turn);
    pthread_mutex_lock(&k->lock);
    size_t n = k->finished_count < max ? k->finished_count : max;
    memcpy(ret, k->finished, n * sizeof *ret);
    k->finished_count -= n;
    memmove(k->finished, k->finished + n, k->finished_count * sizeof *ret);
    bool is_more = k->finished_count > 0;
    pthread_mutex_unlock(&k->lock);
    if (is_more)
        ring(k->to_turn);
    return n;
}

void bulk_wake(struct node *n)
{
    if (!n->bulk)
        return;
    pthread_mutex_lock(&n->bulk->lock);
    n->bulk->roster = n->roster;
    pthread_mutex_unlock(&n->bulk->lock);
    ring(n->bulk->to_thread);
}

int bulk_fd(const struct node *n)
{
    return n->bulk ? n->bulk->to_turn : -1;
}

/* ---- the tables ---- */

/* Whether the turn has not written yet what was reported. */
static int is_open(struct bulk *k, const struct bulk_finished *f, bool *ret)
{
    uint64_t n = 0;
    const struct db_value v[] = {DB_BLOB(hash_bytes(&f->blob)), DB_BLOB(hash_bytes(&f->sha256)),
                                 DB_BLOB(hash_bytes(&f->sm3))};
    int err =
        f->is_upload
            ? db_get_u64(k->db, 0, &n,
                         "SELECT count(*) FROM attachment_out WHERE blob = ?1 AND state = 1", v, 1)
            : db_get_u64(k->db, 0, &n,
                         "SELECT count(*) FROM attachment_in WHERE blob = ?1 AND state < 2"
                         " AND sha256 = ?2 AND sm3 = ?3",
                         v, 3);
    *ret = n > 0;
    return err;
}

/* Forget reports that were written down, and those that should have been long ago: these are made
 * again. */
static int tidy_reported(struct bulk *k)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < k->reported_count;) {
        bool keep = k->now_ms - k->reported[i].ms < REPORT_AGAIN_MS;
        if (keep)
            err = is_open(k, &k->reported[i].f, &keep);
        if (keep)
            i++;
        else
            k->reported[i] = k->reported[--k->reported_count];
    }
    return err;
}

static int look(struct bulk *k)
{
    k->look_ms = k->now_ms + LOOK_MS;
    int err = tidy_reported(k);
    if (!err)
        err = upload_refill(k);
    if (!err)
        err = fetch_refill(k);
    return err == COMITY_E_BUSY ? COMITY_OK : err;
}

enum { WALK_ROWS = 256 };

/* Show rows behind the cursor to ${take} until one needs a place and there is none. */
static int walk(struct bulk *k, struct bulk_lane *lane, const struct bulk_search *search,
                bool *ret_end)
{
    uint8_t from[HASH_LEN];
    bool is_full = false;
    size_t n = 0;
    int got = 0;
    struct db_rows *rows = NULL;
    memcpy(from, lane->cursor, sizeof from);
    int err = db_query(k->db, &rows, search->sql, DB_BLOB(BYTES(from, lane->cursor_len)),
                       DB_U64(WALK_ROWS));
    while (!err && !is_full && (got = db_next(rows)) == DB_ROW) {
        struct bytes blob = db_bytes(rows, 0);
        n++;
        if (blob.len == HASH_LEN)
            err = search->take(k, rows, &is_full);
        if (blob.len == HASH_LEN && !err && !is_full) {
            memcpy(lane->cursor, blob.data, HASH_LEN);
            lane->cursor_len = HASH_LEN;
        }
    }
    db_done(rows);
    lane->is_crowded = is_full;
    *ret_end = !is_full && n < WALK_ROWS;
    if (!is_full && n == WALK_ROWS)
        k->look_ms = k->now_ms;
    return err ? err : got < 0 ? got : COMITY_OK;
}

int bulk_search(struct bulk *k, struct bulk_lane *lane, const struct bulk_search *search)
{
    bool is_end = false;
    if (k->now_ms < lane->rest.due_ms) {
        if (lane->rest.due_ms < k->look_ms)
            k->look_ms = lane->rest.due_ms;
        return COMITY_OK;
    }
    bool is_whole = lane->cursor_len == 0;
    bool was_crowded = lane->is_crowded;
    int err = walk(k, lane, search, &is_end);
    if (err || !is_end)
        return err;
    lane->cursor_len = 0;
    if (is_whole)
        return COMITY_OK;
    /* All were tried in their turn. When nothing has moved there is no hurry to begin anew. */
    if (was_crowded && !lane->has_moved)
        bulk_pause_longer(&lane->rest, k->now_ms);
    else
        lane->rest = (struct bulk_pause){0};
    lane->has_moved = false;
    return walk(k, lane, search, &is_end);
}

/* ---- rounds ---- */

static int step_all(struct bulk *k, bool *ret_more)
{
    int err = COMITY_OK;
    *ret_more = false;
    for (size_t i = 0; !err && i < BULK_UPLOADS_MAX; i++)
        if (k->uploads[i].is_used)
            err = upload_step(k, &k->uploads[i], ret_more);
    for (size_t i = 0; !err && i < BULK_FETCHES_MAX; i++)
        if (k->fetches[i].is_used)
            err = fetch_step(k, &k->fetches[i], ret_more);
    return err;
}

static void sooner(int64_t *until, int64_t due, int64_t now)
{
    if (due > now && due < *until)
        *until = due;
}

static int timeout_ms(const struct bulk *k)
{
    int64_t now = k->now_ms;
    if (k->look_ms <= now)
        return 0;
    int64_t until = k->look_ms;
    if (!k->socket && k->endpoint)
        sooner(&until, k->link_due_ms > now ? k->link_due_ms : now + 1, now);
    for (size_t i = 0; i < BULK_UPLOADS_MAX; i++)
        if (k->uploads[i].is_used)
            sooner(&until, k->uploads[i].pause.due_ms, now);
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++)
        if (k->fetches[i].is_used)
            sooner(&until, k->fetches[i].pause.due_ms, now);
    if (line_waits(k) || (k->socket && !k->is_connected))
        sooner(&until, now + TICK_MS, now);
    return (int)(until - now);
}

static int take_orders(struct bulk *k, bool *ret_stop)
{
    hush(k->to_thread);
    pthread_mutex_lock(&k->lock);
    *ret_stop = k->is_stopping;
    pthread_mutex_unlock(&k->lock);
    k->look_ms = k->now_ms;
    return line_look(k);
}

static int wait_for(struct bulk *k, bool has_more, struct link_poll_item items[2])
{
    unsigned out = k->is_blocked ? LINK_OUT : 0;
    items[0] = (struct link_poll_item){.fd = k->to_thread, .events = LINK_IN};
    items[1] = (struct link_poll_item){
        .socket = k->socket, .fd = -1, .events = LINK_IN | LINK_STATE | out};
    int err = link_poll(items, 2, has_more ? 0 : timeout_ms(k));
    k->now_ms = clock_mono_ms(&clock_system);
    if (items[1].ready & LINK_OUT)
        k->is_blocked = false;
    return err;
}

static int loop(struct bulk *k)
{
    bool is_stopping = false;
    bool has_more = false;
    k->now_ms = clock_mono_ms(&clock_system);
    int err = fetch_tidy(k);
    if (!err)
        err = take_orders(k, &is_stopping);
    while (!err && !is_stopping) {
        struct link_poll_item items[2];
        err = wait_for(k, has_more, items);
        if (!err && items[0].ready)
            err = take_orders(k, &is_stopping);
        if (!err)
            err = line_run(k);
        if (!err && k->socket)
            err = line_take(k);
        line_watch(k);
        if (!err && k->look_ms <= k->now_ms)
            err = look(k);
        if (!err)
            err = step_all(k, &has_more);
    }
    for (size_t i = 0; !err && i < BULK_FETCHES_MAX; i++)
        if (k->fetches[i].is_used)
            err = part_sync(&k->fetches[i]);
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

static void bulk_free(struct bulk *k)
{
    for (size_t i = 0; i < BULK_UPLOADS_MAX; i++)
        upload_free(&k->uploads[i]);
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++)
        fetch_free(&k->fetches[i]);
    db_close(k->db);
    arena_free(k->arena);
    free(k->dir);
    free(k->endpoint);
    if (k->plain)
        wipe(k->plain, BLOB_PLAIN);
    free(k->plain);
    free(k->sealed);
    if (k->to_thread >= 0)
        close(k->to_thread);
    if (k->to_turn >= 0)
        close(k->to_turn);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static int prepare(struct bulk *k)
{
    k->to_thread = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->to_turn = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (k->to_thread < 0 || k->to_turn < 0)
        return COMITY_E_LIMIT;
    k->dir = site_path(k->node->site, "files/fetch");
    k->arena = arena_new(ARENA_MAX);
    k->plain = malloc(BLOB_PLAIN);
    k->sealed = malloc(BLOB_SEALED);
    char *db = site_path(k->node->site, "ledger.db");
    int err = k->dir && k->arena && k->plain && k->sealed && db ? COMITY_OK : COMITY_E_NOMEM;
    if (!err)
        err = file_mkdirs(k->dir, 0700);
    if (!err)
        err = db_open(db, DB_READ, &k->db);
    free(db);
    return err;
}

int bulk_start(struct node *n)
{
    struct bulk *k = calloc(1, sizeof *k);
    if (!k)
        return COMITY_E_NOMEM;
    pthread_mutex_init(&k->lock, NULL);
    k->node = n;
    k->roster = n->roster;
    k->to_thread = k->to_turn = -1;
    for (size_t i = 0; i < BULK_UPLOADS_MAX; i++)
        k->uploads[i].fd = -1;
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++)
        k->fetches[i].fd = k->fetches[i].have_fd = -1;
    int err = prepare(k);
    if (!err && pthread_create(&k->thread, NULL, run, k) != 0)
        err = COMITY_E_LIMIT;
    if (err) {
        bulk_free(k);
        return err;
    }
    n->bulk = k;
    return COMITY_OK;
}

void bulk_stop(struct node *n)
{
    struct bulk *k = n->bulk;
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    k->is_stopping = true;
    pthread_mutex_unlock(&k->lock);
    ring(k->to_thread);
    pthread_join(k->thread, NULL);
    n->bulk = NULL;
    bulk_free(k);
}
