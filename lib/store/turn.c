/*
 * Turns: what a turn's puts, erasures and frees come to before its commit and behind it.
 *
 * Erasing in a segment is written down before it is done: the ranges are rows of store_erasure,
 * committed with the turn, overwritten behind the commit, and then the rows go. A crash between is
 * made good at the next start, and a turn that is rolled back has erased nothing.
 */
#include "store/store_internal.h"

#include <comity/err.h>
#include <sys/file.h>

void turn_reset(struct turn *t)
{
    struct turn kept = *t;
    buf_reset(&kept.puts);
    buf_reset(&kept.held);
    buf_reset(&kept.erased);
    buf_reset(&kept.freed);
    buf_reset(&kept.removed);
    *t = (struct turn){.puts = kept.puts,
                       .held = kept.held,
                       .erased = kept.erased,
                       .freed = kept.freed,
                       .removed = kept.removed};
}

void turn_done(struct turn *t)
{
    buf_free(&t->puts);
    buf_free(&t->held);
    buf_free(&t->erased);
    buf_free(&t->freed);
    buf_free(&t->removed);
}

/* ---- before the commit ----------------------------------------------------------------------- */

/* Account for what the turn wrote to one segment: ${puts} are all in it. */
static int put_segment_row(struct store *s, const struct put *puts, size_t n)
{
    uint64_t live = 0;
    for (size_t i = 0; i < n; i++)
        if (!puts[i].freed)
            live += puts[i].at.len;
    return db_run(s->db,
                  "INSERT INTO store_segment (id, end, live) VALUES (?1, ?2, ?3)"
                  " ON CONFLICT (id) DO UPDATE SET end = excluded.end, live = live + excluded.live",
                  DB_U64(puts[0].at.segment), DB_U64(puts[n - 1].at.off + puts[n - 1].at.len),
                  DB_U64(live));
}

static int put_segment_rows(struct store *s, const struct put *puts, size_t n)
{
    for (size_t from = 0; from < n;) {
        size_t to = from + 1;
        while (to < n && puts[to].at.segment == puts[from].at.segment)
            to++;
        int err = is_held(&puts[from]) ? COMITY_OK : put_segment_row(s, &puts[from], to - from);
        if (err)
            return err;
        from = to;
    }
    return COMITY_OK;
}

static int put_chunk_row(struct store *s, uint64_t id, const struct put *p)
{
    struct bytes data = BYTES_NONE;
    uint64_t off = p->at.off;
    if (is_held(p)) {
        data = p->at.len ? bytes_slice(buf_bytes(&s->turn.held), off, p->at.len) : BYTES_LIT("");
        off = 0;
    }
    return db_run(s->db,
                  "INSERT INTO store_chunk (id, segment, off, len, data)"
                  " VALUES (?1, ?2, ?3, ?4, ?5)",
                  DB_U64(id), DB_U64(p->at.segment), DB_U64(off), DB_U64(p->at.len), DB_BLOB(data));
}

static int put_rows(struct store *s)
{
    size_t n = 0;
    const struct put *puts = turn_puts(&s->turn, &n);
    if (n == 0)
        return COMITY_OK;
    int err = put_segment_rows(s, puts, n);
    for (size_t i = 0; !err && i < n; i++)
        if (!puts[i].freed)
            err = put_chunk_row(s, s->turn.first_id + i, &puts[i]);
    if (!err)
        err = db_run(s->db, "UPDATE store_state SET next_chunk = ?1", DB_U64(s->next_id));
    return err;
}

/* Segments in which nothing lives, but for the last one, which is written on. */
static int drop_empty_segments(struct store *s)
{
    struct db_rows *rows = NULL;
    int err = db_query(s->db, &rows,
                       "DELETE FROM store_segment WHERE live = 0"
                       " AND id < (SELECT max(id) FROM store_segment) RETURNING id",
                       DB_NULL);
    if (err)
        return err;
    while ((err = db_next(rows)) == DB_ROW) {
        uint64_t id = db_u64(rows, 0);
        buf_put(&s->turn.removed, &id, sizeof id);
    }
    db_done(rows);
    return err ? err : buf_check(&s->turn.removed);
}

int turn_finish(struct store *s)
{
    int err = put_rows(s);
    if (!err && (s->turn.has_freed || s->turn.spilled))
        err = drop_empty_segments(s);
    if (!err)
        err = segments_sync(s->segments);
    return err;
}

/* ---- behind it ------------------------------------------------------------------------------- */

static int overwrite_all(struct store *s)
{
    const struct place *erased = (const struct place *)(const void *)s->turn.erased.data;
    size_t n = s->turn.erased.len / sizeof *erased;
    for (size_t i = 0; i < n; i++)
        if (segments_overwrite(s->segments, &erased[i]))
            return COMITY_E_IO;
    /* Rows that stay are done again, to no harm: those bytes never come to hold anything else. */
    return n && db_run(s->db, "DELETE FROM store_erasure", DB_NULL) == COMITY_E_IO ? COMITY_E_IO
                                                                                   : COMITY_OK;
}

/* Room is given back only while nobody exports: the copy that is being made still names it. What is
 * still due when the store is closed is made good when the segment is empty, or at the next start.
 */
void turn_give_back(struct store *s)
{
    size_t freed = s->late_freed.len / sizeof(struct place);
    size_t removed = s->late_removed.len / sizeof(uint64_t);
    if (!(freed || removed) || s->dir_fd < 0 || flock(s->dir_fd, LOCK_EX | LOCK_NB) != 0)
        return;
    for (size_t i = 0; i < freed; i++)
        segments_punch(s->segments, (const struct place *)(const void *)s->late_freed.data + i);
    for (size_t i = 0; i < removed; i++)
        segments_remove(s->segments, ((const uint64_t *)(const void *)s->late_removed.data)[i]);
    buf_reset(&s->late_freed);
    buf_reset(&s->late_removed);
    flock(s->dir_fd, LOCK_UN);
}

int turn_settle(struct store *s)
{
    int err = overwrite_all(s);
    if (err)
        return err;
    buf_put_bytes(&s->late_freed, buf_bytes(&s->turn.freed));
    buf_put_bytes(&s->late_removed, buf_bytes(&s->turn.removed));
    turn_give_back(s);
    return COMITY_OK;
}

int store_redo_erasures(struct store *s)
{
    struct db_rows *rows = NULL;
    int err = db_query(s->db, &rows, "SELECT segment, off, len FROM store_erasure", DB_NULL);
    if (err)
        return err;
    bool any = false;
    while ((err = db_next(rows)) == DB_ROW) {
        struct place at = {
            .segment = db_u64(rows, 0), .off = db_u64(rows, 1), .len = db_u64(rows, 2)};
        any = true;
        /* What was removed since cannot be read, either. */
        err = segments_overwrite(s->segments, &at);
        if (err && err != COMITY_E_NOT_FOUND)
            break;
    }
    db_done(rows);
    return err || !any ? err : db_run(s->db, "DELETE FROM store_erasure", DB_NULL);
}
