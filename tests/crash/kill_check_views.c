/*
 * A dead process's folder is copied, and the copy opened for writing as a start would open it; a
 * node's lists are built anew there, and must be row by row those that the death left. See kill.h.
 */
#include "kill.h"

#include "base/file.h"
#include "node.h"

#include <comity/err.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_file(const char *from, const char *to)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return; /* a WAL, a segment that is not there */
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0 || fstat(in, &st) != 0)
        kill_die(to, "cannot be made");
    for (off_t done = 0; done < st.st_size;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)(st.st_size - done));
        if (n <= 0)
            kill_die(to, "cannot be written");
        done += n;
    }
    close(in);
    close(out);
}

/* Files of ${from} to ${to}, what was there before is gone. */
static void copy_folder(const char *from, const char *to)
{
    DIR *d = opendir(to);
    if (file_mkdirs(to, 0700))
        kill_die(to, "cannot be made");
    for (struct dirent *e = NULL; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    d = opendir(from);
    for (struct dirent *e = NULL; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        char *a = file_path(from, e->d_name);
        char *b = file_path(to, e->d_name);
        copy_file(a, b);
        free(a);
        free(b);
    }
    if (d)
        closedir(d);
}

static void copy_store(struct kill_daemon *d, const char *to)
{
    static const char *const suffixes[] = {".db", ".db-wal"};
    const char *name = site_store_name(d->site);
    char a[PATH_MAX];
    char b[PATH_MAX];
    if (file_mkdirs(to, 0700))
        kill_die(to, "cannot be made");
    for (size_t i = 0; i < 2; i++) {
        path_put(a, "%s/%s%s", d->dir, name, suffixes[i]);
        path_put(b, "%s/%s%s", to, name, suffixes[i]);
        unlink(b);
        copy_file(a, b);
    }
    path_put(b, "%s/%s.db-shm", to, name);
    unlink(b);
    path_put(a, "%s/%s.seg", d->dir, name);
    path_put(b, "%s/%s.seg", to, name);
    copy_folder(a, b);
}

/* ---- row by row ---- */

static long rows_of(struct kill_daemon *d, sqlite3 *db, const char *table, const char *first,
                    const char *second)
{
    char sql[2 * TEXT];
    sqlite3_stmt *st = NULL;
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM (SELECT * FROM %s.%s EXCEPT SELECT * FROM %s.%s)", first, table,
             second, table);
    long n = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        n = (long)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    if (n < 0)
        kill_fail(d->c, d->id, "%s cannot be compared: %s", table, sqlite3_errmsg(db));
    return n;
}

static void compare_views(struct kill_daemon *d, const char *copy)
{
    static const char *const tables[] = {"view_origin",      "view_record",    "view_count",
                                         "view_file",        "view_signature", "view_share",
                                         "view_recognition", "view_officer",   "view_request"};
    char sql[PATH_MAX + TEXT];
    char path[PATH_MAX];
    sqlite3 *db = NULL;
    path_put(path, "%s/ledger.db", copy);
    snprintf(sql, sizeof sql, "ATTACH 'file:%s/ledger.db?mode=ro' AS dead", d->dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        kill_die(path, sqlite3_errmsg(db));
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        long lost = rows_of(d, db, tables[i], "main", "dead");
        long more = rows_of(d, db, tables[i], "dead", "main");
        if (lost || more)
            kill_fail(d->c, d->id, "%s: built anew it has %ld more rows and %ld fewer", tables[i],
                      lost, more);
    }
    sqlite3_close(db);
}

/* ---- opening for writing ---- */

static void rebuild_node(struct kill_daemon *d, const struct site *copy)
{
    struct node *n = NULL;
    int err = node_open(copy, &d->keys, &clock_system, &n);
    if (!err)
        err = node_reindex(n);
    node_close(n);
    if (err)
        kill_fail(d->c, d->id, "it would not start: %s", comity_err_text(err));
    else
        compare_views(d, copy->dir);
}

static void open_broker(struct kill_daemon *d, const struct site *copy)
{
    struct store *s = NULL;
    struct ledger *l = NULL;
    int err = site_open_store(copy, DB_WRITE, &s);
    if (!err)
        err = ledger_open(s, d->keys.ledger, &l);
    ledger_close(l);
    store_close(s);
    if (err)
        kill_fail(d->c, d->id, "it would not start: %s", comity_err_text(err));
}

void check_rebuilt(struct kill_daemon *d)
{
    char to[PATH_MAX];
    struct site copy = *d->site;
    path_put(to, "%s/copy-%s", d->c->dir, d->id);
    copy_store(d, to);
    copy.dir = to;
    if (d->at == HUB)
        open_broker(d, &copy);
    else
        rebuild_node(d, &copy);
}
