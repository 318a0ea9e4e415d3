/*
 * SQLite, opened in the one right way: WAL, synchronous=FULL, 4 KiB pages, one writer.
 *
 * The only place that includes <sqlite3.h>. Statements are string literals, prepared at their first
 * use and kept; values are given beside them, so that a query and what is bound to it stand in one
 * line:
 *
 *     err = db_run(db, "DELETE FROM outbox WHERE parcel_seq <= ?1", DB_U64(seq));
 *
 *     struct db_rows *rows = NULL;
 *     err = db_query(db, &rows, "SELECT first, data FROM entry WHERE first <= ?1", DB_U64(index));
 *     while (!err && (err = db_next(rows)) == DB_ROW) { …; err = COMITY_OK; }
 *     db_done(rows);
 *
 * A query may be used again while its rows are open, and rows may be read on while other statements
 * run.
 *
 * Erasing: secure_delete is on, so that what is overwritten or deleted by SQL is zeros in its page.
 * The page's older images stay in the -wal until db_empty_wal has run, or db_close.
 *
 * Errors of all functions: COMITY_E_NOMEM, _DISK_FULL, _IO, _BUSY, _LEDGER_DAMAGED (malformed
 * pages), _PERMISSION (a read-only connection or file), _TOO_LARGE, _EXISTS (a unique key is
 * taken), _INVALID (another constraint, or a trigger's RAISE), _INTERNAL (SQL that does not fit the
 * schema or its values; a misuse of these functions). When SQLite gave up the transaction by
 * itself, every function says so until db_rollback; nothing runs outside of it by accident.
 *
 * A connection belongs to one thread.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/bytes.h"

enum db_mode {
    DB_CREATE,   /* read and write; made if missing */
    DB_WRITE,    /* read and write; COMITY_E_NOT_FOUND if missing */
    DB_READ,     /* beside a living writer; never checkpoints the WAL */
    DB_IMMUTABLE /* a copy at rest: nothing is written beside it, and a non-empty -wal is refused */
};

struct db;
struct db_rows;

/*
 * COMITY_E_NOT_A_LEDGER for a file that is no database; COMITY_E_BUSY for DB_IMMUTABLE beside a
 * -wal with content; COMITY_E_UNSUPPORTED for a file system on which there is no WAL. A new file
 * can be read by its owner and group.
 */
int db_open(const char *path, enum db_mode mode, struct db **ret)
    __attribute__((warn_unused_result));
void db_close(struct db *db);

/* What SQLite said about the last failure of this connection, in English. */
const char *db_detail(const struct db *db);

/*
 * Bring the schema up to date: step i takes user_version from i to i+1; all in one transaction.
 * ${application_id} marks the file; one with another mark, or from a later version of this program,
 * is COMITY_E_NOT_A_LEDGER or COMITY_E_VERSION. On a read-only connection it only checks: a file
 * that is behind is COMITY_E_VERSION, too. Inside a transaction of the caller it takes part in
 * that.
 */
int db_migrate(struct db *db, uint32_t application_id, const char *const *steps, size_t n)
    __attribute__((warn_unused_result));

/* BEGIN IMMEDIATE. COMITY_E_BUSY when another process writes for longer than 5 s. On a read-only
 * connection: from its first query to db_commit or db_rollback, all queries see the same state. */
int db_begin(struct db *db) __attribute__((warn_unused_result));
/*
 * Durable when it returns 0. After an error the transaction is rolled back. After COMITY_E_IO (the
 * commit's own sync failed, or that of the checkpoint behind it) it may come back at the next
 * start: end the process. Until then every begin and commit fails with COMITY_E_IO.
 */
int db_commit(struct db *db) __attribute__((warn_unused_result));
void db_rollback(struct db *db);

/* A file that belongs to the database could not be synced: from now on every begin and commit fails
 * with COMITY_E_IO. */
void db_poison(struct db *db);
bool db_is_poisoned(const struct db *db);

/*
 * Copy the WAL into the database, sync it, and cut the WAL to nothing, so that no older image of a
 * page is left in a file. (The blocks go back to the file system as they are.) COMITY_E_BUSY when a
 * reader still needs it after ${wait_ms}.
 */
int db_empty_wal(struct db *db, int wait_ms) __attribute__((warn_unused_result));

struct db_value {
    enum { DB_VALUE_NULL, DB_VALUE_U64, DB_VALUE_BLOB, DB_VALUE_TEXT } kind;
    uint64_t number;
    struct bytes bytes;
};

/* Integers keep their 64 bits; above 2^63 they are negative to SQL, so do not compare those there.
 */
#define DB_U64(v) ((struct db_value){.kind = DB_VALUE_U64, .number = (uint64_t)(v)})
/* An empty view is stored as an empty blob, one without data as NULL. */
#define DB_BLOB(b) ((struct db_value){.kind = DB_VALUE_BLOB, .bytes = (b)})
#define DB_TEXT(b) ((struct db_value){.kind = DB_VALUE_TEXT, .bytes = (b)})
#define DB_STR(s) DB_TEXT(bytes_of(s))
#define DB_NULL ((struct db_value){.kind = DB_VALUE_NULL})

int db_run_values(struct db *db, const char *sql, const struct db_value *values, size_t n)
    __attribute__((warn_unused_result));
int db_query_values(struct db *db, struct db_rows **ret, const char *sql,
                    const struct db_value *values, size_t n) __attribute__((warn_unused_result));

/* Values are the arguments behind ${sql}: at least one; DB_NULL for a statement without any. The
 * values must stay valid until db_run returns, or until db_done. */
#define db_run(db, sql, ...)                                           \
    db_run_values((db), (sql), (const struct db_value[]){__VA_ARGS__}, \
                  sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))
#define db_query(db, ret, sql, ...)                                             \
    db_query_values((db), (ret), (sql), (const struct db_value[]){__VA_ARGS__}, \
                    sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))

enum { DB_ROW = 1 };
/* DB_ROW, 0 at the end, or a negative error. */
int db_next(struct db_rows *rows) __attribute__((warn_unused_result));
/* Give the statement back. NULL is fine. Every db_query that returned 0 needs one. */
void db_done(struct db_rows *rows);

uint64_t db_u64(struct db_rows *rows, int column);
/* Valid until the next db_next or db_done. None for NULL. */
struct bytes db_bytes(struct db_rows *rows, int column);
bool db_is_null(struct db_rows *rows, int column);
/* Rows changed by the last db_run. */
uint64_t db_changes(const struct db *db);
/* One number from a query of one row and column; ${otherwise} when there is no row or it is NULL.
 */
int db_get_u64(struct db *db, uint64_t otherwise, uint64_t *ret, const char *sql,
               const struct db_value *values, size_t n) __attribute__((warn_unused_result));

/* A compact copy at ${path}, durable and as a whole. COMITY_E_EXISTS when it exists; not inside a
 * transaction. */
int db_copy_to(struct db *db, const char *path) __attribute__((warn_unused_result));

#endif
