/*
 * What db.c (the connection), db_statement.c and db_schema.c share. Nobody else includes it.
 */
#ifndef STORE_DB_INTERNAL_H
#define STORE_DB_INTERNAL_H

#include "store/db.h"

#include <sqlite3.h>

enum { DB_NEAR_SLOTS = 256, DB_DETAIL_MAX = 256 };

/* A prepared statement, and the handle of a query that runs on it. */
struct db_rows {
    struct db *db;
    sqlite3_stmt *stmt;
    bool in_use;
    bool ended;
    struct db_rows *twin; /* the same text once more, for use while this one is open */
};

struct db_statement;

struct db {
    sqlite3 *handle;
    enum db_mode mode;
    bool poisoned;         /* a sync failed: what the disk holds is unknown */
    bool in_transaction;   /* by db_begin; SQLite may have rolled back on its own since */
    int transaction_error; /* the failure that made it do so */
    int wal_frames;        /* in the WAL after the last commit */
    uint64_t changes;
    char detail[DB_DETAIL_MAX];

    struct db_statement *by_text; /* uthash */
    /* In front of by_text, by the address of a literal; what does not fit displaces what is there.
     */
    struct db_near {
        const char *sql;
        struct db_statement *statement;
    } near[DB_NEAR_SLOTS];
};

static inline bool db_is_writer(const struct db *db)
{
    return db->mode == DB_CREATE || db->mode == DB_WRITE;
}

/* Make ${path} for SQLite to open, unless it is there. */
int db_create_private(const char *path);
/* The error for SQLite's ${rc}, just returned by a call on ${db}; keeps what SQLite said, and what
 * must be remembered. */
int db_fail(struct db *db, int rc);
/* Run statements that take no values and give no rows, without keeping them. */
int db_exec(struct db *db, const char *sql);
/* Where a transaction was begun but SQLite has given it up: the reason. */
int db_check_transaction(struct db *db);
/* Copy the WAL into the database when it has grown enough. Only a failing disk is an error. */
int db_checkpoint_if_due(struct db *db);
void db_statements_free(struct db *db);

#endif
