/*
 * The store's life: lock, tables, cleaning up after a crash, turns. See store.h; chunks are in
 * chunk.c.
 */
#include "store/store_internal.h"

#include "base/file.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STORE_VERSION = 1, WAL_WAIT_MS = 100 };

/* Numbers are never reused while a reader may remember them: next_chunk is kept, and the last
 * segment never removed.
 * ${erasures} counts, so that an export notices them. */
static const char *const tables[] = {
    "CREATE TABLE store_chunk ("
    " id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, off INTEGER NOT NULL, len INTEGER NOT NULL,"
    " data BLOB)",
    "CREATE TABLE store_segment ("
    " id INTEGER PRIMARY KEY, end INTEGER NOT NULL, live INTEGER NOT NULL CHECK (live >= 0))",
    "CREATE TABLE store_erasure (segment INTEGER NOT NULL, off INTEGER NOT NULL, len INTEGER NOT "
    "NULL)",
    "CREATE TABLE store_state ("
    " version INTEGER NOT NULL, next_chunk INTEGER NOT NULL, erasures INTEGER NOT NULL)",
    "INSERT INTO store_state VALUES (1, 1, 0)",
};

/* ---- loading --------------------------------------------------------------------------------- */

static int has_tables(struct store *s, bool *ret)
{
    uint64_t n = 0;
    int err = db_get_u64(s->db, 0, &n, "SELECT 1 FROM sqlite_schema WHERE name = 'store_state'",
                         &DB_NULL, 1);
    if (!err)
        *ret = n == 1;
    return err;
}

static int check_version(struct store *s)
{
    uint64_t version = 0;
    int err = db_get_u64(s->db, 0, &version, "SELECT version FROM store_state", &DB_NULL, 1);
    if (err)
        return err;
    return version == STORE_VERSION ? COMITY_OK : COMITY_E_VERSION;
}

static int is_known_segment(void *self, uint64_t id)
{
    struct store *s = self;
    uint64_t n = 0;
    int err = db_get_u64(s->db, 0, &n, "SELECT 1 FROM store_segment WHERE id = ?1", &DB_U64(id), 1);
    return err ? err : n == 1;
}

/* Bytes beyond the committed ends, and files that no row names, are of turns that did not commit.
 */
static int clean_segments(struct store *s)
{
    struct db_rows *rows = NULL;
    int err = db_query(s->db, &rows, "SELECT id, end FROM store_segment ORDER BY id", DB_NULL);
    if (err)
        return err;
    uint64_t last = 0;
    uint64_t last_end = 0;
    while ((err = db_next(rows)) == DB_ROW) {
        last = db_u64(rows, 0);
        last_end = db_u64(rows, 1);
        err = segments_cut(s->segments, last, last_end);
        if (err)
            break;
    }
    db_done(rows);
    if (!err)
        err = segments_sweep(s->segments, is_known_segment, s);
    return err ? err : segments_resume(s->segments, last, last_end);
}

/* What was erased last may not have left the WAL. A reader in the way, or a full disk, only delays
 * that. */
static int empty_wal(struct store *s, int wait_ms)
{
    int err = db_empty_wal(s->db, wait_ms);
    s->wal_due = err != COMITY_OK;
    return err == COMITY_E_IO ? err : COMITY_OK;
}

static int load(struct store *s)
{
    int err = check_version(s);
    if (!err && s->is_writer)
        err = clean_segments(s);
    if (!err && s->is_writer)
        err = store_redo_erasures(s);
    if (!err && s->is_writer)
        err = empty_wal(s, WAL_WAIT_MS);
    if (!err)
        err = db_get_u64(s->db, 1, &s->next_id, "SELECT next_chunk FROM store_state", &DB_NULL, 1);
    s->is_loaded = err == COMITY_OK;
    return err;
}

static int load_if_there(struct store *s)
{
    bool there = false;
    int err = has_tables(s, &there);
    return err || !there ? err : load(s);
}

static int make_tables(struct store *s)
{
    bool there = false;
    int err = has_tables(s, &there);
    for (size_t i = 0; !err && !there && i < sizeof tables / sizeof tables[0]; i++)
        err = db_run(s->db, tables[i], DB_NULL);
    return err;
}

int store_migrate(struct store *s, uint32_t application_id, const char *const *steps, size_t n)
{
    if (!s->is_writer) {
        int err = db_migrate(s->db, application_id, steps, n);
        return err || s->is_loaded ? err : COMITY_E_NOT_A_LEDGER;
    }
    int err = db_begin(s->db);
    if (err)
        return err;
    err = db_migrate(s->db, application_id, steps, n);
    if (!err)
        err = make_tables(s);
    if (err) {
        db_rollback(s->db);
        return err;
    }
    err = db_commit(s->db);
    return err || s->is_loaded ? err : load(s);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int path_of(const char *dir, const char *name, const char *suffix, char **ret)
{
    return asprintf(ret, "%s/%s%s", dir, name, suffix) < 0 ? COMITY_E_NOMEM : COMITY_OK;
}

static int lock(struct store *s, const char *dir, const char *name)
{
    char *path = NULL;
    int err = path_of(dir, name, ".lock", &path);
    if (!err)
        err = file_lock(path, &s->lock_fd);
    free(path);
    return err;
}

static int open_parts(struct store *s, const char *dir, const char *name, enum db_mode mode)
{
    char *folder = NULL;
    int err = path_of(dir, name, ".db", &s->db_path);
    if (!err)
        err = path_of(dir, name, ".seg", &folder);
    if (!err && !(s->segments = segments_new(folder)))
        err = COMITY_E_NOMEM;
    if (!err && mode == DB_WRITE && access(s->db_path, F_OK) != 0)
        err = COMITY_E_NOT_FOUND;
    if (!err && s->is_writer)
        err = lock(s, dir, name);
    if (!err)
        err = db_open(s->db_path, mode, &s->db);
    if (!err && mode == DB_CREATE)
        err = file_sync_dir(dir);
    if (!err && (s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        err = file_err(errno);
    free(folder);
    return err;
}

static struct store *store_new(enum db_mode mode)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->lock_fd = -1;
    s->dir_fd = -1;
    s->is_writer = mode == DB_CREATE || mode == DB_WRITE;
    return s;
}

int store_open(const char *dir, const char *name, enum db_mode mode, struct store **ret)
{
    struct store *s = store_new(mode);
    if (!s)
        return COMITY_E_NOMEM;
    int err = open_parts(s, dir, name, mode);
    if (!err)
        err = load_if_there(s);
    if (err) {
        store_close(s);
        return err;
    }
    *ret = s;
    return COMITY_OK;
}

int store_open_file(const char *path, struct store **ret)
{
    struct store *s = store_new(DB_IMMUTABLE);
    if (!s)
        return COMITY_E_NOMEM;
    s->db_path = strdup(path);
    int err = s->db_path ? db_open(path, DB_IMMUTABLE, &s->db) : COMITY_E_NOMEM;
    if (!err)
        err = load_if_there(s);
    if (err) {
        store_close(s);
        return err;
    }
    *ret = s;
    return COMITY_OK;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_rollback(s);
    turn_done(&s->turn);
    turn_give_back(s);
    buf_free(&s->late_freed);
    buf_free(&s->late_removed);
    db_close(s->db);
    segments_free(s->segments);
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd); /* last: it is what keeps the next one out */
    free(s->db_path);
    free(s);
}

struct db *store_db(struct store *s)
{
    return s->db;
}

/* ---- turns ----------------------------------------------------------------------------------- */

int store_begin(struct store *s)
{
    if (s->turn.running || !s->is_loaded)
        return COMITY_E_INTERNAL;
    int err = db_begin(s->db);
    if (err)
        return err;
    turn_reset(&s->turn);
    s->turn.running = true;
    s->turn.first_id = s->next_id;
    return COMITY_OK;
}

void store_rollback(struct store *s)
{
    if (!s->turn.running)
        return;
    db_rollback(s->db);
    if (s->segments && !db_is_poisoned(s->db))
        segments_roll_back(s->segments);
    turn_reset(&s->turn);
}

/* Behind the commit: it stands, so the only error is COMITY_E_IO, after which the next start goes
 * on from here. */
static int settle(struct store *s)
{
    if (s->segments)
        segments_committed(s->segments);
    int err = turn_settle(s);
    if (!err && (s->turn.must_empty_wal || s->wal_due))
        err = empty_wal(s, s->turn.must_empty_wal ? WAL_WAIT_MS : 0);
    turn_reset(&s->turn);
    if (err)
        db_poison(s->db);
    return err;
}

int store_commit(struct store *s)
{
    if (!s->turn.running)
        return COMITY_E_INTERNAL;
    int err = db_is_poisoned(s->db) ? COMITY_E_IO : s->turn.err;
    if (!err && s->is_writer)
        err = turn_finish(s);
    if (err == COMITY_E_IO)
        db_poison(s->db);
    if (!err)
        err = db_commit(s->db);
    if (!err)
        return settle(s);
    store_rollback(s);
    return err;
}

int store_disk_bytes(struct store *s, uint64_t *ret)
{
    uint64_t sum = s->segments ? segments_disk_bytes(s->segments) : 0;
    static const char *const suffixes[] = {"", "-wal"};
    for (size_t i = 0; i < 2; i++) {
        struct buf path = BUF_INIT;
        buf_printf(&path, "%s%s", s->db_path, suffixes[i]);
        struct stat st;
        if (stat(buf_str(&path), &st) == 0)
            sum += (uint64_t)st.st_blocks * 512;
        buf_free(&path);
    }
    *ret = sum;
    return COMITY_OK;
}
