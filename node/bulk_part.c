/*
 * A file that is being fetched, in files/fetch/. See bulk_parts.h.
 *
 *     <blob id, hex>-<tag>.part    the plain blocks so far
 *     <blob id, hex>-<tag>.have    u64be number of blocks that are durable
 *
 * The tag stands for what the record says of the blob, so that what one record makes of it is never
 * continued by another. The number is written after the blocks that it counts were synced: however
 * the process or the machine ends, what it says is there, and the fetch goes on behind it. It is
 * not synced itself: an older one only means a few blocks more. And nothing depends on it alone,
 * for a complete file is held against its digests from the first byte to the last.
 */
#include "bulk_parts.h"

#include "base/file.h"
#include "base/text.h"
#include "files.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAG_LEN = 8, HAVE_LEN = 8 };

/* The path of a blob's file in files/fetch/; NULL without memory. */
static char *part_path(const struct bulk *k, const struct fetch_facts *facts, const char *suffix)
{
    struct hash tag;
    struct buf name = BUF_INIT;
    hash_of(facts->suite, &tag, BYTES(facts->key, sizeof facts->key), hash_bytes(&facts->sha256),
            hash_bytes(&facts->sm3));
    text_put_hex(&name, hash_bytes(&facts->blob));
    buf_put_u8(&name, '-');
    text_put_hex(&name, BYTES(tag.b, TAG_LEN));
    buf_put_str(&name, suffix);
    char *path = buf_check(&name) ? NULL : file_path(k->dir, buf_str(&name));
    buf_free(&name);
    return path;
}

static int open_one(const struct bulk *k, const struct fetch_facts *facts, const char *suffix,
                    bool make, int *ret_fd)
{
    char *path = part_path(k, facts, suffix);
    if (!path)
        return COMITY_E_NOMEM;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
    int err = fd < 0 ? file_err(errno) : COMITY_OK;
    free(path);
    if (!err)
        *ret_fd = fd;
    return err;
}

static int open_both(struct bulk *k, struct fetch *f, bool make)
{
    int err = open_one(k, &f->facts, ".part", make, &f->fd);
    if (err)
        return err;
    err = open_one(k, &f->facts, ".have", make, &f->have_fd);
    if (err) {
        close(f->fd);
        f->fd = -1;
    }
    return err;
}

/* Plain bytes in the first ${n} blocks. */
static uint64_t bytes_in(const struct fetch *f, uint64_t n)
{
    return n < f->blocks ? n * BLOB_PLAIN : f->facts.len;
}

int part_open(struct bulk *k, struct fetch *f)
{
    uint8_t have[HAVE_LEN];
    struct stat st;
    f->next = f->synced = f->asked = 0;
    f->is_resumed = false;
    int err = open_both(k, f, false);
    if (err)
        return err == COMITY_E_NOT_FOUND ? COMITY_OK : err;
    ssize_t got = pread(f->have_fd, have, sizeof have, 0);
    if (got < 0 || fstat(f->fd, &st) != 0)
        return COMITY_E_IO;
    uint64_t n = got == HAVE_LEN ? get_u64be(have) : 0;
    if (n > f->blocks || (uint64_t)st.st_size < bytes_in(f, n))
        n = 0;
    f->next = f->synced = f->asked = n;
    f->is_resumed = n > 0;
    return COMITY_OK;
}

int part_put(struct bulk *k, struct fetch *f, struct bytes plain)
{
    int err = f->fd >= 0 ? COMITY_OK : open_both(k, f, true);
    if (!err)
        err = file_pwrite_all(f->fd, plain, (off_t)(f->next * BLOB_PLAIN));
    if (!err)
        f->next++;
    return err;
}

int part_sync(struct fetch *f)
{
    uint8_t have[HAVE_LEN];
    if (f->synced == f->next)
        return COMITY_OK;
    if (fdatasync(f->fd) != 0)
        return COMITY_E_IO;
    put_u64be(have, f->next);
    int err = file_pwrite_all(f->have_fd, BYTES(have, sizeof have), 0);
    if (!err)
        f->synced = f->next;
    return err == COMITY_E_DISK_FULL ? COMITY_OK : err;
}

static void close_both(struct fetch *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->have_fd >= 0)
        close(f->have_fd);
    f->fd = f->have_fd = -1;
}

static int remove_one(const struct bulk *k, const struct fetch_facts *facts, const char *suffix)
{
    char *path = part_path(k, facts, suffix);
    if (!path)
        return COMITY_E_NOMEM;
    int err = unlink(path) == 0 || errno == ENOENT ? COMITY_OK : file_err(errno);
    free(path);
    return err;
}

int part_settle(struct bulk *k, struct fetch *f)
{
    char *path = part_path(k, &f->facts, ".part");
    if (!path)
        return COMITY_E_NOMEM;
    int err = files_settle(k->node, path, &f->facts.sha256);
    free(path);
    if (err)
        return err;
    int mode = fchmod(f->fd, 0400); /* as the others; not before: it could not be opened again */
    (void)mode;
    close_both(f);
    return remove_one(k, &f->facts, ".have");
}

int part_drop(struct bulk *k, struct fetch *f)
{
    close_both(f);
    f->next = f->synced = f->asked = 0;
    f->is_resumed = false;
    int err = remove_one(k, &f->facts, ".have");
    int also = remove_one(k, &f->facts, ".part");
    return err ? err : also;
}
