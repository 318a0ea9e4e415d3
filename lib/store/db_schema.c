/*
 * The schema's version, and copies. See db.h.
 */
#include "store/db_internal.h"

#include "base/file.h"

#include <comity/err.h>
#include <stdio.h>
#include <unistd.h>

/* ---- schema ---------------------------------------------------------------------------------- */

static int get_pragma(struct db *db, const char *sql, uint64_t *ret)
{
    return db_get_u64(db, 0, ret, sql, &DB_NULL, 1);
}

static int set_pragma(struct db *db, const char *name, uint32_t value)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA %s = %d", name, (int)value);
    return db_exec(db, sql);
}

/* Whose file is it, and how far is its schema? A file without mark is ours to take only while it is
 * empty. */
static int check_mark(struct db *db, uint32_t application_id, size_t n, uint64_t *ret_version)
{
    uint64_t mark = 0;
    uint64_t tables = 0;
    uint64_t version = 0;
    int err = get_pragma(db, "PRAGMA application_id", &mark);
    if (!err)
        err = get_pragma(db, "PRAGMA user_version", &version);
    if (!err)
        err = get_pragma(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (err)
        return err;
    bool fresh = mark == 0 && version == 0 && tables == 0;
    if ((uint32_t)mark != application_id && !(fresh && db_is_writer(db)))
        return COMITY_E_NOT_A_LEDGER;
    if (version > n || (!db_is_writer(db) && version < n))
        return COMITY_E_VERSION;
    *ret_version = version;
    return COMITY_OK;
}

static int migrate_locked(struct db *db, uint32_t application_id, const char *const *steps,
                          size_t n)
{
    uint64_t version = 0;
    int err = check_mark(db, application_id, n, &version);
    if (err || (version == n && n > 0))
        return err;
    for (size_t i = version; !err && i < n; i++)
        err = db_exec(db, steps[i]);
    if (!err)
        err = set_pragma(db, "application_id", application_id);
    if (!err)
        err = set_pragma(db, "user_version", (uint32_t)n);
    return err;
}

int db_migrate(struct db *db, uint32_t application_id, const char *const *steps, size_t n)
{
    uint64_t version = 0;
    if (!db_is_writer(db))
        return check_mark(db, application_id, n, &version);
    if (db->in_transaction)
        return migrate_locked(db, application_id, steps, n);
    int err = db_begin(db);
    if (err)
        return err;
    err = migrate_locked(db, application_id, steps, n);
    if (!err)
        return db_commit(db);
    db_rollback(db);
    return err;
}

/* ---- copies ---------------------------------------------------------------------------------- */

int db_copy_to(struct db *db, const char *path)
{
    if (access(path, F_OK) == 0)
        return COMITY_E_EXISTS;
    struct buf tmp = BUF_INIT;
    buf_printf(&tmp, "%s.tmp-%ld", path, (long)getpid());
    unlink(buf_str(&tmp));
    int err = buf_check(&tmp);
    if (!err)
        err = db_create_private(buf_str(&tmp));
    if (!err)
        err = db_run(db, "VACUUM INTO ?1", DB_STR(buf_str(&tmp)));
    if (!err)
        err = file_settle(buf_str(&tmp), path);
    if (err)
        unlink(buf_str(&tmp));
    buf_free(&tmp);
    return err;
}
