/*
 * Durable files, locks and paths. See file.h.
 */
#include "base/file.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int file_err(int errno_value)
{
    switch (errno_value) {
    case 0:
        return COMITY_OK;
    case ENOENT:
    case ENOTDIR:
        return COMITY_E_NOT_FOUND;
    case EEXIST:
        return COMITY_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return COMITY_E_PERMISSION;
    case ENOSPC:
    case EDQUOT:
        return COMITY_E_DISK_FULL;
    case ENOMEM:
        return COMITY_E_NOMEM;
    case EMFILE:
    case ENFILE:
        return COMITY_E_FILES;
    default:
        return COMITY_E_IO;
    }
}

static int read_fd(int fd, size_t max, struct buf *out)
{
    size_t start = out->len;
    for (;;) {
        enum { STEP = 64 * 1024 };
        uint8_t *to = buf_reserve(out, STEP);
        if (!to)
            return COMITY_E_NOMEM;
        ssize_t n = read(fd, to, STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_err(errno);
        if (n == 0)
            return COMITY_OK;
        out->len += (size_t)n;
        if (out->len - start > max)
            return COMITY_E_TOO_LARGE;
    }
}

static int read_file(const char *path, size_t max, bool is_private, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_err(errno);
    struct stat st;
    int err = fstat(fd, &st) == 0 ? COMITY_OK : file_err(errno);
    if (!err && S_ISDIR(st.st_mode))
        err = COMITY_E_INVALID; /* before its mode is told to be changed */
    if (!err && is_private && (st.st_mode & 077) != 0)
        err = COMITY_E_PUBLIC_KEY_FILE;
    if (!err)
        err = read_fd(fd, max, out);
    close(fd);
    return err;
}

int file_read(const char *path, size_t max, struct buf *out)
{
    return read_file(path, max, false, out);
}

int file_read_private(const char *path, size_t max, struct buf *out)
{
    return read_file(path, max, true, out);
}

int file_sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_err(errno);
    int err = fsync(fd) == 0 ? COMITY_OK : COMITY_E_IO;
    close(fd);
    return err;
}

static int sync_parent(const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return COMITY_E_NOMEM;
    int err = file_sync_dir(dirname(copy));
    free(copy);
    return err;
}

int file_pwrite_all(int fd, struct bytes data, off_t off)
{
    while (data.len) {
        ssize_t n = pwrite(fd, data.data, data.len, off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_err(errno);
        data = BYTES(data.data + n, data.len - (size_t)n);
        off += n;
    }
    return COMITY_OK;
}

int file_pread_all(int fd, uint8_t *ret, size_t len, off_t off)
{
    while (len) {
        ssize_t n = pread(fd, ret, len, off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_err(errno);
        if (n == 0)
            return COMITY_E_IO;
        ret += n;
        len -= (size_t)n;
        off += n;
    }
    return COMITY_OK;
}

/* Write ${content} durably to a fresh temporary file beside ${path}; its name into ${ret_tmp}, to
 * be freed. */
static int write_beside(const char *path, struct bytes content, mode_t mode, char **ret_tmp)
{
    char *tmp = NULL;
    if (asprintf(&tmp, "%s.tmp-%ld", path, (long)getpid()) < 0)
        return COMITY_E_NOMEM;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        int err = file_err(errno);
        free(tmp);
        return err;
    }
    int err = file_pwrite_all(fd, content, 0);
    if (!err && fsync(fd) != 0)
        err = COMITY_E_IO;
    if (close(fd) != 0 && !err)
        err = file_err(errno);
    if (err) {
        unlink(tmp);
        free(tmp);
        return err;
    }
    *ret_tmp = tmp;
    return COMITY_OK;
}

int file_write(const char *path, struct bytes content, mode_t mode)
{
    char *tmp = NULL;
    int err = write_beside(path, content, mode, &tmp);
    if (err)
        return err;
    if (rename(tmp, path) != 0) {
        err = file_err(errno);
        unlink(tmp);
    } else {
        err = sync_parent(path);
    }
    free(tmp);
    return err;
}

int file_create(const char *path, struct bytes content, mode_t mode)
{
    char *tmp = NULL;
    int err = write_beside(path, content, mode, &tmp);
    if (err)
        return err;
    if (link(tmp, path) != 0)
        err = file_err(errno);
    unlink(tmp);
    free(tmp);
    return err ? err : sync_parent(path);
}

int file_settle(const char *from, const char *to)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_err(errno);
    int err = fsync(fd) == 0 ? COMITY_OK : COMITY_E_IO;
    close(fd);
    if (err)
        return err;
    if (rename(from, to) != 0)
        return file_err(errno);
    return sync_parent(to);
}

int file_mkdirs(const char *dir, mode_t mode)
{
    char path[PATH_MAX];
    size_t len = strlen(dir);
    if (len == 0 || len >= sizeof path)
        return COMITY_E_INVALID;
    memcpy(path, dir, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char kept = path[i];
        path[i] = '\0';
        if (mkdir(path, mode) == 0) {
            int err = sync_parent(path);
            if (err)
                return err;
        } else if (errno != EEXIST) {
            return file_err(errno);
        }
        path[i] = kept;
    }
    struct stat st;
    if (stat(dir, &st) != 0)
        return file_err(errno);
    return S_ISDIR(st.st_mode) ? COMITY_OK : COMITY_E_EXISTS;
}

int file_lock(const char *path, int *ret_fd)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_err(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int err = errno == EWOULDBLOCK ? COMITY_E_BUSY : file_err(errno);
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return COMITY_OK;
}

char *file_path(const char *dir, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}
