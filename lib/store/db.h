/*
 * SQLite, opened in the one right way: WAL, synchronous=FULL, 16 KiB pages, one writer.
 *
 * The only place that includes <sqlite3.h>. Statements are string literals, prepared at their first use and kept;
 * values are given beside them, so that a query and what is bound to it stand in one line:
 *
 *     err = db_run(db, "DELETE FROM outbox WHERE parcel_seq <= ?1", DB_U64(seq));
 *
 *     struct db_rows *rows = NULL;
 *     err = db_query(db, &rows, "SELECT first, data FROM entry WHERE first <= ?1", DB_U64(index));
 *     while (!err && (err = db_next(rows)) == DB_ROW) { …; err = COMITY_OK; }
 *     db_done(rows);
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

/* COMITY_E_NOT_A_LEDGER for a file that is no database. */
int db_open(const char *path, enum db_mode mode, struct db **ret) __attribute__((warn_unused_result));
void db_close(struct db *db);

/* What SQLite said about the last failure of this connection, in English. */
const char *db_detail(const struct db *db);

/*
 * Bring the schema up to date: step i takes user_version from i to i+1; all in one transaction. ${application_id} marks
 * the file; one with another mark, or from a later version of this program, is COMITY_E_NOT_A_LEDGER or COMITY_E_VERSION.
 * On a read-only connection it only checks.
 */
int db_migrate(struct db *db, uint32_t application_id, const char *const *steps, size_t n)
    __attribute__((warn_unused_result));

/* BEGIN IMMEDIATE. COMITY_E_BUSY when another process writes. */
int db_begin(struct db *db) __attribute__((warn_unused_result));
/* Durable when it returns 0. After an error the transaction is rolled back. COMITY_E_DISK_FULL, COMITY_E_IO. */
int db_commit(struct db *db) __attribute__((warn_unused_result));
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

struct db_value {
    enum { DB_VALUE_NULL, DB_VALUE_U64, DB_VALUE_BLOB, DB_VALUE_TEXT } kind;
    uint64_t number;
    struct bytes bytes;
};

/* Integers keep their 64 bits; above 2^63 they are negative to SQL, so do not compare those there. */
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

/* Values are the arguments behind ${sql}: at least one; DB_NULL for a statement without any. The values must stay
 * valid until db_run returns, or until db_done. */
#define db_run(db, sql, ...)                                                                       \
    db_run_values((db), (sql), (const struct db_value[]){__VA_ARGS__},                             \
                  sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))
#define db_query(db, ret, sql, ...)                                                                \
    db_query_values((db), (ret), (sql), (const struct db_value[]){__VA_ARGS__},                    \
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
/* One number from a query of one row and column; ${otherwise} when there is no row or it is NULL. */
int db_get_u64(struct db *db, uint64_t otherwise, uint64_t *ret, const char *sql,
               const struct db_value *values, size_t n) __attribute__((warn_unused_result));

/* VACUUM INTO ${path}, which must not exist. */
int db_copy_to(struct db *db, const char *path) __attribute__((warn_unused_result));

#endif
