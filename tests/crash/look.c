/* What is the same for both daemons. See look.h. */
#include "look.h"

#include "audit/audit.h"
#include "audit/codes.h"
#include "base/file.h"
#include "disk/ram.h"
#include "ledger/ledger.h"

#include <comity/err.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool look_fails(struct look *l, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (!*l->why)
        vsnprintf(l->why, sizeof l->why, format, ap);
    va_end(ap);
    return false;
}

/* ---- what is due ---- */

static void raise_number(struct due_number *at, const struct mark *m)
{
    size_t i = 0;
    while (i < DUE_NAMES_MAX - 1 && *at[i].who && strcmp(at[i].who, m->who) != 0)
        i++;
    snprintf(at[i].who, sizeof at[i].who, "%s", m->who);
    if (m->number > at[i].number)
        at[i].number = m->number;
}

static void take_file(struct due *d, const struct mark *m)
{
    size_t i = 0;
    while (i < d->files && !hash_equal(&d->file[i].hash, &m->hash))
        i++;
    if (i == DUE_BLOBS_MAX)
        abort();
    if (i == d->files)
        d->files++;
    d->file[i].hash = m->hash;
    d->file[i].is_gone = m->kind == MARK_FREED;
    if (!d->file[i].is_gone)
        d->file[i].len = m->number;
}

static void raise(uint64_t *at, uint64_t number)
{
    if (number > *at)
        *at = number;
}

static void take_erasing(struct due *d, const struct mark *m)
{
    if (d->erasures == DUE_ERASED_MAX)
        abort();
    struct due_erased *e = &d->erased[d->erasures++];
    e->index = m->number;
    snprintf(e->text, sizeof e->text, "%s", m->who);
}

void due_take(struct due *d, const struct mark *m)
{
    d->marks++;
    switch (m->kind) {
    case MARK_SHOWN:
        if (m->number < d->size)
            break;
        d->size = m->number;
        d->root = m->hash;
        break;
    case MARK_TOLD:
        d->has_told = true;
        d->told = m->number;
        d->leaf = m->hash;
        break;
    case MARK_TAKEN:
        raise(&d->taken, m->number);
        break;
    case MARK_ANSWERED:
        raise(&d->answered, m->number);
        break;
    case MARK_KNOWN:
        raise_number(d->known, m);
        break;
    case MARK_GIVEN:
        raise_number(d->given, m);
        break;
    case MARK_ERASING:
        take_erasing(d, m);
        break;
    case MARK_ERASED:
        d->erased[d->erasures - 1].is_done = true;
        break;
    default:
        take_file(d, m);
    }
}

/* ---- the store ---- */

/* What the store itself opens; all else that is left is as it was. */
enum part { PART_OTHER, PART_DATABASE, PART_SEGMENT, PART_NOTHING };

static enum part part_of(const struct left_file *f, const char *name)
{
    static const char *const nothing[] = {".db-shm", ".lock"};
    size_t len = strlen(name);
    if (strncmp(f->path, name, len) != 0)
        return PART_OTHER;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(f->path + len, nothing[i]) == 0)
            return PART_NOTHING;
    if (strncmp(f->path + len, ".seg", 4) == 0)
        return PART_SEGMENT;
    return strncmp(f->path + len, ".db", 3) == 0 ? PART_DATABASE : PART_OTHER;
}

static void write_small(const char *path, const struct left_file *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || (f && file_pwrite_all(fd, BYTES(f->data, f->len), 0)))
        abort();
    close(fd);
}

static uint64_t hash_named(const char *name, struct bytes content)
{
    return image_mix(image_mix(1, name, strlen(name)), content.data, content.len);
}

/* Put it where the store looks for it. The hash of what it does not look at is added to ${sum}. */
static void place(const struct look *l, const struct left_file *f, uint64_t *sum)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", l->site.dir, f->path);
    switch (part_of(f, site_store_name(&l->site))) {
    case PART_DATABASE:
        ram_put(path, BYTES(f->data, f->len));
        if (path[strlen(path) - 1] == 'b') /* that it is there is looked up on the disk */
            write_small(path, NULL);
        break;
    case PART_SEGMENT:
        if (f->is_folder ? mkdir(path, 0700) && errno != EEXIST : false)
            abort();
        if (!f->is_folder)
            write_small(path, f);
        break;
    case PART_OTHER:
        *sum += hash_named(f->path, BYTES(&f->hash, sizeof f->hash));
        break;
    default:
        break;
    }
}

/* What the last state has left of the store in this folder. */
static void clear(const struct look *l)
{
    char path[PATH_MAX];
    const char *name = site_store_name(&l->site);
    ram_clear();
    snprintf(path, sizeof path, "%s/%s.db", l->site.dir, name);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s.seg", l->site.dir, name);
    DIR *dir = opendir(path);
    for (const struct dirent *e = NULL; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

static uint64_t hash_database(const struct look *l)
{
    static const char *const suffixes[] = {".db", ".db-wal"};
    uint64_t sum = 0;
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s%s", l->site.dir, site_store_name(&l->site), suffixes[i]);
        sum += hash_named(suffixes[i], ram_content(path));
    }
    return sum;
}

static uint64_t hash_segments(const struct look *l)
{
    uint64_t sum = 0;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/%s.seg", l->site.dir, site_store_name(&l->site));
    DIR *dir = opendir(folder);
    for (const struct dirent *e = NULL; dir && (e = readdir(dir));) {
        struct buf content = BUF_INIT;
        struct buf path = BUF_INIT;
        if (e->d_name[0] == '.')
            continue;
        buf_printf(&path, "%s/%s", folder, e->d_name);
        if (file_read(buf_str(&path), SIZE_MAX / 2, &content) == 0)
            sum += hash_named(e->d_name, buf_bytes(&content));
        buf_free(&content);
        buf_free(&path);
    }
    if (dir)
        closedir(dir);
    return sum;
}

bool look_store(struct look *l, const struct left *left, uint64_t *ret_hash)
{
    struct store *s = NULL;
    struct left_file f;
    uint64_t sum = 0;
    clear(l);
    for (size_t at = 0; left_next(left, &at, &f);)
        place(l, &f, &sum);
    ram_begin();
    int err = site_open_store(&l->site, DB_WRITE, &s);
    if (!err)
        *ret_hash = sum + hash_database(l) + hash_segments(l);
    store_close(s);
    ram_end();
    return err ? look_fails(l, "the store does not open: %s", comity_err_token(err)) : true;
}

/* ---- the ledger ---- */

bool look_ledger(struct look *l, struct ledger *ledger)
{
    struct hash h;
    const struct due *d = l->due;
    if (ledger_signed_size(ledger) < d->size)
        return look_fails(l, "%llu entries are signed, and %llu were shown",
                          (unsigned long long)ledger_signed_size(ledger),
                          (unsigned long long)d->size);
    if (d->size && (ledger_root(ledger, d->size, &h) || !hash_equal(&h, &d->root)))
        return look_fails(l, "another root than was shown at %llu", (unsigned long long)d->size);
    if (d->has_told && (ledger_leaf(ledger, d->told, &h) || !hash_equal(&h, &d->leaf)))
        return look_fails(l, "entry %llu, of which somebody was told, is not there",
                          (unsigned long long)d->told);
    return true;
}

/* ---- what was erased ---- */

static bool look_for(struct look *l, const char *path, const char *text)
{
    struct buf content = BUF_INIT;
    bool ok = file_read(path, SIZE_MAX / 2, &content) != 0 ||
              !memmem(content.data, content.len, text, strlen(text));
    buf_free(&content);
    return ok ? true
              : look_fails(l, "'%s', which is erased, is in %s", text, strrchr(path, '/') + 1);
}

static bool look_below(struct look *l, const char *folder, const char *text)
{
    bool ok = true;
    DIR *dir = opendir(folder);
    for (const struct dirent *e = NULL; ok && dir && (e = readdir(dir));) {
        char path[PATH_MAX];
        if (e->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < 0)
            continue;
        ok = e->d_type == DT_DIR ? look_below(l, path, text) : look_for(l, path, text);
    }
    if (dir)
        closedir(dir);
    return ok;
}

bool look_erased(struct look *l, struct ledger *ledger)
{
    bool ok = true;
    for (size_t i = 0; ok && i < l->due->erasures; i++) {
        const struct due_erased *e = &l->due->erased[i];
        struct arena *a = arena_new(4 << 20);
        struct opening o;
        int err =
            a ? ledger_opening(ledger, bytes_of(l->site.origin), e->index, a, &o) : COMITY_E_NOMEM;
        arena_free(a);
        if (err == COMITY_E_ERASED)
            ok = look_below(l, l->site.dir, e->text);
        else if (err || e->is_done)
            ok = look_fails(l, "entry %llu, which was erased: %s", (unsigned long long)e->index,
                            comity_err_token(err));
    }
    return ok;
}

/* ---- the audit ---- */

/* What an audit of one ledger alone may say of one that is whole. */
static bool is_harmless(const char *code)
{
    static const char *const harmless[] = {"body_erased", "on_the_way", "not_received",
                                           "roster_missing"};
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (strcmp(code, harmless[i]) == 0)
            return true;
    return false;
}

static bool judge(struct look *l, struct audit *a)
{
    json_t *report = NULL;
    json_t *f = NULL;
    size_t i = 0;
    if (audit_to_json(a, &report))
        return look_fails(l, "no report");
    json_array_foreach(json_object_get(report, "findings"), i, f)
    {
        const char *code = json_string_value(json_object_get(f, "code"));
        if (is_harmless(code))
            continue;
        char *text = json_dumps(f, JSON_COMPACT);
        look_fails(l, "audit: %s", text ? text : code);
        free(text);
    }
    json_decref(report);
    return !*l->why;
}

bool look_audit(struct look *l)
{
    struct audit *a = NULL;
    int err = audit_new(&l->site.network, &a);
    if (!err)
        err = audit_add(a, l->site.dir);
    if (!err)
        err = audit_add_roster(a, l->roster);
    if (!err)
        err = audit_run(a);
    bool ok = err ? look_fails(l, "audit: %s", comity_err_token(err)) : judge(l, a);
    audit_free(a);
    return ok;
}
