/*
 * Blocks of attachments on the disk. See blobs.h.
 */
#include "blobs.h"

#include "base/file.h"
#include "base/text.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open blobs are kept, the one not used for longest gives way. */
enum { OPEN_MAX = 64, HEADER_LEN = 8, NAME_MAX_LEN = 2 * HASH_LEN + 16 };

struct blob {
    bool in_use;
    struct hash id;
    uint64_t len;
    uint64_t count;
    uint64_t next;
    uint64_t durable;
    size_t slot_len; /* bytes of a path slot */
    int blocks_fd;
    int paths_fd;
    uint64_t used; /* tick of the last use */
};

struct blobs {
    char *dir;
    uint64_t tick;
    struct blob open[OPEN_MAX];
};

/* The length of the RFC 6962 path of leaf ${i} among ${n}. */
static size_t path_length(uint64_t i, uint64_t n)
{
    size_t len = 0;
    while (n > 1) {
        uint64_t k = 1;
        while (k < n - k)
            k <<= 1;
        if (i < k) {
            n = k;
        } else {
            i -= k;
            n -= k;
        }
        len++;
    }
    return len;
}

static void put_name(char out[NAME_MAX_LEN], const struct hash *id, const char *suffix)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_LEN; i++) {
        out[2 * i] = digits[id->b[i] >> 4];
        out[2 * i + 1] = digits[id->b[i] & 15];
    }
    memcpy(out + 2 * HASH_LEN, suffix, strlen(suffix) + 1);
}

static int open_part(const struct blobs *b, const struct hash *id, const char *suffix, bool make,
                     int *ret_fd)
{
    char name[NAME_MAX_LEN];
    put_name(name, id, suffix);
    char *path = file_path(b->dir, name);
    if (!path)
        return COMITY_E_NOMEM;
    int fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
    int err = fd < 0 ? file_err(errno) : COMITY_OK;
    free(path);
    if (!err)
        *ret_fd = fd;
    return err;
}

int blobs_open(const char *dir, struct blobs **ret)
{
    struct blobs *b = calloc(1, sizeof *b);
    if (!b)
        return COMITY_E_NOMEM;
    b->dir = strdup(dir);
    int err = b->dir ? file_mkdirs(dir, 0700) : COMITY_E_NOMEM;
    if (err) {
        blobs_close(b);
        return err;
    }
    *ret = b;
    return COMITY_OK;
}

static void close_one(struct blob *o)
{
    if (!o->in_use)
        return;
    close(o->blocks_fd);
    close(o->paths_fd);
    *o = (struct blob){0};
}

void blobs_close(struct blobs *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < OPEN_MAX; i++)
        close_one(&b->open[i]);
    free(b->dir);
    free(b);
}

/* Bytes that the first ${n} blocks take. */
static uint64_t bytes_in(const struct blob *o, uint64_t n)
{
    return n < o->count ? n * BLOB_SEALED : o->len + o->count * (BLOB_SEALED - BLOB_PLAIN);
}

/*
 * How many blocks the header vouches for; a blob that is just being made has none. Should one of
 * the files be shorter than that, somebody else has cut it: what it cannot hold is not here, and is
 * asked for again.
 */
static int read_durable(struct blob *o)
{
    struct stat blocks;
    struct stat paths;
    uint8_t header[HEADER_LEN];
    uint64_t n = 0;
    if (fstat(o->paths_fd, &paths) != 0 || fstat(o->blocks_fd, &blocks) != 0)
        return file_err(errno);
    if (paths.st_size >= HEADER_LEN) {
        int err = file_pread_all(o->paths_fd, header, sizeof header, 0);
        if (err)
            return err;
        n = get_u64be(header);
    }
    if (n > o->count)
        n = 0;
    if (bytes_in(o, n) > (uint64_t)blocks.st_size)
        n = (uint64_t)blocks.st_size / BLOB_SEALED;
    if (n && HEADER_LEN + n * o->slot_len > (uint64_t)paths.st_size)
        n = ((uint64_t)paths.st_size - HEADER_LEN) / o->slot_len;
    o->durable = o->next = n;
    return COMITY_OK;
}

static struct blob *least_used(struct blobs *b)
{
    struct blob *found = &b->open[0];
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (!b->open[i].in_use)
            return &b->open[i];
        if (b->open[i].used < found->used)
            found = &b->open[i];
    }
    return found;
}

/* Descriptors are out, perhaps by connections: ours make do with fewer. */
static bool close_least_used(struct blobs *b)
{
    struct blob *found = NULL;
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (b->open[i].in_use && (!found || b->open[i].used < found->used))
            found = &b->open[i];
    if (!found || blob_sync(found))
        return false;
    close_one(found);
    return true;
}

static int open_blob(struct blobs *b, const struct hash *id, uint64_t len, bool make,
                     struct blob **ret)
{
    struct blob fresh = {.in_use = true, .id = *id, .len = len, .count = blob_blocks(len)};
    fresh.slot_len = (path_length(0, fresh.count) + 1) * HASH_LEN;
    int err = open_part(b, id, ".blocks", make, &fresh.blocks_fd);
    if (err)
        return err;
    err = open_part(b, id, ".paths", make, &fresh.paths_fd);
    if (err) {
        close(fresh.blocks_fd);
        return err;
    }
    if (make)
        err = file_sync_dir(b->dir);
    if (!err)
        err = read_durable(&fresh);
    struct blob *o = least_used(b);
    if (!err && o->in_use)
        err = blob_sync(o);
    if (err) {
        close(fresh.blocks_fd);
        close(fresh.paths_fd);
        return err;
    }
    close_one(o);
    *o = fresh;
    *ret = o;
    return COMITY_OK;
}

int blobs_get(struct blobs *b, const struct hash *id, uint64_t len, bool make, struct blob **ret)
{
    struct blob *o = NULL;
    for (size_t i = 0; i < OPEN_MAX && !o; i++)
        if (b->open[i].in_use && hash_equal(&b->open[i].id, id))
            o = &b->open[i];
    int err = o ? COMITY_OK : open_blob(b, id, len, make, &o);
    while (err == COMITY_E_FILES && close_least_used(b))
        err = open_blob(b, id, len, make, &o);
    if (err)
        return err;
    if (o->len != len)
        return COMITY_E_BLOB;
    o->used = ++b->tick;
    *ret = o;
    return COMITY_OK;
}

int blobs_remove(struct blobs *b, const struct hash *id)
{
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (b->open[i].in_use && hash_equal(&b->open[i].id, id))
            close_one(&b->open[i]);
    static const char *const suffixes[] = {".paths", ".blocks"};
    for (size_t i = 0; i < 2; i++) {
        char name[NAME_MAX_LEN];
        put_name(name, id, suffixes[i]);
        char *path = file_path(b->dir, name);
        if (!path)
            return COMITY_E_NOMEM;
        int err = unlink(path) == 0 || errno == ENOENT ? COMITY_OK : file_err(errno);
        free(path);
        if (err)
            return err;
    }
    return file_sync_dir(b->dir);
}

uint64_t blob_next(const struct blob *b)
{
    return b->next;
}

uint64_t blob_durable(const struct blob *b)
{
    return b->durable;
}

uint64_t blob_count(const struct blob *b)
{
    return b->count;
}

int blob_put(struct blob *b, struct bytes block, const struct bytes *path, size_t n)
{
    uint8_t slot[(PROOF_PATH_MAX + 1) * HASH_LEN] = {0};
    if (n != path_length(b->next, b->count))
        return COMITY_E_BLOB;
    for (size_t i = 0; i < n; i++)
        memcpy(slot + i * HASH_LEN, path[i].data, HASH_LEN);
    int err = file_pwrite_all(b->blocks_fd, block, (off_t)(b->next * BLOB_SEALED));
    if (!err)
        err = file_pwrite_all(b->paths_fd, BYTES(slot, b->slot_len),
                              (off_t)(HEADER_LEN + b->next * b->slot_len));
    if (!err)
        b->next++;
    return err;
}

int blob_sync(struct blob *b)
{
    if (b->durable == b->next)
        return COMITY_OK;
    if (fdatasync(b->blocks_fd) != 0 || fdatasync(b->paths_fd) != 0)
        return COMITY_E_IO;
    uint8_t header[HEADER_LEN];
    put_u64be(header, b->next);
    int err = file_pwrite_all(b->paths_fd, BYTES(header, sizeof header), 0);
    if (!err && b->next == b->count && fdatasync(b->paths_fd) != 0)
        err = COMITY_E_IO; /* who is told that it is complete does not ask again */
    if (!err)
        b->durable = b->next;
    return err;
}

int blob_get(struct blob *b, uint64_t i, struct buf *block, struct hash *path, size_t *ret_count)
{
    if (i >= b->next)
        return COMITY_E_NOT_FOUND;
    size_t len = blob_block_plain(b->len, i) + (BLOB_SEALED - BLOB_PLAIN);
    uint8_t *to = buf_reserve(block, len);
    if (!to)
        return COMITY_E_NOMEM;
    int err = file_pread_all(b->blocks_fd, to, len, (off_t)(i * BLOB_SEALED));
    size_t n = path_length(i, b->count);
    if (!err && n)
        err = file_pread_all(b->paths_fd, path[0].b, n * HASH_LEN,
                             (off_t)(HEADER_LEN + i * b->slot_len));
    if (err)
        return err;
    block->len += len;
    *ret_count = n;
    return COMITY_OK;
}
