/*
 * The folder files/, and the thread that writes to it what officers bring in. See files.h.
 *
 * The turn's thread hands over pieces of work and takes back their outcomes; two lists and a mutex
 * between them, and an eventfd for its loop. A stream is used by one of the two threads at a time:
 * whatever is asked of it waits in the one list, in order, so that the worker needs no lock while
 * it writes, hashes, or syncs.
 */
#include "files.h"

#include "base/file.h"
#include "base/text.h"
#include "msg/control.h"
#include "node.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the folder ---- */

static int empty_dir(const char *dir)
{
    DIR *d = opendir(dir);
    int err = d ? COMITY_OK : file_err(errno);
    for (struct dirent *e = NULL; !err && (e = readdir(d));)
        if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0))
            err = file_err(errno);
    if (d)
        closedir(d);
    return err;
}

int files_prepare(const struct site *s)
{
    char *dir = site_path(s, "files/tmp");
    int err = dir ? file_mkdirs(dir, 0700) : COMITY_E_NOMEM;
    if (!err)
        err = empty_dir(dir);
    free(dir);
    return err;
}

char *files_path(const struct node *n, const struct hash *sha256)
{
    struct buf name = BUF_INIT;
    buf_put_str(&name, "files/");
    text_put_hex(&name, hash_bytes(sha256));
    char *path = buf_check(&name) ? NULL : site_path(n->site, buf_str(&name));
    buf_free(&name);
    return path;
}

/* A path in files/tmp/ for ${name}, which nobody else uses. */
static char *tmp_path(const struct node *n, const char *name)
{
    char *dir = site_path(n->site, "files/tmp");
    char *path = dir ? file_path(dir, name) : NULL;
    free(dir);
    return path;
}

bool files_has(const struct node *n, const struct hash *sha256, uint64_t len)
{
    struct stat st;
    char *path = files_path(n, sha256);
    bool has = path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == len;
    free(path);
    return has;
}

int files_settle(const struct node *n, const char *tmp, const struct hash *sha256)
{
    char *path = files_path(n, sha256);
    int err = path ? file_settle(tmp, path) : COMITY_E_NOMEM;
    free(path);
    return err;
}

/* ---- streams and work ---- */

struct files_stream {
    struct files *files;
    void *owner;
    /* the worker's */
    int fd;
    char *path; /* of what is being written; NULL for reading */
    struct file_digest *digest;
    struct hash sha256; /* of what is being read */
    uint64_t len;
    uint64_t at;
    int err; /* what went wrong first: nothing more is done */
    /* under the mutex */
    bool is_dropped;
    size_t pending; /* pieces of work in either list, and the one at hand */
};

struct work {
    STAILQ_ENTRY(work) next;
    struct files_done done;
    struct buf in; /* FILES_CHUNK */
};

STAILQ_HEAD(work_list, work);

struct files {
    struct node *node;
    const struct suite *suite;
    int event;
    pthread_t thread;
    bool is_running;
    uint64_t named; /* temporary files so far */
    volatile int stop;

    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct work_list asked;
    struct work_list ended;
};

static void stream_free(struct files_stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    if (s->path)
        unlink(s->path); /* gone already when it was settled */
    file_digest_free(s->digest);
    free(s->path);
    free(s);
}

static void work_free(struct work *w)
{
    buf_free(&w->in);
    buf_free(&w->done.chunk);
    wipe(w->done.secret, sizeof w->done.secret);
    free(w);
}

/* Under the mutex: one piece of work less. */
static void unpend(struct files_stream *s)
{
    if (--s->pending == 0 && s->is_dropped)
        stream_free(s);
}

/* ---- the worker's side ---- */

static int do_chunk(struct files_stream *s, struct work *w)
{
    if (w->in.len > s->len - s->at)
        return COMITY_E_INVALID;
    if (s->fd < 0) {
        s->fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
        if (s->fd < 0)
            return file_err(errno);
    }
    int err = file_pwrite_all(s->fd, buf_bytes(&w->in), (off_t)s->at);
    if (err)
        return err;
    file_digest_add(s->digest, buf_bytes(&w->in));
    s->at += w->in.len;
    return COMITY_OK;
}

static int blob_id(struct files *f, struct files_stream *s, struct files_done *d)
{
    uint8_t key[32];
    struct blob_tree *tree = NULL;
    random_bytes(d->secret, sizeof d->secret);
    blob_key(d->secret, &d->sha256, s->len, key);
    int err = blob_tree_of_file(f->suite, s->fd, s->len, key, &f->stop, &tree);
    if (!err)
        err = blob_tree_root(tree, &d->blob);
    blob_tree_free(tree);
    wipe(key, sizeof key);
    return err;
}

static int do_end(struct files *f, struct files_stream *s, struct work *w)
{
    struct work nothing = {0};
    int err = s->at == s->len ? COMITY_OK : COMITY_E_INVALID;
    if (!err && s->fd < 0) /* an empty file */
        err = do_chunk(s, &nothing);
    if (err)
        return err;
    file_digest_finish(s->digest, &w->done.sha256, &w->done.sm3);
    err = blob_id(f, s, &w->done);
    return err ? err : files_settle(f->node, s->path, &w->done.sha256);
}

static int do_read(struct files *f, struct files_stream *s, struct work *w)
{
    if (s->fd < 0) {
        char *path = files_path(f->node, &s->sha256);
        s->fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        int err = s->fd >= 0 ? COMITY_OK : path ? file_err(errno) : COMITY_E_NOMEM;
        free(path);
        if (err)
            return err;
    }
    uint64_t left = s->len - s->at;
    size_t n = left < CONTROL_CHUNK_MAX ? (size_t)left : CONTROL_CHUNK_MAX;
    uint8_t *room = buf_reserve(&w->done.chunk, n);
    if (!room)
        return COMITY_E_NOMEM;
    int err = file_pread_all(s->fd, room, n, (off_t)s->at);
    if (err)
        return err;
    w->done.chunk.len += n;
    s->at += n;
    return COMITY_OK;
}

static void do_work(struct files *f, struct work *w)
{
    struct files_stream *s = w->done.stream;
    if (!s->err)
        s->err = w->done.what == FILES_CHUNK ? do_chunk(s, w)
                 : w->done.what == FILES_END ? do_end(f, s, w)
                                             : do_read(f, s, w);
    w->done.err = s->err;
    w->done.at = s->at;
    buf_free(&w->in);
}

static void *run(void *arg)
{
    struct files *f = arg;
    pthread_mutex_lock(&f->mutex);
    while (!f->stop) {
        struct work *w = STAILQ_FIRST(&f->asked);
        if (!w) {
            pthread_cond_wait(&f->wake, &f->mutex);
            continue;
        }
        STAILQ_REMOVE_HEAD(&f->asked, next);
        bool is_dropped = w->done.stream->is_dropped;
        pthread_mutex_unlock(&f->mutex);
        if (!is_dropped)
            do_work(f, w);
        pthread_mutex_lock(&f->mutex);
        STAILQ_INSERT_TAIL(&f->ended, w, next);
        uint64_t one = 1;
        if (write(f->event, &one, sizeof one) < 0)
            continue; /* the counter is full: it is readable anyway */
    }
    pthread_mutex_unlock(&f->mutex);
    return NULL;
}

/* ---- the turn's side ---- */

int files_start(struct node *n, struct files **ret)
{
    struct files *f = calloc(1, sizeof *f);
    if (!f)
        return COMITY_E_NOMEM;
    f->node = n;
    f->suite = ledger_suite(n->ledger);
    STAILQ_INIT(&f->asked);
    STAILQ_INIT(&f->ended);
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->wake, NULL);
    f->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int err = f->event < 0 ? file_err(errno) : files_prepare(n->site);
    if (!err && pthread_create(&f->thread, NULL, run, f))
        err = COMITY_E_NOMEM;
    f->is_running = !err;
    if (err) {
        files_stop(f);
        return err;
    }
    *ret = f;
    return COMITY_OK;
}

static void drop_list(struct work_list *list)
{
    for (struct work *w = NULL; (w = STAILQ_FIRST(list));) {
        STAILQ_REMOVE_HEAD(list, next);
        unpend(w->done.stream);
        work_free(w);
    }
}

void files_stop(struct files *f)
{
    if (!f)
        return;
    if (f->is_running) {
        pthread_mutex_lock(&f->mutex);
        f->stop = 1;
        pthread_cond_signal(&f->wake);
        pthread_mutex_unlock(&f->mutex);
        pthread_join(f->thread, NULL);
    }
    drop_list(&f->asked);
    drop_list(&f->ended);
    if (f->event >= 0)
        close(f->event);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->mutex);
    free(f);
}

int files_fd(const struct files *f)
{
    return f->event;
}

static struct files_stream *stream_new(struct files *f, uint64_t len)
{
    struct files_stream *s = calloc(1, sizeof *s);
    if (s)
        *s = (struct files_stream){.files = f, .fd = -1, .len = len};
    return s;
}

struct files_stream *files_begin(struct files *f, uint64_t len)
{
    struct files_stream *s = stream_new(f, len);
    char name[32];
    if (!s)
        return NULL;
    snprintf(name, sizeof name, "in-%llu", (unsigned long long)++f->named);
    s->path = tmp_path(f->node, name);
    s->digest = file_digest_new();
    if (!s->path || !s->digest) {
        stream_free(s);
        return NULL;
    }
    return s;
}

struct files_stream *files_open(struct files *f, const struct hash *sha256, uint64_t len)
{
    struct files_stream *s = stream_new(f, len);
    if (s)
        s->sha256 = *sha256;
    return s;
}

void files_set_owner(struct files_stream *s, void *owner)
{
    s->owner = owner;
}

void files_drop(struct files *f, struct files_stream *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&f->mutex);
    s->is_dropped = true;
    if (s->pending == 0)
        stream_free(s);
    pthread_mutex_unlock(&f->mutex);
}

int files_ask(struct files *f, struct files_stream *s, enum files_work what, uint64_t id,
              struct bytes chunk)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w)
        return COMITY_E_NOMEM;
    w->done = (struct files_done){.stream = s, .owner = s->owner, .what = what, .id = id};
    buf_put_bytes(&w->in, chunk);
    if (buf_check(&w->in)) {
        work_free(w);
        return COMITY_E_NOMEM;
    }
    pthread_mutex_lock(&f->mutex);
    s->pending++;
    STAILQ_INSERT_TAIL(&f->asked, w, next);
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->mutex);
    return COMITY_OK;
}

bool files_take(struct files *f, struct files_done *ret)
{
    uint64_t count = 0;
    bool found = false;
    if (read(f->event, &count, sizeof count) < 0 && errno != EAGAIN)
        return false;
    pthread_mutex_lock(&f->mutex);
    for (struct work *w = NULL; !found && (w = STAILQ_FIRST(&f->ended));) {
        STAILQ_REMOVE_HEAD(&f->ended, next);
        found = !w->done.stream->is_dropped;
        unpend(w->done.stream);
        if (found) {
            *ret = w->done;
            w->done.chunk = BUF_INIT;
        }
        work_free(w);
    }
    pthread_mutex_unlock(&f->mutex);
    return found;
}
