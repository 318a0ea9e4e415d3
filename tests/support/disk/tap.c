/* The calls of libc that change files, as they are watched. See tap.h. */
#include "tap.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

const char *tap_word(enum tap_kind kind)
{
    static const char *const words[TAP_KINDS] = {
        [TAP_CREATE] = "create", [TAP_WRITE] = "write",      [TAP_TRUNCATE] = "truncate",
        [TAP_PUNCH] = "punch",   [TAP_SYNC] = "sync",        [TAP_MKDIR] = "mkdir",
        [TAP_RMDIR] = "rmdir",   [TAP_LINK] = "link",        [TAP_RENAME] = "rename",
        [TAP_UNLINK] = "unlink", [TAP_SYNC_DIR] = "sync_dir"};
    return kind < TAP_KINDS ? words[kind] : NULL;
}

/* libc's own, behind ours. */
#define REAL(name)                                               \
    ({                                                           \
        static __typeof__(&(name)) real;                         \
        if (!real)                                               \
            real = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name); \
        real;                                                    \
    })

/* ---- who is who ------------------------------------------------------------------------------ */

/* By inode. One that is made anew under an old number is another file. */
struct known {
    UT_hash_handle hh;
    ino_t ino;
    uint64_t file;
    char *path; /* when last made, linked or renamed */
};

static struct {
    pthread_mutex_t lock;
    const struct tap *tap; /* NULL: nothing is watched */
    char root[PATH_MAX];
    size_t root_len;
    struct known *known;
    uint64_t last_file;
} the = {.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

/* A call that a hook makes is not shown. */
static __thread bool is_inside;

static void give_up(const char *why)
{
    fprintf(stderr, "tap: %s: %s\n", why, strerror(errno));
    abort();
}

static struct known *known_by(ino_t ino)
{
    struct known *k = NULL;
    HASH_FIND(hh, the.known, &ino, sizeof ino, k);
    return k;
}

static struct known *known_set(ino_t ino, uint64_t file, const char *path)
{
    struct known *k = known_by(ino);
    char *name = strdup(path);
    if (!k) {
        k = calloc(1, sizeof *k);
        if (!k)
            give_up("memory");
        k->ino = ino;
        HASH_ADD(hh, the.known, ino, sizeof k->ino, k);
    }
    if (!name)
        give_up("memory");
    free(k->path);
    k->file = file;
    k->path = name;
    return k;
}

static void forget_all(void)
{
    struct known *k = NULL;
    struct known *next = NULL;
    HASH_ITER(hh, the.known, k, next)
    {
        HASH_DEL(the.known, k);
        free(k->path);
        free(k);
    }
}

/* A path below the root, or NULL. Of an absolute path that is what is behind the root in it. */
static const char *below_root(const char *path)
{
    if (strncmp(path, the.root, the.root_len) != 0)
        return NULL;
    return path[the.root_len] == '/' ? path + the.root_len + 1 : path[the.root_len] ? NULL : "";
}

/* The same of any path; its folder must exist. ${at}: AT_FDCWD, or the folder's descriptor. */
static const char *find_path(int at, const char *path, char ret[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    char *folder = NULL;
    char *real = NULL;
    int n = -1;
    if (at != AT_FDCWD && path[0] != '/')
        n = asprintf(&folder, "/proc/self/fd/%d/%.*s", at, (int)(slash ? slash - path : 0), path);
    else
        n = asprintf(&folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (n < 0)
        give_up("memory");
    real = realpath(n > 0 ? folder : "/", NULL);
    free(folder);
    if (!real)
        return NULL;
    n = snprintf(ret, PATH_MAX, "%s/%s", real, slash ? slash + 1 : path);
    free(real);
    return n < PATH_MAX ? below_root(ret) : NULL;
}

/* ---- around each call ------------------------------------------------------------------------ */

static bool enter(void)
{
    if (!__atomic_load_n(&the.tap, __ATOMIC_ACQUIRE) || is_inside)
        return false;
    pthread_mutex_lock(&the.lock);
    is_inside = true;
    return the.tap != NULL;
}

static void leave(void)
{
    int saved = errno;
    is_inside = false;
    pthread_mutex_unlock(&the.lock);
    errno = saved;
}

/* Whether ${fd} is one of ours; then ${c} says which, and the tap is held until leave(). */
static bool enter_fd(int fd, struct tap_call *c, char path[PATH_MAX])
{
    struct stat st;
    char link[64];
    if (!enter())
        return false;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, PATH_MAX - 1);
        path[n > 0 ? n : 0] = '\0';
        c->path = below_root(path);
    } else {
        const struct known *k = known_by(st.st_ino);
        c->path = k ? k->path : NULL;
        c->file = k ? k->file : 0;
    }
    if (c->path)
        return true;
    leave();
    return false;
}

static bool enter_path(int at, const char *name, struct tap_call *c, char path[PATH_MAX])
{
    if (!enter())
        return false;
    c->path = find_path(at, name, path);
    if (c->path)
        return true;
    leave();
    return false;
}

/* What the hook says before the call is made. True when it is not to be made. */
static bool is_refused(struct tap_call *c)
{
    size_t len = (size_t)c->len;
    int err = the.tap->before ? the.tap->before(the.tap->self, c, &len) : 0;
    if (c->kind == TAP_WRITE)
        c->len = len;
    errno = err;
    return err != 0;
}

static void tell(const struct tap_call *c)
{
    int saved = errno;
    if (the.tap->after)
        the.tap->after(the.tap->self, c);
    errno = saved;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void made(int fd, struct tap_call *c)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        give_up(c->path);
    c->file = known_set(st.st_ino, ++the.last_file, c->path)->file;
    tell(c);
}

int open64(const char *name, int flags, ...)
{
    mode_t mode = 0;
    char path[PATH_MAX];
    struct stat st;
    struct tap_call c = {.kind = TAP_CREATE};
    va_list args;
    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    if (!(flags & (O_CREAT | O_TRUNC)) || !enter_path(AT_FDCWD, name, &c, path))
        return REAL(open64)(name, flags, mode);
    bool is_there = lstat(name, &st) == 0;
    if (is_there) {
        const struct known *k = known_by(st.st_ino);
        c.kind = TAP_TRUNCATE;
        c.file = k ? k->file : 0;
    }
    bool shows = is_there ? (flags & O_TRUNC) && st.st_size > 0 : (flags & O_CREAT) != 0;
    int fd = shows && is_refused(&c) ? -1 : REAL(open64)(name, flags, mode);
    if (fd >= 0 && shows && is_there)
        tell(&c);
    else if (fd >= 0 && shows)
        made(fd, &c);
    leave();
    return fd;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t off)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = TAP_WRITE, .off = (uint64_t)off, .len = len, .data = data};
    if (!enter_fd(fd, &c, path))
        return REAL(pwrite64)(fd, data, len, off);
    ssize_t n = is_refused(&c) ? -1 : REAL(pwrite64)(fd, data, (size_t)c.len, off);
    if (n > 0) {
        c.len = (uint64_t)n;
        tell(&c);
    }
    leave();
    return n;
}

ssize_t write(int fd, const void *data, size_t len)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = TAP_WRITE, .len = len, .data = data};
    if (!enter_fd(fd, &c, path))
        return REAL(write)(fd, data, len);
    c.off = (uint64_t)lseek(fd, 0, SEEK_CUR);
    ssize_t n = is_refused(&c) ? -1 : REAL(write)(fd, data, (size_t)c.len);
    if (n > 0) {
        c.len = (uint64_t)n;
        tell(&c);
    }
    leave();
    return n;
}

int ftruncate64(int fd, off64_t len)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = TAP_TRUNCATE, .len = (uint64_t)len};
    if (!enter_fd(fd, &c, path))
        return REAL(ftruncate64)(fd, len);
    int rc = is_refused(&c) ? -1 : REAL(ftruncate64)(fd, len);
    if (rc == 0)
        tell(&c);
    leave();
    return rc;
}

/* Making room changes no content, and is not shown. */
int fallocate64(int fd, int mode, off64_t off, off64_t len)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = TAP_PUNCH, .off = (uint64_t)off, .len = (uint64_t)len};
    if (!(mode & FALLOC_FL_PUNCH_HOLE) || !enter_fd(fd, &c, path))
        return REAL(fallocate64)(fd, mode, off, len);
    int rc = is_refused(&c) ? -1 : REAL(fallocate64)(fd, mode, off, len);
    if (rc == 0)
        tell(&c);
    leave();
    return rc;
}

static int sync_with(int (*real)(int), int fd)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = TAP_SYNC};
    if (!enter_fd(fd, &c, path))
        return real(fd);
    if (!c.file)
        c.kind = TAP_SYNC_DIR;
    int rc = is_refused(&c) ? -1 : real(fd);
    if (rc == 0)
        tell(&c);
    leave();
    return rc;
}

int fsync(int fd)
{
    return sync_with(REAL(fsync), fd);
}

int fdatasync(int fd)
{
    return sync_with(REAL(fdatasync), fd);
}

/* ---- names ----------------------------------------------------------------------------------- */

static uint64_t file_at(const char *name)
{
    struct stat st;
    const struct known *k = lstat(name, &st) == 0 ? known_by(st.st_ino) : NULL;
    return k ? k->file : 0;
}

int mkdir(const char *name, mode_t mode)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = TAP_MKDIR};
    if (!enter_path(AT_FDCWD, name, &c, path))
        return REAL(mkdir)(name, mode);
    int rc = is_refused(&c) ? -1 : REAL(mkdir)(name, mode);
    if (rc == 0)
        tell(&c);
    leave();
    return rc;
}

static int remove_with(int (*real)(const char *), enum tap_kind kind, const char *name)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = kind};
    if (!enter_path(AT_FDCWD, name, &c, path))
        return real(name);
    c.file = kind == TAP_UNLINK ? file_at(name) : 0;
    int rc = is_refused(&c) ? -1 : real(name);
    if (rc == 0)
        tell(&c);
    leave();
    return rc;
}

int rmdir(const char *name)
{
    return remove_with(REAL(rmdir), TAP_RMDIR, name);
}

int unlink(const char *name)
{
    return remove_with(REAL(unlink), TAP_UNLINK, name);
}

int unlinkat(int at, const char *name, int flags)
{
    char path[PATH_MAX];
    struct tap_call c = {.kind = flags & AT_REMOVEDIR ? TAP_RMDIR : TAP_UNLINK};
    if (!enter_path(at, name, &c, path))
        return REAL(unlinkat)(at, name, flags);
    c.file = c.kind == TAP_UNLINK ? file_at(path) : 0;
    int rc = is_refused(&c) ? -1 : REAL(unlinkat)(at, name, flags);
    if (rc == 0)
        tell(&c);
    leave();
    return rc;
}

static int rename_with(int (*real)(const char *, const char *), enum tap_kind kind,
                       const char *from, const char *to)
{
    char path[PATH_MAX];
    char new_path[PATH_MAX];
    struct stat st;
    struct tap_call c = {.kind = kind};
    if (!enter_path(AT_FDCWD, from, &c, path))
        return real(from, to);
    c.to = find_path(AT_FDCWD, to, new_path);
    if (!c.to)
        give_up("a file leaves the folder that is watched");
    c.file = file_at(from);
    int rc = is_refused(&c) ? -1 : real(from, to);
    if (rc == 0) {
        tell(&c);
        if (c.file && lstat(to, &st) == 0)
            known_set(st.st_ino, c.file, c.to);
    }
    leave();
    return rc;
}

int rename(const char *from, const char *to)
{
    return rename_with(REAL(rename), TAP_RENAME, from, to);
}

int link(const char *from, const char *to)
{
    return rename_with(REAL(link), TAP_LINK, from, to);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

/* What is there: as if just made, written and synced. */
static void show_file(const char *path, const char *below)
{
    struct stat st;
    uint8_t *data = NULL;
    struct tap_call c = {.kind = TAP_CREATE, .path = below};
    int fd = REAL(open64)(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        give_up(path);
    made(fd, &c);
    if (st.st_size > 0) {
        data = malloc((size_t)st.st_size);
        /* Fewer bytes: who reads the database beside us has just cut its -shm. */
        ssize_t got = data ? pread(fd, data, (size_t)st.st_size, 0) : -1;
        if (got < 0)
            give_up(path);
        c.kind = TAP_WRITE;
        c.len = (uint64_t)got;
        c.data = data;
        tell(&c);
    }
    tell(&(struct tap_call){.kind = TAP_SYNC, .file = c.file, .path = below});
    free(data);
    close(fd);
}

static void show_folder(const char *folder)
{
    char path[PATH_MAX];
    struct stat st;
    DIR *dir = opendir(folder);
    if (!dir)
        give_up(folder);
    for (const struct dirent *e = NULL; (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= PATH_MAX ||
            lstat(path, &st) != 0)
            give_up(folder);
        if (S_ISDIR(st.st_mode)) {
            tell(&(struct tap_call){.kind = TAP_MKDIR, .path = below_root(path)});
            show_folder(path);
        } else if (S_ISREG(st.st_mode)) {
            show_file(path, below_root(path));
        }
    }
    closedir(dir);
    tell(&(struct tap_call){.kind = TAP_SYNC_DIR, .path = below_root(folder)});
}

void tap_begin(const char *root, const struct tap *tap)
{
    pthread_mutex_lock(&the.lock);
    is_inside = true;
    if (!realpath(root, the.root))
        give_up(root);
    the.root_len = strlen(the.root);
    __atomic_store_n(&the.tap, tap, __ATOMIC_RELEASE);
    show_folder(the.root);
    leave();
}

void tap_end(void)
{
    pthread_mutex_lock(&the.lock);
    __atomic_store_n(&the.tap, NULL, __ATOMIC_RELEASE);
    forget_all();
    pthread_mutex_unlock(&the.lock);
}
