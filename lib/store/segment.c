/*
 * Segment files on the disk. See segment.h.
 */
#include "store/segment.h"

#include "base/file.h"
#include "base/text.h"

#include <comity/err.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_MAX_FDS = 16, ZEROS = 64 * 1024 };

struct open_segment {
    uint64_t id; /* 0: free */
    int fd;
    uint64_t last_use;
};

struct tail {
    uint64_t id;
    uint64_t end;
};

struct segments {
    char *folder;
    uint64_t max;
    struct tail now;       /* where the next append goes */
    struct tail committed; /* where a rollback goes back to */
    int fd;                /* of now.id; -1 while that is 0 */
    bool is_dirty;
    uint64_t uses;
    struct open_segment readers[OPEN_MAX_FDS];
};

struct segments *segments_new(const char *folder)
{
    struct segments *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->fd = -1;
    g->max = SEGMENT_MAX;
    g->folder = strdup(folder);
    if (g->folder)
        return g;
    free(g);
    return NULL;
}

static void forget_reader(struct open_segment *o)
{
    if (o->id)
        close(o->fd);
    *o = (struct open_segment){0};
}

void segments_free(struct segments *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < OPEN_MAX_FDS; i++)
        forget_reader(&g->readers[i]);
    if (g->fd >= 0)
        close(g->fd);
    free(g->folder);
    free(g);
}

void segments_set_max(struct segments *g, uint64_t max)
{
    g->max = max;
}

static int segment_path(const struct segments *g, uint64_t id, char ret[static PATH_MAX])
{
    int n = snprintf(ret, PATH_MAX, "%s/%06" PRIu64, g->folder, id);
    return n > 0 && n < PATH_MAX ? COMITY_OK : COMITY_E_INVALID;
}

static int open_segment(const struct segments *g, uint64_t id, int flags, int *ret_fd)
{
    char path[PATH_MAX];
    int err = segment_path(g, id, path);
    if (err)
        return err;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return file_err(errno);
    *ret_fd = fd;
    return COMITY_OK;
}

static void unlink_segment(const struct segments *g, uint64_t id)
{
    char path[PATH_MAX];
    if (segment_path(g, id, path) == COMITY_OK)
        unlink(path);
}

/* ---- at the start ---------------------------------------------------------------------------- */

int segments_cut(struct segments *g, uint64_t id, uint64_t end)
{
    int fd = -1;
    int err = open_segment(g, id, O_RDWR, &fd);
    if (err)
        return err == COMITY_E_NOT_FOUND ? COMITY_E_LEDGER_DAMAGED : err;
    struct stat st;
    if (fstat(fd, &st) != 0)
        err = file_err(errno);
    else if ((uint64_t)st.st_size < end)
        err = COMITY_E_LEDGER_DAMAGED;
    else if ((uint64_t)st.st_size > end && (ftruncate(fd, (off_t)end) != 0 || fsync(fd) != 0))
        err = COMITY_E_IO;
    close(fd);
    return err;
}

/* Our own names only: digits, at least six. */
static bool is_segment_name(const char *name, uint64_t *ret_id)
{
    size_t zeros = strspn(name, "0");
    return strlen(name) >= 6 && text_get_u64(bytes_of(name + zeros), ret_id) == COMITY_OK;
}

int segments_sweep(struct segments *g, int (*is_known)(void *self, uint64_t id), void *self)
{
    DIR *dir = opendir(g->folder);
    if (!dir)
        return errno == ENOENT ? COMITY_OK : file_err(errno);
    int err = COMITY_OK;
    for (struct dirent *d = readdir(dir); d && !err; d = readdir(dir)) {
        uint64_t id = 0;
        if (!is_segment_name(d->d_name, &id))
            continue;
        int known = is_known(self, id);
        if (known < 0)
            err = known;
        else if (known == 0 && unlinkat(dirfd(dir), d->d_name, 0) != 0)
            err = file_err(errno);
    }
    closedir(dir);
    return err;
}

int segments_resume(struct segments *g, uint64_t id, uint64_t end)
{
    int fd = -1;
    int err = id ? open_segment(g, id, O_RDWR, &fd) : COMITY_OK;
    if (err)
        return err;
    if (g->fd >= 0)
        close(g->fd);
    g->fd = fd;
    g->now = (struct tail){.id = id, .end = end};
    g->committed = g->now;
    g->is_dirty = false;
    return COMITY_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

int segments_sync(struct segments *g)
{
    if (!g->is_dirty)
        return COMITY_OK;
    if (fdatasync(g->fd) != 0)
        return COMITY_E_IO;
    g->is_dirty = false;
    return COMITY_OK;
}

/* A file of that number can only be left from a rollback that could not remove it. */
static int create_segment(struct segments *g, uint64_t id, int *ret_fd)
{
    int fd = -1;
    int err = file_mkdirs(g->folder, 0750);
    if (!err)
        err = open_segment(g, id, O_RDWR | O_CREAT | O_TRUNC, &fd);
    if (err)
        return err;
    err = file_sync_dir(g->folder);
    if (err) {
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return COMITY_OK;
}

static int rotate(struct segments *g)
{
    int fd = -1;
    int err = segments_sync(g);
    if (!err)
        err = create_segment(g, g->now.id + 1, &fd);
    if (err)
        return err;
    if (g->fd >= 0)
        close(g->fd);
    g->fd = fd;
    g->now = (struct tail){.id = g->now.id + 1};
    return COMITY_OK;
}

int segments_append(struct segments *g, struct bytes content, struct place *ret)
{
    if (content.len > g->max)
        return COMITY_E_TOO_LARGE;
    if (g->fd < 0 || g->now.end + content.len > g->max) {
        int err = rotate(g);
        if (err)
            return err;
    }
    g->is_dirty = true;
    int err = file_pwrite_all(g->fd, content, (off_t)g->now.end);
    if (err)
        return err;
    *ret = (struct place){.segment = g->now.id, .off = g->now.end, .len = content.len};
    g->now.end += content.len;
    return COMITY_OK;
}

void segments_committed(struct segments *g)
{
    g->committed = g->now;
}

void segments_roll_back(struct segments *g)
{
    for (uint64_t id = g->now.id; id > g->committed.id; id--)
        segments_remove(g, id);
    /* What resists being cut off is overwritten by the next turn, or cut off at the next start. */
    if (g->now.id != g->committed.id && segments_resume(g, g->committed.id, g->committed.end)) {
        close(g->fd);
        g->fd = -1;
    }
    if (g->fd >= 0)
        (void)!ftruncate(g->fd, (off_t)g->committed.end);
    g->is_dirty = false;
    g->now = g->committed;
}

static int overwrite(int fd, const struct place *at)
{
    static const uint8_t zeros[ZEROS];
    for (uint64_t done = 0; done < at->len;) {
        uint64_t n = at->len - done < ZEROS ? at->len - done : ZEROS;
        int err = file_pwrite_all(fd, BYTES(zeros, n), (off_t)(at->off + done));
        if (err)
            return err;
        done += n;
    }
    return fdatasync(fd) == 0 ? COMITY_OK : COMITY_E_IO;
}

int segments_overwrite(struct segments *g, const struct place *at)
{
    int fd = -1;
    int err = open_segment(g, at->segment, O_RDWR, &fd);
    if (err)
        return err;
    err = overwrite(fd, at);
    close(fd);
    return err;
}

void segments_punch(struct segments *g, const struct place *at)
{
    int fd = -1;
    if (at->len == 0 || open_segment(g, at->segment, O_RDWR, &fd))
        return;
    (void)!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at->off,
                     (off_t)at->len);
    close(fd);
}

void segments_remove(struct segments *g, uint64_t id)
{
    for (size_t i = 0; i < OPEN_MAX_FDS; i++)
        if (g->readers[i].id == id)
            forget_reader(&g->readers[i]);
    unlink_segment(g, id);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A descriptor that stays open for the next reads, in place of the one that was not used for
 * longest. */
static int reader_of(struct segments *g, uint64_t id, int *ret_fd)
{
    struct open_segment *oldest = &g->readers[0];
    for (size_t i = 0; i < OPEN_MAX_FDS; i++) {
        struct open_segment *o = &g->readers[i];
        if (o->id == id) {
            o->last_use = ++g->uses;
            *ret_fd = o->fd;
            return COMITY_OK;
        }
        if (o->last_use < oldest->last_use)
            oldest = o;
    }
    int fd = -1;
    int err = open_segment(g, id, O_RDONLY, &fd);
    if (err)
        return err;
    forget_reader(oldest);
    *oldest = (struct open_segment){.id = id, .fd = fd, .last_use = ++g->uses};
    *ret_fd = fd;
    return COMITY_OK;
}

static bool ends_before(int fd, const struct place *at)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (uint64_t)st.st_size < at->off + at->len;
}

int segments_read(struct segments *g, const struct place *at, struct buf *out)
{
    /* Nothing larger was ever written: a damaged row must not make us reserve what it says. */
    if (at->segment == 0 || at->len > SEGMENT_MAX || at->off > SEGMENT_MAX)
        return COMITY_E_LEDGER_DAMAGED;
    int fd = g->fd;
    int err = at->segment == g->now.id ? COMITY_OK : reader_of(g, at->segment, &fd);
    if (err)
        return err;
    uint8_t *to = buf_reserve(out, at->len);
    if (!to)
        return COMITY_E_NOMEM;
    err = file_pread_all(fd, to, at->len, (off_t)at->off);
    if (err)
        return err == COMITY_E_IO && ends_before(fd, at) ? COMITY_E_LEDGER_DAMAGED : err;
    out->len += at->len;
    return COMITY_OK;
}

uint64_t segments_disk_bytes(struct segments *g)
{
    uint64_t sum = 0;
    DIR *dir = opendir(g->folder);
    if (!dir)
        return 0;
    for (struct dirent *d = readdir(dir); d; d = readdir(dir)) {
        struct stat st;
        if (d->d_name[0] != '.' && fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            sum += (uint64_t)st.st_blocks * 512;
    }
    closedir(dir);
    return sum;
}
