/*
 * What the store's tests share: a folder of their own, a look at raw files, and a disk whose syncs
 * fail on demand.
 *
 * To be included once, by the one file that a test program has: it defines fsync and fdatasync,
 * which SQLite then calls.
 */
#ifndef STORE_SUPPORT_H
#define STORE_SUPPORT_H

#include "base/file.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static bool sync_fails;
static const char *fail_syncs_of; /* one file's only */
static unsigned sync_count;
static char sync_log[512]; /* the names of what was synced, in order */

static bool is_failing(int fd)
{
    if (!fail_syncs_of)
        return sync_fails;
    struct stat a;
    struct stat b;
    return fstat(fd, &a) == 0 && stat(fail_syncs_of, &b) == 0 && a.st_ino == b.st_ino;
}

static void log_sync(int fd)
{
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (strlen(sync_log) + strlen(name) + 2 <= sizeof sync_log)
        strcat(strcat(sync_log, name), " ");
}

static inline void sync_log_start(void)
{
    sync_log[0] = '\0';
}

static int sync_or_fail(int fd, long call)
{
    sync_count++;
    log_sync(fd);
    if (is_failing(fd)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_or_fail(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_or_fail(fd, SYS_fdatasync);
}

static inline int make_dir_in(const char *parent, void **state)
{
    char *dir = NULL;
    if (asprintf(&dir, "%s/comity-store-XXXXXX", parent) < 0)
        return -1;
    if (mkdtemp(dir)) {
        *state = dir;
        return 0;
    }
    free(dir);
    return -1;
}

/* The test's folder is its *state. */
static inline int make_dir(void **state)
{
    return make_dir_in("/tmp", state);
}

/* In memory, where there is such a place: for what needs many turns and no disk. */
static inline int make_fast_dir(void **state)
{
    return make_dir_in("/dev/shm", state) == 0 ? 0 : make_dir(state);
}

static int remove_dir(void **state)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    sync_fails = false;
    fail_syncs_of = NULL;
    int rc = system(command);
    free(*state);
    return rc;
}

/* "${dir}/${name}", in one of a few buffers that take turns. */
static const char *in_dir(void **state, const char *name)
{
    static char paths[8][PATH_MAX];
    static size_t turn;
    char *path = paths[turn++ % 8];
    snprintf(path, PATH_MAX, "%s/%s", (char *)*state, name);
    return path;
}

static inline size_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static inline bool file_contains(const char *path, const char *text)
{
    struct buf all = BUF_INIT;
    int err = file_read(path, 1u << 30, &all);
    bool yes = !err && memmem(all.data, all.len, text, strlen(text));
    buf_free(&all);
    return yes;
}

static inline void overwrite(const char *path, size_t off, int byte, size_t len)
{
    uint8_t bytes[4096];
    assert_true(len <= sizeof bytes);
    memset(bytes, byte, len);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(file_pwrite_all(fd, BYTES(bytes, len), (off_t)off), 0);
    close(fd);
}

#endif
