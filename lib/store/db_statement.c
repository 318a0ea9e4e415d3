/*
 * Statements: prepared once, found again by the address of their text, bound, run. See db.h.
 *
 * A statement whose rows are still open is not disturbed by a second use of the same text: that one
 * gets a twin.
 */
#include "store/db_internal.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct db_statement {
    char *text;
    struct db_rows *first;
    UT_hash_handle hh;
};

/* ---- the cache ------------------------------------------------------------------------------- */

static size_t near_slot(const char *sql)
{
    uint64_t mixed = (uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 56);
}
_Static_assert(DB_NEAR_SLOTS == 256, "near_slot gives 8 bits");

static struct db_statement *statement_new(struct db *db, const char *sql)
{
    struct db_statement *st = calloc(1, sizeof *st);
    if (!st)
        return NULL;
    st->text = strdup(sql);
    if (st->text)
        HASH_ADD_KEYPTR(hh, db->by_text, st->text, strlen(st->text), st);
    if (!st->text || !st->hh.tbl) {
        free(st->text);
        free(st);
        return NULL;
    }
    return st;
}

/* An address alone proves nothing: the text behind it is compared, which is cheap against running
 * it. */
static struct db_statement *find_statement(struct db *db, const char *sql)
{
    struct db_near *near = &db->near[near_slot(sql)];
    if (near->sql == sql && strcmp(near->statement->text, sql) == 0)
        return near->statement;
    struct db_statement *st = NULL;
    HASH_FIND_STR(db->by_text, sql, st);
    if (!st)
        st = statement_new(db, sql);
    if (st)
        *near = (struct db_near){.sql = sql, .statement = st};
    return st;
}

static int prepare(struct db *db, const char *sql, struct db_rows **ret)
{
    struct db_rows *rows = calloc(1, sizeof *rows);
    if (!rows)
        return COMITY_E_NOMEM;
    rows->db = db;
    const char *rest = NULL;
    int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &rows->stmt, &rest);
    int err = db_fail(db, rc);
    /* Nothing to run, or a second statement that would silently not be run. */
    if (!err && (!rows->stmt || rest[strspn(rest, " \n\t;")]))
        err = COMITY_E_INTERNAL;
    if (err) {
        sqlite3_finalize(rows->stmt);
        free(rows);
        return err;
    }
    *ret = rows;
    return COMITY_OK;
}

static int take(struct db *db, const char *sql, struct db_rows **ret)
{
    struct db_statement *st = find_statement(db, sql);
    if (!st)
        return COMITY_E_NOMEM;
    struct db_rows *rows = st->first;
    while (rows && rows->in_use)
        rows = rows->twin;
    if (!rows) {
        int err = prepare(db, sql, &rows);
        if (err)
            return err;
        rows->twin = st->first;
        st->first = rows;
    }
    rows->in_use = true;
    rows->ended = false;
    *ret = rows;
    return COMITY_OK;
}

void db_statements_free(struct db *db)
{
    struct db_statement *st = NULL;
    struct db_statement *next = NULL;
    HASH_ITER(hh, db->by_text, st, next)
    {
        HASH_DEL(db->by_text, st);
        for (struct db_rows *rows = st->first; rows;) {
            struct db_rows *twin = rows->twin;
            sqlite3_finalize(rows->stmt);
            free(rows);
            rows = twin;
        }
        free(st->text);
        free(st);
    }
    memset(db->near, 0, sizeof db->near);
}

/* ---- running --------------------------------------------------------------------------------- */

static int bind_one(sqlite3_stmt *stmt, int at, const struct db_value *v)
{
    const char *data = (const char *)v->bytes.data;
    switch (v->kind) {
    case DB_VALUE_U64:
        return sqlite3_bind_int64(stmt, at, (sqlite3_int64)v->number);
    case DB_VALUE_BLOB:
        return data ? sqlite3_bind_blob64(stmt, at, data, v->bytes.len, SQLITE_STATIC)
                    : sqlite3_bind_null(stmt, at);
    case DB_VALUE_TEXT:
        return data ? sqlite3_bind_text64(stmt, at, data, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8)
                    : sqlite3_bind_null(stmt, at);
    case DB_VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

/* Every parameter is bound anew at every use, so that none keeps a pointer of the last one. */
static int bind_all(struct db_rows *rows, const struct db_value *values, size_t n)
{
    size_t wanted = (size_t)sqlite3_bind_parameter_count(rows->stmt);
    if (wanted != n && !(wanted == 0 && n == 1 && values[0].kind == DB_VALUE_NULL))
        return COMITY_E_INTERNAL;
    for (size_t i = 0; i < wanted; i++) {
        int rc = bind_one(rows->stmt, (int)i + 1, &values[i]);
        if (rc != SQLITE_OK)
            return db_fail(rows->db, rc);
    }
    return COMITY_OK;
}

int db_query_values(struct db *db, struct db_rows **ret, const char *sql,
                    const struct db_value *values, size_t n)
{
    struct db_rows *rows = NULL;
    int err = db_check_transaction(db);
    if (!err)
        err = take(db, sql, &rows);
    if (!err)
        err = bind_all(rows, values, n);
    if (err) {
        db_done(rows);
        return err;
    }
    *ret = rows;
    return COMITY_OK;
}

int db_next(struct db_rows *rows)
{
    if (rows->ended)
        return COMITY_OK;
    int rc = sqlite3_step(rows->stmt);
    if (rc == SQLITE_ROW)
        return DB_ROW;
    rows->ended = true;
    return rc == SQLITE_DONE ? COMITY_OK : db_fail(rows->db, rc);
}

void db_done(struct db_rows *rows)
{
    if (!rows)
        return;
    sqlite3_reset(rows->stmt);
    rows->in_use = false;
}

int db_run_values(struct db *db, const char *sql, const struct db_value *values, size_t n)
{
    struct db_rows *rows = NULL;
    int err = db_query_values(db, &rows, sql, values, n);
    if (err)
        return err;
    do
        err = db_next(rows);
    while (err == DB_ROW);
    if (!err)
        db->changes = (uint64_t)sqlite3_changes64(db->handle);
    db_done(rows);
    return err || db->in_transaction ? err : db_checkpoint_if_due(db);
}

int db_get_u64(struct db *db, uint64_t otherwise, uint64_t *ret, const char *sql,
               const struct db_value *values, size_t n)
{
    struct db_rows *rows = NULL;
    int err = db_query_values(db, &rows, sql, values, n);
    if (err)
        return err;
    err = db_next(rows);
    if (err >= 0)
        *ret = err == DB_ROW && !db_is_null(rows, 0) ? db_u64(rows, 0) : otherwise;
    db_done(rows);
    return err < 0 ? err : COMITY_OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

uint64_t db_u64(struct db_rows *rows, int column)
{
    return (uint64_t)sqlite3_column_int64(rows->stmt, column);
}

struct bytes db_bytes(struct db_rows *rows, int column)
{
    if (db_is_null(rows, column))
        return BYTES_NONE;
    const void *data = sqlite3_column_blob(rows->stmt, column);
    size_t len = (size_t)sqlite3_column_bytes(rows->stmt, column);
    /* SQLite gives no address for an empty blob. */
    return data ? BYTES(data, len) : BYTES_LIT("");
}

bool db_is_null(struct db_rows *rows, int column)
{
    return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL;
}

uint64_t db_changes(const struct db *db)
{
    return db->changes;
}
