/*
 * The export: one file that holds all of a store. See store.h.
 *
 * A compact copy of the database is made under a temporary name, the chunks of the segments are
 * written into its rows, and only then does it get its name. A writer that is alive meanwhile goes
 * on; what it frees, it gives back only afterwards, because the folder is locked. What it erases,
 * it erases at once: that is noticed, and the export begins anew, rather than have a hole.
 */
#include "store/store_internal.h"

#include "base/file.h"

#include <comity/err.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { EXPORT_TRIES = 5 };

static int erasures(struct db *db, uint64_t *ret)
{
    return db_get_u64(db, 0, ret, "SELECT erasures FROM store_state", &DB_NULL, 1);
}

static int take_in(struct store *s, struct db *copy, uint64_t id, const struct place *at,
                   struct buf *content)
{
    buf_reset(content);
    int err = segments_read(s->segments, at, content);
    if (err)
        return err;
    return db_run(copy, "UPDATE store_chunk SET segment = 0, off = 0, data = ?2 WHERE id = ?1",
                  DB_U64(id), DB_BLOB(buf_bytes(content)));
}

/* One row after the other by id: the statement that finds them must not see its own updates. */
static int take_in_all(struct store *s, struct db *copy)
{
    struct buf content = BUF_INIT;
    uint64_t id = 0;
    int err = COMITY_OK;
    for (;;) {
        struct db_rows *rows = NULL;
        err = db_query(copy, &rows,
                       "SELECT id, segment, off, len FROM store_chunk"
                       " WHERE id > ?1 AND segment <> 0 ORDER BY id LIMIT 1",
                       DB_U64(id));
        if (err)
            break;
        err = db_next(rows);
        struct place at = {0};
        if (err == DB_ROW) {
            id = db_u64(rows, 0);
            at = (struct place){
                .segment = db_u64(rows, 1), .off = db_u64(rows, 2), .len = db_u64(rows, 3)};
        }
        db_done(rows);
        if (err != DB_ROW || (err = take_in(s, copy, id, &at, &content)) != COMITY_OK)
            break;
    }
    buf_free(&content);
    return err;
}

/* An erasure that a writer has committed but not yet done would be undone by the copy. */
static int check_erasures(struct db *copy)
{
    uint64_t n = 0;
    int err = db_get_u64(copy, 0, &n, "SELECT count(*) FROM store_erasure", &DB_NULL, 1);
    return err ? err : n ? COMITY_E_AGAIN : COMITY_OK;
}

static int fill(struct store *s, struct db *copy)
{
    int err = check_erasures(copy);
    if (!err)
        err = db_begin(copy);
    if (!err)
        err = take_in_all(s, copy);
    if (!err)
        err = db_run(copy, "DELETE FROM store_segment", DB_NULL);
    return err ? err : db_commit(copy);
}

static int fill_file(struct store *s, const char *path)
{
    struct db *copy = NULL;
    uint64_t then = 0;
    uint64_t now = 0;
    int err = db_open(path, DB_WRITE, &copy);
    /* Nothing to lose yet, and nothing may stand beside it in the end. */
    if (!err)
        err = db_run(copy, "PRAGMA journal_mode = DELETE", DB_NULL);
    if (!err)
        err = db_run(copy, "PRAGMA synchronous = OFF", DB_NULL);
    if (!err)
        err = erasures(copy, &then);
    if (!err)
        err = fill(s, copy);
    db_close(copy);
    if (err && err != COMITY_E_NOT_FOUND)
        return err;
    int other = erasures(s->db, &now);
    return other ? other : now != then ? COMITY_E_AGAIN : err;
}

static int write_copy(struct store *s, const char *path, const char *tmp)
{
    unlink(tmp);
    int err = db_copy_to(s->db, tmp);
    if (!err)
        err = fill_file(s, tmp);
    if (!err)
        err = file_settle(tmp, path);
    if (err)
        unlink(tmp);
    return err;
}

int store_export(struct store *s, const char *path)
{
    if (!s->is_loaded || s->turn.running)
        return COMITY_E_INTERNAL;
    if (access(path, F_OK) == 0)
        return COMITY_E_EXISTS;
    struct buf tmp = BUF_INIT;
    buf_printf(&tmp, "%s.part-%ld", path, (long)getpid());
    int err = buf_check(&tmp);
    if (!err && s->dir_fd >= 0 && flock(s->dir_fd, LOCK_SH) != 0)
        err = COMITY_E_IO;
    if (!err)
        err = COMITY_E_AGAIN;
    for (int i = 0; err == COMITY_E_AGAIN && i < EXPORT_TRIES; i++)
        err = write_copy(s, path, buf_str(&tmp));
    if (s->dir_fd >= 0)
        flock(s->dir_fd, LOCK_UN);
    buf_free(&tmp);
    return err;
}
