/*
 * The connection: how it is opened, its errors, its transactions, the schema's version. See db.h.
 *
 * Checkpoints are made here and not by SQLite's own hook, because that one ignores their failure; a
 * failed fsync during a checkpoint would be retried, and the retry may report a success that is
 * none.
 */
#include "store/db_internal.h"

#include "base/file.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 16 MiB of pages. Measured from 8 to 128 MiB under a steady load: the turns a second are
 * the same, but the one turn that pays for the checkpoint takes four times as long at the upper
 * end. */
enum { CHECKPOINT_FRAMES = 4096, BUSY_TIMEOUT_MS = 5000 };

/* ---- errors ---------------------------------------------------------------------------------- */

static int io_err(struct db *db, int rc)
{
    switch (rc) {
    case SQLITE_IOERR_NOMEM:
        return COMITY_E_NOMEM;
    case SQLITE_IOERR_CORRUPTFS:
        return COMITY_E_LEDGER_DAMAGED;
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
        db->poisoned = true;
        return COMITY_E_IO;
    case SQLITE_IOERR_WRITE:
        /* SQLite knows only one way for a disk to be full. */
        return sqlite3_system_errno(db->handle) == EDQUOT ? COMITY_E_DISK_FULL : COMITY_E_IO;
    default:
        return COMITY_E_IO;
    }
}

static int constraint_err(int rc)
{
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return COMITY_E_EXISTS;
    default:
        return COMITY_E_INVALID;
    }
}

static int err_of(struct db *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return COMITY_OK;
    case SQLITE_NOMEM:
        return COMITY_E_NOMEM;
    case SQLITE_FULL:
        return COMITY_E_DISK_FULL;
    case SQLITE_IOERR:
        return io_err(db, rc);
    case SQLITE_CORRUPT:
        return COMITY_E_LEDGER_DAMAGED;
    case SQLITE_NOTADB:
        return COMITY_E_NOT_A_LEDGER;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return COMITY_E_BUSY;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return COMITY_E_PERMISSION;
    case SQLITE_CANTOPEN:
        return sqlite3_system_errno(db->handle) == ENOENT ? COMITY_E_NOT_FOUND
                                                          : COMITY_E_PERMISSION;
    case SQLITE_INTERRUPT:
        return COMITY_E_INTERRUPTED;
    case SQLITE_CONSTRAINT:
        return constraint_err(rc);
    default:
        return COMITY_E_INTERNAL;
    }
}

int db_fail(struct db *db, int rc)
{
    int err = err_of(db, rc);
    if (!err)
        return err;
    snprintf(db->detail, sizeof db->detail, "%s", sqlite3_errmsg(db->handle));
    if (db->in_transaction && sqlite3_get_autocommit(db->handle) && !db->transaction_error)
        db->transaction_error = err;
    return err;
}

const char *db_detail(const struct db *db)
{
    return db->detail;
}

int db_exec(struct db *db, const char *sql)
{
    return db_fail(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool has_content(const char *path, const char *suffix)
{
    struct buf name = BUF_INIT;
    buf_printf(&name, "%s%s", path, suffix);
    struct stat st;
    bool yes = stat(buf_str(&name), &st) == 0 && st.st_size > 0;
    buf_free(&name);
    return yes;
}

/*
 * SQLite would let everybody read what it creates; -wal and -shm take the mode of the database. A
 * file that is there is never opened here: closing it would drop the locks that other connections
 * of this process hold on it.
 */
int db_create_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno == EEXIST ? COMITY_OK : file_err(errno);
    close(fd);
    return COMITY_OK;
}

/* SQLite takes a file of one byte for an empty one, and would write over it. */
static int check_size(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return file_err(errno);
    return st.st_size == 1 ? COMITY_E_NOT_A_LEDGER : COMITY_OK;
}

static int prepare_file(const char *path, enum db_mode mode)
{
    int err = mode == DB_CREATE ? db_create_private(path) : COMITY_OK;
    if (!err)
        err = check_size(path);
    /* Somebody writes here, or died doing so: without the WAL this is not what was committed. */
    if (!err && mode == DB_IMMUTABLE &&
        (has_content(path, "-wal") || has_content(path, "-journal")))
        err = COMITY_E_BUSY;
    return err;
}

static void put_uri(struct buf *out, const char *path, const char *query)
{
    buf_put_str(out, path[0] == '/' ? "file://" : "file:");
    for (const char *c = path; *c; c++) {
        if (strchr("%?#", *c))
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*c);
        else
            buf_put_u8(out, (uint8_t)*c);
    }
    buf_put_str(out, query);
}

static int open_handle(struct db *db, const char *path)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    flags |= db_is_writer(db) ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    struct buf uri = BUF_INIT;
    put_uri(&uri, path, db->mode == DB_IMMUTABLE ? "?immutable=1" : "");
    int err = buf_check(&uri);
    if (!err) {
        int rc = sqlite3_open_v2(buf_str(&uri), &db->handle, flags, NULL);
        err = db->handle ? db_fail(db, rc) : COMITY_E_NOMEM;
    }
    buf_free(&uri);
    return err;
}

static int remember_wal_frames(void *self, sqlite3 *handle, const char *name, int frames)
{
    (void)handle;
    (void)name;
    ((struct db *)self)->wal_frames = frames;
    return SQLITE_OK;
}

static int set_up(struct db *db)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    int err = db_exec(db, "PRAGMA cell_size_check = ON;"
                          "PRAGMA temp_store = MEMORY;"
                          "PRAGMA cache_size = -16384;"
                          "PRAGMA mmap_size = 0;");
    if (!db_is_writer(db)) {
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return err;
    }
    sqlite3_wal_hook(db->handle, remember_wal_frames, db);
    /* The page size counts only before the first page is written: small, because a turn with one
     * record touches two dozen pages, each of which is summed and written whole. The WAL is cut
     * down when it starts anew. */
    if (!err)
        err = db_exec(db, "PRAGMA page_size = 4096;"
                          "PRAGMA secure_delete = ON;"
                          "PRAGMA journal_mode = WAL;"
                          "PRAGMA journal_size_limit = 67108864;"
                          "PRAGMA synchronous = FULL;");
    return err;
}

static int check_file(struct db *db)
{
    uint64_t ignored = 0;
    int err = db_get_u64(db, 0, &ignored, "SELECT count(*) FROM sqlite_schema", &DB_NULL, 1);
    if (err || !db_is_writer(db))
        return err;
    struct db_rows *rows = NULL;
    err = db_query(db, &rows, "PRAGMA journal_mode", DB_NULL);
    if (!err)
        err = db_next(rows);
    bool is_wal = err == DB_ROW && bytes_is(db_bytes(rows, 0), "wal");
    db_done(rows);
    /* A file system without shared memory: we would not be what db.h says. */
    return err < 0 ? err : is_wal ? COMITY_OK : COMITY_E_UNSUPPORTED;
}

int db_open(const char *path, enum db_mode mode, struct db **ret)
{
    int err = prepare_file(path, mode);
    if (err)
        return err;
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return COMITY_E_NOMEM;
    db->mode = mode;
    err = open_handle(db, path);
    if (!err)
        err = set_up(db);
    if (!err)
        err = check_file(db);
    if (err) {
        db_close(db);
        return err;
    }
    *ret = db;
    return COMITY_OK;
}

/* ---- transactions ---------------------------------------------------------------------------- */

void db_poison(struct db *db)
{
    db->poisoned = true;
}

bool db_is_poisoned(const struct db *db)
{
    return db->poisoned;
}

int db_check_transaction(struct db *db)
{
    if (!db->in_transaction || !sqlite3_get_autocommit(db->handle))
        return COMITY_OK;
    return db->transaction_error ? db->transaction_error : COMITY_E_INTERNAL;
}

int db_begin(struct db *db)
{
    if (db->poisoned)
        return COMITY_E_IO;
    if (db->in_transaction)
        return COMITY_E_INTERNAL;
    int err = db_run(db, db_is_writer(db) ? "BEGIN IMMEDIATE" : "BEGIN", DB_NULL);
    if (err)
        return err;
    db->in_transaction = true;
    db->transaction_error = COMITY_OK;
    return COMITY_OK;
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    db->in_transaction = false;
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_commit(struct db *db)
{
    if (!db->in_transaction)
        return COMITY_E_INTERNAL;
    int err = db->poisoned ? COMITY_E_IO : db_check_transaction(db);
    if (!err) {
        err = db_run(db, "COMMIT", DB_NULL);
        if (err == COMITY_E_IO)
            db->poisoned = true;
    }
    if (err) {
        db_rollback(db);
        return err;
    }
    db->in_transaction = false;
    return db_checkpoint_if_due(db);
}

static int checkpoint(struct db *db, int how)
{
    int frames = -1;
    int done = -1;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, how, &frames, &done);
    int err = rc == SQLITE_OK ? COMITY_OK : db_fail(db, rc);
    if (err == COMITY_E_IO)
        db->poisoned = true;
    if (!err)
        db->wal_frames = frames > done ? frames : 0;
    return err;
}

int db_checkpoint_if_due(struct db *db)
{
    if (db->wal_frames < CHECKPOINT_FRAMES || !sqlite3_get_autocommit(db->handle))
        return COMITY_OK;
    /* A reader in the way, a full disk: what was committed stands in the WAL; the next commit tries
     * again. */
    int err = checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
    return err == COMITY_E_IO ? err : COMITY_OK;
}

int db_empty_wal(struct db *db, int wait_ms)
{
    sqlite3_busy_timeout(db->handle, wait_ms);
    int err = checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    return err;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_statements_free(db);
    /*
     * SQLite empties the WAL for the last connection only, and we may close before a reader does.
     * After a failed sync a last checkpoint would only be a retry.
     */
    if (db->handle && db_is_writer(db) && !db->poisoned)
        (void)!db_empty_wal(db, 0);
    if (db->poisoned)
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(db->handle);
    free(db);
}
