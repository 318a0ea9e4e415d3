/* SQLite's files in memory. See ram.h. */
#include "ram.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 8, PATH_LEN = 512, REGIONS = 16 };

struct ram_file {
    char path[PATH_LEN]; /* "": free */
    uint8_t *data;
    size_t len;
    size_t cap;
    void *region[REGIONS]; /* shared memory: what a -shm file is on a disk */
};

struct handle {
    sqlite3_file base;
    struct ram_file *file;
};

static struct ram_file files[FILES];
static sqlite3_vfs *disk;

static void *must(void *p)
{
    if (!p) {
        fputs("ram: memory\n", stderr);
        abort();
    }
    return p;
}

static struct ram_file *find(const char *path)
{
    for (size_t i = 0; i < FILES; i++)
        if (*files[i].path && strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

static struct ram_file *make(const char *path)
{
    size_t i = 0;
    while (i < FILES && *files[i].path)
        i++;
    if (i == FILES || strlen(path) >= PATH_LEN)
        must(NULL);
    strcpy(files[i].path, path);
    files[i].len = 0;
    return &files[i];
}

static void reach(struct ram_file *f, size_t len)
{
    if (len > f->cap) {
        f->cap = len + len / 2 + 4096;
        f->data = must(realloc(f->data, f->cap));
    }
    if (len > f->len) {
        memset(f->data + f->len, 0, len - f->len);
        f->len = len;
    }
}

static void drop_shared(struct ram_file *f)
{
    for (size_t i = 0; i < REGIONS; i++) {
        free(f->region[i]);
        f->region[i] = NULL;
    }
}

/* ---- what a test does ---- */

void ram_clear(void)
{
    for (size_t i = 0; i < FILES; i++) {
        drop_shared(&files[i]);
        *files[i].path = '\0'; /* its memory is used again */
    }
}

void ram_put(const char *path, struct bytes content)
{
    struct ram_file *f = find(path);
    if (!f)
        f = make(path);
    f->len = 0;
    reach(f, content.len);
    if (content.len)
        memcpy(f->data, content.data, content.len);
}

struct bytes ram_content(const char *path)
{
    const struct ram_file *f = find(path);
    return f ? BYTES(f->data, f->len) : BYTES_NONE;
}

/* ---- files ---- */

static struct ram_file *file_of(sqlite3_file *h)
{
    return ((struct handle *)(void *)h)->file;
}

static int do_close(sqlite3_file *h)
{
    (void)h;
    return SQLITE_OK;
}

static int do_read(sqlite3_file *h, void *to, int len, sqlite3_int64 off)
{
    const struct ram_file *f = file_of(h);
    size_t n = (size_t)off < f->len ? f->len - (size_t)off : 0;
    if (n > (size_t)len)
        n = (size_t)len;
    if (n)
        memcpy(to, f->data + off, n);
    memset((char *)to + n, 0, (size_t)len - n);
    return n == (size_t)len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int do_write(sqlite3_file *h, const void *from, int len, sqlite3_int64 off)
{
    struct ram_file *f = file_of(h);
    reach(f, (size_t)off + (size_t)len);
    memcpy(f->data + off, from, (size_t)len);
    return SQLITE_OK;
}

static int do_truncate(sqlite3_file *h, sqlite3_int64 len)
{
    struct ram_file *f = file_of(h);
    if ((size_t)len < f->len)
        f->len = (size_t)len;
    reach(f, (size_t)len);
    return SQLITE_OK;
}

static int do_sync(sqlite3_file *h, int flags)
{
    (void)h;
    (void)flags;
    return SQLITE_OK;
}

static int do_size(sqlite3_file *h, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)file_of(h)->len;
    return SQLITE_OK;
}

static int do_lock(sqlite3_file *h, int level)
{
    (void)h;
    (void)level;
    return SQLITE_OK;
}

static int do_check_reserved(sqlite3_file *h, int *ret)
{
    (void)h;
    *ret = 0;
    return SQLITE_OK;
}

static int do_control(sqlite3_file *h, int op, void *arg)
{
    (void)h;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

/* As of the default VFS on Linux. */
static int do_sector_size(sqlite3_file *h)
{
    (void)h;
    return 4096;
}

static int do_traits(sqlite3_file *h)
{
    (void)h;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int do_shm_map(sqlite3_file *h, int region, int size, int extend, void volatile **ret)
{
    struct ram_file *f = file_of(h);
    if (region >= REGIONS)
        return SQLITE_NOMEM;
    if (!f->region[region] && extend)
        f->region[region] = must(calloc(1, (size_t)size));
    *ret = f->region[region];
    return SQLITE_OK;
}

static int do_shm_lock(sqlite3_file *h, int off, int n, int flags)
{
    (void)h;
    (void)off;
    (void)n;
    (void)flags;
    return SQLITE_OK;
}

static void do_shm_barrier(sqlite3_file *h)
{
    (void)h;
}

static int do_shm_unmap(sqlite3_file *h, int drops)
{
    (void)drops;
    drop_shared(file_of(h));
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = do_close,
                                           .xRead = do_read,
                                           .xWrite = do_write,
                                           .xTruncate = do_truncate,
                                           .xSync = do_sync,
                                           .xFileSize = do_size,
                                           .xLock = do_lock,
                                           .xUnlock = do_lock,
                                           .xCheckReservedLock = do_check_reserved,
                                           .xFileControl = do_control,
                                           .xSectorSize = do_sector_size,
                                           .xDeviceCharacteristics = do_traits,
                                           .xShmMap = do_shm_map,
                                           .xShmLock = do_shm_lock,
                                           .xShmBarrier = do_shm_barrier,
                                           .xShmUnmap = do_shm_unmap};

/* ---- names ---- */

static int do_open(sqlite3_vfs *v, const char *path, sqlite3_file *h, int flags, int *ret_flags)
{
    struct handle *to = (struct handle *)(void *)h;
    (void)v;
    to->file = path ? find(path) : NULL;
    if (!to->file && path && (flags & SQLITE_OPEN_CREATE))
        to->file = make(path);
    h->pMethods = to->file ? &methods : NULL;
    if (ret_flags)
        *ret_flags = flags;
    return to->file ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int do_delete(sqlite3_vfs *v, const char *path, int syncs)
{
    struct ram_file *f = find(path);
    (void)v;
    (void)syncs;
    if (!f)
        return SQLITE_IOERR_DELETE_NOENT;
    *f->path = '\0';
    return SQLITE_OK;
}

static int do_access(sqlite3_vfs *v, const char *path, int flags, int *ret)
{
    const struct ram_file *f = find(path);
    (void)v;
    /* An empty file does not exist: it may be a journal that is no more. */
    *ret = f && (flags != SQLITE_ACCESS_EXISTS || f->len > 0);
    return SQLITE_OK;
}

static int do_full_path(sqlite3_vfs *v, const char *path, int len, char *ret)
{
    (void)v;
    return snprintf(ret, (size_t)len, "%s", path) < len ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int do_random(sqlite3_vfs *v, int len, char *ret)
{
    (void)v;
    return disk->xRandomness(disk, len, ret);
}

static int do_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    return disk->xSleep(disk, us);
}

static int do_time(sqlite3_vfs *v, double *ret)
{
    (void)v;
    return disk->xCurrentTime(disk, ret);
}

static sqlite3_vfs ram = {.iVersion = 1,
                          .szOsFile = sizeof(struct handle),
                          .mxPathname = PATH_LEN,
                          .zName = "ram",
                          .xOpen = do_open,
                          .xDelete = do_delete,
                          .xAccess = do_access,
                          .xFullPathname = do_full_path,
                          .xRandomness = do_random,
                          .xSleep = do_sleep,
                          .xCurrentTime = do_time};

void ram_tune(void)
{
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

void ram_begin(void)
{
    if (!disk)
        disk = sqlite3_vfs_find(NULL);
    sqlite3_vfs_register(&ram, 1);
}

void ram_end(void)
{
    sqlite3_vfs_register(disk, 1);
}
