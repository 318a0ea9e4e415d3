/*
 * Opening a copy of a ledger, wherever it lies, and reading what lies there.
 *
 * The tables are read here rather than through lib/ledger, which refuses a ledger that is damaged:
 * what is damaged is just what an audit wants to see. Only columns named here are needed, so that
 * files of earlier and later versions can be read.
 */
#include "audit/internal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- where it lies ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(const char *dir, const char *name, const char *suffix, bool with_content)
{
    struct buf path = BUF_INIT;
    struct stat st;
    buf_printf(&path, "%s/%s%s", dir, name, suffix);
    bool yes =
        stat(buf_str(&path), &st) == 0 && S_ISREG(st.st_mode) && (!with_content || st.st_size > 0);
    buf_free(&path);
    return yes;
}

/* Whether a daemon holds the lock of this store. */
static bool is_locked(const char *dir, const char *name)
{
    struct buf path = BUF_INIT;
    buf_printf(&path, "%s/%s.lock", dir, name);
    int fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
    buf_free(&path);
    if (fd < 0)
        return false;
    bool yes = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return yes;
}

/* The file's own hash; before SQLite has it open, and only for one that nobody writes. */
static int digest_file(struct audit_copy *c, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_err(errno);
    int err = fstat(fd, &st) ? file_err(errno) : COMITY_OK;
    if (!err && st.st_size > 0) {
        void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at == MAP_FAILED) {
            err = file_err(errno);
        } else {
            hash_of(suite_get(SUITE_1), &c->digest, BYTES(at, (size_t)st.st_size));
            c->has_digest = true;
            munmap(at, (size_t)st.st_size);
        }
    }
    close(fd);
    return err;
}

static int open_store(struct audit_copy *c, const char *dir, const char *name)
{
    struct buf path = BUF_INIT;
    buf_printf(&path, "%s/%s.db", dir, name);
    int err = buf_check(&path);
    c->is_live = is_locked(dir, name);
    bool at_rest = !c->is_live && !is_file(dir, name, ".db-wal", true);
    if (!err && at_rest)
        err = digest_file(c, buf_str(&path));
    if (!err)
        err = store_open(dir, name, at_rest ? DB_IMMUTABLE : DB_READ, &c->store);
    buf_free(&path);
    return err;
}

/* ${path} is that of a database file: split it into what store_open wants. */
static int open_db_file(struct audit_copy *c, const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return COMITY_E_NOMEM;
    char *slash = strrchr(copy, '/');
    char *name = slash ? slash + 1 : copy;
    const char *dir = slash == copy ? "/" : slash ? copy : ".";
    name[strlen(name) - strlen(".db")] = '\0';
    if (slash)
        *slash = '\0';
    int err = open_store(c, dir, name);
    free(copy);
    return err;
}

static int open_path(struct audit_copy *c)
{
    static const char *const names[] = {"ledger", "broker"};
    if (access(c->path, is_folder(c->path) ? R_OK | X_OK : R_OK) != 0)
        return file_err(errno);
    if (is_folder(c->path)) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (is_file(c->path, names[i], ".db", false))
                return open_store(c, c->path, names[i]);
        return COMITY_E_NOT_A_LEDGER;
    }
    size_t len = strlen(c->path);
    if (len > strlen(".db") && strcmp(c->path + len - strlen(".db"), ".db") == 0)
        return open_db_file(c, c->path);
    int err = digest_file(c, c->path);
    return err ? err : store_open_file(c->path, &c->store);
}

/* ---- whose it is ---- */

bool audit_has_table(struct db *db, const char *name)
{
    const struct db_value v[] = {DB_STR(name)};
    uint64_t found = 0;
    return db_get_u64(db, 0, &found,
                      "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", v,
                      1) == COMITY_OK &&
           found == 1;
}

static int read_identity(struct audit *a, struct audit_copy *c)
{
    struct db_rows *rows = NULL;
    struct origin parts;
    int err = db_query(c->db, &rows, "SELECT origin, suite, predecessor FROM ledger WHERE one = ?1",
                       DB_U64(1));
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        struct bytes origin = db_bytes(rows, 0);
        uint64_t number = db_u64(rows, 1);
        err = origin.len > ORIGIN_MAX || text_get_origin(origin, &parts) ? COMITY_E_NOT_A_LEDGER
                                                                         : COMITY_OK;
        c->suite_number = (uint32_t)number;
        c->suite = number <= UINT32_MAX ? suite_get((uint32_t)number) : NULL;
        if (!err && !c->suite)
            err = COMITY_E_SUITE;
        if (!err && !(c->origin = audit_origin(a, origin)))
            err = COMITY_E_NOMEM;
        if (!err)
            ledger_genesis_hash(c->suite, origin, db_bytes(rows, 2), &c->genesis);
    } else if (!err) {
        err = COMITY_E_NOT_A_LEDGER;
    }
    db_done(rows);
    return err;
}

static bool has_tables(struct db *db)
{
    static const char *const names[] = {"ledger", "entry_run", "checkpoint", "tile", "opening_run"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!audit_has_table(db, names[i]))
            return false;
    return true;
}

/* All rows of a table; a page that is not there is met on the way. */
static int probe_table(struct audit_copy *c, const char *table, const char *sql)
{
    struct db_rows *rows = NULL;
    int got = 0;
    if (!audit_has_table(c->db, table))
        return COMITY_OK;
    int err = db_query(c->db, &rows, sql, DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW)
        (void)db_bytes(rows, 0);
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

int copy_probe(struct audit_copy *c)
{
    static const char *const tables[][2] = {
        {"entry_run", "SELECT data FROM entry_run WHERE ?1 ORDER BY first"},
        {"checkpoint", "SELECT note, root FROM checkpoint WHERE ?1 ORDER BY size"},
        {"tile", "SELECT hashes FROM tile WHERE ?1 ORDER BY key"},
        {"opening_run", "SELECT origin, chunk FROM opening_run WHERE ?1 ORDER BY origin, first"},
        {"opening_erased", "SELECT origin FROM opening_erased WHERE ?1 ORDER BY origin, entry"},
        {"roster", "SELECT file FROM roster WHERE ?1 ORDER BY number"},
        {"parcel_in", "SELECT origin, head FROM parcel_in WHERE ?1 ORDER BY own"},
        {"parcel_out", "SELECT hash FROM parcel_out WHERE ?1 ORDER BY id"},
        {"chunk", "SELECT * FROM chunk WHERE ?1"},
        {"delivery", "SELECT * FROM delivery WHERE ?1"},
    };
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < sizeof tables / sizeof tables[0]; i++)
        err = probe_table(c, tables[i][0], tables[i][1]);
    return err;
}

int copy_open(struct audit *a, const char *path, struct audit_copy **ret)
{
    struct audit_copy *c = calloc(1, sizeof *c);
    if (!c || !(c->path = strdup(path))) {
        free(c);
        return COMITY_E_NOMEM;
    }
    int err = open_path(c);
    if (!err) {
        c->db = store_db(c->store);
        err = db_begin(c->db); /* one state for all that is read */
    }
    if (!err && !has_tables(c->db))
        err = COMITY_E_NOT_A_LEDGER;
    if (!err)
        err = read_identity(a, c);
    if (!err) {
        c->tree.suite = c->suite;
        c->is_node = audit_has_table(c->db, "parcel_in");
        c->is_broker = audit_has_table(c->db, "delivery");
        err = db_get_u64(c->db, 0, &c->size,
                         "SELECT first + count FROM entry_run ORDER BY first DESC LIMIT 1",
                         &DB_NULL, 1);
    }
    if (err) {
        copy_free(c);
        return err;
    }
    *ret = c;
    return COMITY_OK;
}

void copy_free(struct audit_copy *c)
{
    if (!c)
        return;
    if (c->db)
        db_rollback(c->db);
    store_close(c->store);
    leaves_done(&c->tree);
    LIST_FREE(c->time_ms);
    LIST_FREE(c->kind);
    LIST_FREE(c->odd);
    LIST_FREE(c->bad);
    LIST_FREE(c->checkpoints);
    LIST_FREE(c->known);
    buf_free(&c->note);
    free(c->opened);
    free(c->path);
    free(c);
}

struct store *audit_store(const struct audit *a)
{
    return a->copies.at[0]->store;
}

/* ---- entries ---- */

enum { LP_LEN = 4, ROW_ENTRIES_MAX = 256 };
/* A hole of more entries than this is taken for the end: a number in a row can be anything. */
#define HOLE_MAX ((uint64_t)1 << 20)

bool audit_lp_next(struct bytes *rest, struct bytes *ret)
{
    if (rest->len < LP_LEN)
        return false;
    size_t n = get_u32be(rest->data);
    if (n > rest->len - LP_LEN)
        return false;
    *ret = bytes_slice(*rest, LP_LEN, n);
    *rest = bytes_slice(*rest, LP_LEN + n, rest->len);
    return true;
}

static int each_of_row(struct db_rows *rows, uint64_t *next, copy_each *each, void *self)
{
    uint64_t first = db_u64(rows, 0);
    uint64_t count = db_u64(rows, 1);
    struct bytes rest = db_bytes(rows, 2);
    if (count > ROW_ENTRIES_MAX || first > *next + HOLE_MAX)
        return COMITY_OK;
    int err = COMITY_OK;
    for (; !err && *next < first; ++*next)
        err = each(self, *next, BYTES_NONE);
    for (uint64_t i = first; !err && i < first + count; i++) {
        struct bytes entry = BYTES_NONE;
        if (!audit_lp_next(&rest, &entry)) {
            entry = BYTES_LIT(""); /* there is something, and it is no entry */
            rest = BYTES_NONE;
        }
        if (i < *next)
            continue;
        err = each(self, i, entry);
        ++*next;
    }
    return err;
}

int copy_each_entry(struct audit_copy *c, copy_each *each, void *self, uint64_t *ret_size)
{
    struct db_rows *rows = NULL;
    uint64_t next = 0;
    int got = 0;
    int err =
        db_query(c->db, &rows, "SELECT first, count, data FROM entry_run WHERE ?1 ORDER BY first",
                 DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW)
        err = each_of_row(rows, &next, each, self);
    db_done(rows);
    *ret_size = next;
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* No time is later: so nothing overflows when something is added. */
#define TIME_MAX ((uint64_t)1 << 62)

static bool skip_varint(struct bytes *b)
{
    for (size_t i = 0; i < b->len && i < 10; i++) {
        if (b->data[i] < 0x80) {
            *b = bytes_slice(*b, i + 1, b->len);
            return true;
        }
    }
    return false;
}

bool entry_peek(struct bytes b, uint64_t *ret_time, uint8_t *ret_kind, struct bytes *ret_prev)
{
    enum { FIXED = 18 };
    if (b.len < FIXED + 1 || b.data[0] != 0x09 || b.data[9] != 0x11 || b.data[FIXED] != 0x18)
        return false;
    uint64_t time = 0;
    for (int i = 7; i >= 0; i--)
        time = time << 8 | b.data[10 + i];
    struct bytes rest = bytes_slice(b, FIXED + 1, b.len);
    uint8_t kind = rest.len ? rest.data[0] : 0;
    if (!skip_varint(&rest) || rest.len < 1 || rest.data[0] != 0x20)
        return false;
    rest = bytes_slice(rest, 1, rest.len);
    if (!skip_varint(&rest) || rest.len < 2 + HASH_LEN || rest.data[0] != 0x2a ||
        rest.data[1] != HASH_LEN)
        return false;
    *ret_time = time < TIME_MAX ? time : TIME_MAX;
    *ret_kind = kind < 0x80 ? kind : 0;
    *ret_prev = bytes_slice(rest, 2, HASH_LEN);
    return true;
}

/* ---- single rows ---- */

int copy_entry(struct audit_copy *c, uint64_t index, struct buf *out)
{
    struct db_rows *rows = NULL;
    struct bytes entry = BYTES_NONE;
    int err =
        db_query(c->db, &rows,
                 "SELECT first, data FROM entry_run WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
                 DB_U64(index));
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        struct bytes rest = db_bytes(rows, 1);
        err = COMITY_OK;
        for (uint64_t at = db_u64(rows, 0); !err && at <= index; at++)
            err = audit_lp_next(&rest, &entry) ? COMITY_OK : COMITY_E_NOT_FOUND;
        if (!err) {
            buf_put_bytes(out, entry);
            err = buf_check(out);
        }
    } else if (!err) {
        err = COMITY_E_NOT_FOUND;
    }
    db_done(rows);
    return err;
}

int copy_checkpoint_note(struct audit_copy *c, uint64_t size, struct buf *out)
{
    struct db_rows *rows = NULL;
    int err = db_query(c->db, &rows, "SELECT note FROM checkpoint WHERE size = ?1", DB_U64(size));
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        buf_put_bytes(out, db_bytes(rows, 0));
        err = buf_check(out);
    } else if (!err) {
        err = COMITY_E_NOT_FOUND;
    }
    db_done(rows);
    return err;
}

/* ---- openings ---- */

/*
 * A run is one chunk: `count` times u32be, where each opening ends, then the openings, each as u8
 * salt length, salt, body.
 */
enum { END_LEN = 4 };

void opening_reader_done(struct opening_reader *r)
{
    buf_free(&r->chunk);
    *r = (struct opening_reader){.copy = r->copy};
}

/* COMITY_E_WITHHELD for an empty opening. */
static int read_opening(const struct opening_reader *r, uint64_t index, struct opening *ret)
{
    struct bytes all = buf_bytes(&r->chunk);
    uint64_t at = index - r->first;
    if (r->count > OPENING_RUN_MAX || all.len < r->count * END_LEN)
        return COMITY_E_LEDGER_DAMAGED;
    uint32_t begin = at ? get_u32be(all.data + (at - 1) * END_LEN) : 0;
    uint32_t end = get_u32be(all.data + at * END_LEN);
    struct bytes rest = bytes_slice(all, r->count * END_LEN, all.len);
    if (end <= begin || end > rest.len)
        return COMITY_E_LEDGER_DAMAGED;
    struct bytes opening = bytes_slice(rest, begin, end - begin);
    size_t salt = opening.data[0];
    if (salt == 0)
        return COMITY_E_WITHHELD;
    if (salt != SALT_LEN || opening.len < 1 + salt)
        return COMITY_E_LEDGER_DAMAGED;
    *ret = (struct opening){.salt = bytes_slice(opening, 1, salt),
                            .body = bytes_slice(opening, 1 + salt, opening.len)};
    return COMITY_OK;
}

/* COMITY_E_NOT_FOUND when the segment that the chunk lies in did not come along. */
static int load_run(struct opening_reader *r, struct bytes origin, struct db_rows *rows)
{
    buf_reset(&r->chunk);
    r->count = 0;
    int err = store_get(r->copy->store, db_u64(rows, 0), &r->chunk);
    if (err)
        return err;
    r->origin = origin;
    r->first = db_u64(rows, 1);
    r->count = db_u64(rows, 2);
    return COMITY_OK;
}

static int was_erased(struct audit_copy *c, struct bytes origin, uint64_t index)
{
    const struct db_value at[] = {DB_TEXT(origin), DB_U64(index)};
    uint64_t found = 0;
    int err = db_get_u64(c->db, 0, &found,
                         "SELECT 1 FROM opening_erased WHERE origin = ?1 AND entry = ?2", at, 2);
    return err ? err : found ? COMITY_E_ERASED : COMITY_E_WITHHELD;
}

int opening_find(struct opening_reader *r, struct bytes origin, uint64_t index, struct opening *ret)
{
    struct db_rows *rows = NULL;
    if (r->count && index >= r->first && index - r->first < r->count &&
        bytes_equal(r->origin, origin) && read_opening(r, index, ret) == COMITY_OK)
        return COMITY_OK;
    if (index >= LEDGER_SIZE_MAX)
        return COMITY_E_NOT_FOUND;
    uint64_t least = index >= OPENING_RUN_MAX ? index - OPENING_RUN_MAX + 1 : 0;
    int err =
        db_query(r->copy->db, &rows,
                 "SELECT chunk, first, count FROM opening_run WHERE origin = ?1"
                 " AND first >= ?2 AND first <= ?3 AND first + count > ?3 ORDER BY chunk DESC",
                 DB_TEXT(origin), DB_U64(least), DB_U64(index));
    int found = COMITY_E_NOT_FOUND;
    while (!err && found && (err = db_next(rows)) == DB_ROW) {
        err = load_run(r, origin, rows);
        if (err == COMITY_E_NOT_FOUND || err == COMITY_E_LEDGER_DAMAGED) {
            found = err;
            err = COMITY_OK;
        } else if (!err) {
            found = read_opening(r, index, ret);
        }
    }
    db_done(rows);
    if (err)
        return err;
    return found == COMITY_E_WITHHELD ? was_erased(r->copy, origin, index) : found;
}
