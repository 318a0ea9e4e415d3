/* Files, folders, and what of them is not durable yet. See image.h. */
#include "image.h"

#include "dice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

enum { SECTOR = 512, BLOCK = 4096 };

/* One change of a file's content that is not durable. */
struct change {
    enum tap_kind kind; /* TAP_WRITE, _TRUNCATE, _PUNCH */
    uint64_t off;
    uint64_t len;
    uint8_t *data; /* of a TAP_WRITE */
};

struct content {
    uint8_t *data;
    size_t len;
    size_t cap;
};

struct file {
    UT_hash_handle hh;
    uint64_t id;
    struct content durable;
    uint64_t *block; /* hashes of the durable content, block by block; NULL: not known */
    struct change *changes;
    size_t count;
    size_t cap;
};

struct name {
    char *path;
    uint64_t file; /* 0: a folder */
};

struct names {
    struct name *at;
    size_t count;
    size_t cap;
};

/* One change of a name that is not durable. */
struct step {
    enum tap_kind kind;
    char *path;
    char *to;
    uint64_t file;
};

struct image {
    struct file *files;
    struct names durable;
    struct step *steps;
    size_t count;
    size_t cap;
};

static void *must(void *p)
{
    if (!p) {
        fputs("image: memory\n", stderr);
        abort();
    }
    return p;
}

static void check(bool is_good, const char *what)
{
    if (!is_good) {
        fprintf(stderr, "image: %s: %s\n", what, strerror(errno));
        abort();
    }
}

/* Room for one more in ${list}->${field}. */
#define GROW(list, field)                                                                      \
    do {                                                                                       \
        if ((list)->count == (list)->cap) {                                                    \
            (list)->cap = (list)->cap ? 2 * (list)->cap : 16;                                  \
            (list)->field = must(realloc((list)->field, (list)->cap * sizeof *(list)->field)); \
        }                                                                                      \
    } while (0)

/* ---- content --------------------------------------------------------------------------------- */

static void content_reach(struct content *c, size_t len)
{
    if (len > c->cap) {
        c->cap = len + len / 2 + 4096;
        c->data = must(realloc(c->data, c->cap));
    }
    if (len > c->len) {
        memset(c->data + c->len, 0, len - c->len);
        c->len = len;
    }
}

static void content_put(struct content *c, uint64_t off, const uint8_t *data, size_t len)
{
    content_reach(c, (size_t)off + len);
    memcpy(c->data + off, data, len);
}

static void content_change(struct content *c, const struct change *ch)
{
    const size_t end = (size_t)(ch->off + ch->len);
    switch (ch->kind) {
    case TAP_WRITE:
        content_put(c, ch->off, ch->data, (size_t)ch->len);
        break;
    case TAP_TRUNCATE:
        if (ch->len < c->len)
            c->len = (size_t)ch->len;
        content_reach(c, (size_t)ch->len);
        break;
    default: /* a hole never makes a file longer */
        if (ch->off < c->len)
            memset(c->data + ch->off, 0, (end < c->len ? end : c->len) - (size_t)ch->off);
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

static void names_free(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->at[i].path);
    free(n->at);
    *n = (struct names){0};
}

static void names_put(struct names *n, const char *path, uint64_t file)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->at[i].path, path) == 0) {
            n->at[i].file = file;
            return;
        }
    GROW(n, at);
    n->at[n->count++] = (struct name){.path = must(strdup(path)), .file = file};
}

static void names_drop(struct names *n, const char *path)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->at[i].path, path) == 0) {
            free(n->at[i].path);
            memmove(&n->at[i], &n->at[i + 1], (--n->count - i) * sizeof *n->at);
            return;
        }
}

static bool names_has(const struct names *n, const char *path)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->at[i].path, path) == 0)
            return true;
    return *path == '\0';
}

/* The folder of ${path}: all before the last slash. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

/* ${from} and all that is below it are called after ${to} now. */
static void names_rename(struct names *n, const char *from, const char *to)
{
    const size_t len = strlen(from);
    names_drop(n, to);
    for (size_t i = 0; i < n->count; i++) {
        const char *old = n->at[i].path;
        if (strncmp(old, from, len) != 0 || (old[len] != '\0' && old[len] != '/'))
            continue;
        char *path = NULL;
        check(asprintf(&path, "%s%s", to, old + len) >= 0, "memory");
        free(n->at[i].path);
        n->at[i].path = path;
    }
}

static void names_step(struct names *n, const struct step *s)
{
    switch (s->kind) {
    case TAP_CREATE:
    case TAP_MKDIR:
        names_put(n, s->path, s->file);
        break;
    case TAP_LINK:
        names_put(n, s->to, s->file);
        break;
    case TAP_RENAME:
        if (names_has(n, s->path))
            names_rename(n, s->path, s->to);
        else if (s->file) /* it was made in another folder, and that is not there */
            names_put(n, s->to, s->file);
        break;
    default:
        names_drop(n, s->path);
    }
}

static const char *step_name(const struct step *s)
{
    return s->to ? s->to : s->path;
}

static void step_free(struct step *s)
{
    free(s->path);
    free(s->to);
}

/* ---- taking ---------------------------------------------------------------------------------- */

static struct file *file_of(const struct image *g, uint64_t id)
{
    struct file *f = NULL;
    HASH_FIND(hh, g->files, &id, sizeof id, f);
    return f;
}

static void file_forget_changes(struct file *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->changes[i].data);
    f->count = 0;
}

static void file_free(struct image *g, struct file *f)
{
    HASH_DEL(g->files, f);
    file_forget_changes(f);
    free(f->changes);
    free(f->durable.data);
    free(f->block);
    free(f);
}

static void take_change(struct image *g, const struct tap_call *c)
{
    struct file *f = file_of(g, c->file);
    if (!f)
        return; /* it has no name any more, and never will */
    struct change ch = {.kind = c->kind, .off = c->off, .len = c->len};
    if (c->kind == TAP_WRITE) {
        ch.data = must(malloc((size_t)c->len + 1));
        memcpy(ch.data, c->data, (size_t)c->len);
    }
    GROW(f, changes);
    f->changes[f->count++] = ch;
}

static void take_sync(struct image *g, uint64_t id)
{
    struct file *f = file_of(g, id);
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        content_change(&f->durable, &f->changes[i]);
    if (f->count > 0) {
        free(f->block);
        f->block = NULL;
    }
    file_forget_changes(f);
}

static void take_step(struct image *g, const struct tap_call *c)
{
    if (c->kind == TAP_CREATE) {
        struct file *f = must(calloc(1, sizeof *f));
        f->id = c->file;
        HASH_ADD(hh, g->files, id, sizeof f->id, f);
    }
    GROW(g, steps);
    g->steps[g->count++] = (struct step){.kind = c->kind,
                                         .path = must(strdup(c->path)),
                                         .to = c->to ? must(strdup(c->to)) : NULL,
                                         .file = c->file};
}

static bool is_named(const struct image *g, uint64_t file)
{
    for (size_t i = 0; i < g->durable.count; i++)
        if (g->durable.at[i].file == file)
            return true;
    for (size_t i = 0; i < g->count; i++)
        if (g->steps[i].file == file)
            return true;
    return false;
}

static void take_sync_dir(struct image *g, const char *folder)
{
    size_t kept = 0;
    bool drops = false;
    for (size_t i = 0; i < g->count; i++) {
        struct step *s = &g->steps[i];
        const char *name = step_name(s);
        const size_t len = folder_len(name);
        if (len != strlen(folder) || memcmp(name, folder, len) != 0) {
            g->steps[kept++] = *s;
            continue;
        }
        drops = drops || s->kind == TAP_UNLINK || s->kind == TAP_RENAME;
        names_step(&g->durable, s);
        step_free(s);
    }
    g->count = kept;
    struct file *f = NULL;
    struct file *next = NULL;
    HASH_ITER(hh, g->files, f, next)
    if (drops && !is_named(g, f->id))
        file_free(g, f);
}

void image_take(struct image *g, const struct tap_call *c)
{
    switch (c->kind) {
    case TAP_WRITE:
    case TAP_TRUNCATE:
    case TAP_PUNCH:
        take_change(g, c);
        break;
    case TAP_SYNC:
        take_sync(g, c->file);
        break;
    case TAP_SYNC_DIR:
        take_sync_dir(g, c->path);
        break;
    default:
        take_step(g, c);
    }
}

bool image_is_pending(const struct image *g)
{
    bool is = g->count > 0;
    for (const struct file *f = g->files; f && !is; f = f->hh.next)
        is = f->count > 0;
    return is;
}

struct image *image_new(void)
{
    return must(calloc(1, sizeof(struct image)));
}

void image_free(struct image *g)
{
    struct file *f = NULL;
    struct file *next = NULL;
    HASH_ITER(hh, g->files, f, next)
    file_free(g, f);
    for (size_t i = 0; i < g->count; i++)
        step_free(&g->steps[i]);
    free(g->steps);
    names_free(&g->durable);
    free(g);
}

/* ---- cutting --------------------------------------------------------------------------------- */

/* What is there and what is not, by seed. */
struct fate {
    enum cut cut;
    uint64_t random;
    unsigned odds; /* of 8 that a change is there */
};

static uint64_t fate_next(struct fate *f)
{
    return dice_next(&f->random);
}

static bool fate_keeps(struct fate *f)
{
    if (f->cut == CUT_ALL_KEPT || f->cut == CUT_ALL_LOST)
        return f->cut == CUT_ALL_KEPT;
    return fate_next(f) % 8 < f->odds;
}

static void put_torn(struct content *c, const struct change *ch, struct fate *f)
{
    const uint64_t end = ch->off + ch->len;
    const bool is_prefix = fate_next(f) % 2;
    for (uint64_t at = ch->off; at < end;) {
        uint64_t next = (at / SECTOR + 1) * SECTOR;
        if (next > end)
            next = end;
        bool is_there = fate_keeps(f);
        if (is_there)
            content_put(c, at, ch->data + (at - ch->off), (size_t)(next - at));
        else if (is_prefix)
            break;
        at = next;
    }
    if (fate_next(f) % 2)
        content_reach(c, (size_t)end);
}

static void content_at_cut(const struct file *file, struct fate *f, struct content *ret)
{
    if (file->durable.len > 0)
        content_put(ret, 0, file->durable.data, file->durable.len);
    for (size_t i = 0; i < file->count; i++) {
        const struct change *ch = &file->changes[i];
        if (f->cut == CUT_TORN && ch->kind == TAP_WRITE && fate_next(f) % 2)
            put_torn(ret, ch, f);
        else if (fate_keeps(f))
            content_change(ret, ch);
    }
}

/* The changes of one folder are there up to one of them. */
static void names_at_cut(const struct image *g, struct fate *f, struct names *ret)
{
    struct names ended = {0};
    for (size_t i = 0; i < g->durable.count; i++)
        names_put(ret, g->durable.at[i].path, g->durable.at[i].file);
    for (size_t i = 0; i < g->count; i++) {
        char folder[PATH_MAX];
        const char *name = step_name(&g->steps[i]);
        snprintf(folder, sizeof folder, "/%.*s", (int)folder_len(name), name);
        if (names_has(&ended, folder))
            continue;
        if (fate_keeps(f))
            names_step(ret, &g->steps[i]);
        else
            names_put(&ended, folder, 0);
    }
    names_free(&ended);
}

static void empty(const char *folder)
{
    char path[PATH_MAX];
    DIR *dir = opendir(folder);
    check(dir != NULL, folder);
    for (const struct dirent *e = NULL; (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        check(snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < PATH_MAX, folder);
        if (e->d_type == DT_DIR) {
            empty(path);
            check(rmdir(path) == 0, path);
        } else {
            check(unlink(path) == 0, path);
        }
    }
    closedir(dir);
}

static uint64_t mix_word(uint64_t h, const uint8_t *p)
{
    uint64_t word = 0;
    memcpy(&word, p, 8);
    h = (h ^ word) * 0x9fb21c651e98df25;
    return h ^ h >> 29;
}

/* Four lanes, which a processor goes through side by side. */
uint64_t image_mix(uint64_t h, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t lane[4] = {h, h + 1, h + 2, h + 3};
    for (; len >= 32; p += 32, len -= 32)
        for (int i = 0; i < 4; i++)
            lane[i] = mix_word(lane[i], p + (ptrdiff_t)8 * i);
    for (int i = 0; i < 4; i++)
        h = mix_word(h, (const uint8_t *)&lane[i]);
    for (; len > 0; p++, len--)
        h = (h ^ *p) * 0x100000001b3;
    return h ^ h >> 32;
}

static void write_file(const char *path, const struct content *c)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0, path);
    for (size_t done = 0; done < c->len;) {
        ssize_t n = pwrite(fd, c->data + done, c->len - done, (off_t)done);
        check(n > 0, path);
        done += (size_t)n;
    }
    close(fd);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

/* What is left under one name. */
struct left_name {
    const char *path;
    bool is_folder;
    bool is_own; /* the content is not the file's, but was made for this cut */
    struct content content;
    uint64_t hash;
};

struct left {
    struct names names;
    struct left_name *at;
    size_t count;
};

static size_t blocks_in(size_t len)
{
    return (len + BLOCK - 1) / BLOCK;
}

static uint64_t hash_block(const struct content *c, size_t i)
{
    size_t off = i * BLOCK;
    return image_mix(i, c->data + off, c->len - off < BLOCK ? c->len - off : BLOCK);
}

/* The blocks that some change may have touched, whether it is there or not. */
static void touch(const struct file *file, size_t blocks, uint8_t *ret)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct change *ch = &file->changes[i];
        uint64_t from = ch->off;
        uint64_t to = ch->off + ch->len;
        if (ch->kind == TAP_TRUNCATE) { /* all behind */
            from = ch->len;
            to = UINT64_MAX;
        }
        for (size_t k = (size_t)(from / BLOCK); k < blocks && (uint64_t)k * BLOCK < to; k++)
            ret[k] = 1;
    }
}

/* Most of a large file is as it was at the last sync: only what was touched since is read. */
static uint64_t hash_at_cut(const struct file *file, const struct content *c)
{
    size_t n = blocks_in(c->len);
    size_t known = file->durable.len / BLOCK; /* the last one may be longer now */
    uint64_t sum = image_mix(1, &c->len, sizeof c->len);
    uint8_t *touched = must(calloc(n + 1, 1));
    touch(file, n, touched);
    for (size_t i = 0; i < n; i++)
        sum += i < known && !touched[i] ? file->block[i] : hash_block(c, i);
    free(touched);
    return sum;
}

static void hash_durable(struct file *file)
{
    size_t n = blocks_in(file->durable.len);
    if (file->block)
        return;
    file->block = must(calloc(n + 1, sizeof *file->block));
    for (size_t i = 0; i < n; i++)
        file->block[i] = hash_block(&file->durable, i);
}

static void leave_file(struct file *file, struct fate *f, struct left_name *ret)
{
    hash_durable(file);
    ret->content = file->durable;
    ret->is_own = file->count > 0;
    if (ret->is_own) {
        ret->content = (struct content){0};
        content_at_cut(file, f, &ret->content);
    }
    ret->hash = hash_at_cut(file, &ret->content);
}

struct left *image_leave(struct image *g, enum cut cut, uint64_t seed)
{
    struct left *l = must(calloc(1, sizeof *l));
    struct fate f = {.cut = cut, .random = seed};
    f.odds = 1 + (unsigned)(fate_next(&f) % 7);
    names_at_cut(g, &f, &l->names);
    const struct names *names = &l->names;
    if (names->count > 0) /* folders before what is in them */
        qsort(names->at, names->count, sizeof *names->at, by_path);
    l->at = must(calloc(names->count + 1, sizeof *l->at));
    for (size_t i = 0; i < names->count; i++) {
        const struct name *n = &names->at[i];
        char parent[PATH_MAX];
        snprintf(parent, sizeof parent, "%.*s", (int)folder_len(n->path), n->path);
        if (!names_has(names, parent))
            continue; /* its folder is not there */
        struct left_name *to = &l->at[l->count++];
        *to = (struct left_name){.path = n->path, .is_folder = n->file == 0};
        if (n->file)
            leave_file(file_of(g, n->file), &f, to);
    }
    return l;
}

uint64_t left_hash(const struct left *l)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < l->count; i++) {
        hash = image_mix(hash, l->at[i].path, strlen(l->at[i].path) + 1);
        hash = image_mix(hash, &l->at[i].hash, sizeof l->at[i].hash);
    }
    return hash;
}

bool left_next(const struct left *l, size_t *at, struct left_file *ret)
{
    if (*at >= l->count)
        return false;
    const struct left_name *n = &l->at[(*at)++];
    *ret = (struct left_file){.path = n->path,
                              .is_folder = n->is_folder,
                              .data = n->content.data,
                              .len = n->content.len,
                              .hash = n->hash};
    return true;
}

void left_write(const struct left *l, const char *folder)
{
    empty(folder);
    for (size_t i = 0; i < l->count; i++) {
        char path[PATH_MAX];
        const struct left_name *f = &l->at[i];
        check(snprintf(path, sizeof path, "%s/%s", folder, f->path) < PATH_MAX, f->path);
        if (f->is_folder)
            check(mkdir(path, 0700) == 0, path);
        else
            write_file(path, &f->content);
    }
}

void left_free(struct left *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->at[i].is_own)
            free(l->at[i].content.data);
    names_free(&l->names);
    free(l->at);
    free(l);
}

uint64_t image_cut(struct image *g, enum cut cut, uint64_t seed, const char *folder)
{
    struct left *l = image_leave(g, cut, seed);
    uint64_t hash = left_hash(l);
    left_write(l, folder);
    left_free(l);
    return hash;
}
