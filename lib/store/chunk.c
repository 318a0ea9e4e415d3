/*
 * Chunks: put, read, erased and freed in a turn. What that takes around the commit is in turn.c.
 * See store.h.
 */
#include "store/store_internal.h"

#include <comity/err.h>
#include <string.h>

/* Can the turn be written to? If not, why. */
static int turn_check(const struct store *s)
{
    if (!s->turn.running)
        return COMITY_E_INTERNAL;
    return s->is_writer ? s->turn.err : COMITY_E_PERMISSION;
}

/* What failed halfway must not be committed. */
static int turn_fail(struct store *s, int err)
{
    if (err && !s->turn.err)
        s->turn.err = err;
    return err;
}

/* ---- putting --------------------------------------------------------------------------------- */

/* It is more than a few rows: what was held goes to the segment, as the rest will. */
static int spill(struct store *s)
{
    size_t n = 0;
    struct put *puts = turn_puts(&s->turn, &n);
    for (size_t i = 0; i < n; i++) {
        if (puts[i].freed || puts[i].at.len == 0)
            continue;
        struct bytes content =
            bytes_slice(buf_bytes(&s->turn.held), puts[i].at.off, puts[i].at.len);
        int err = segments_append(s->segments, content, &puts[i].at);
        if (err)
            return err;
    }
    s->turn.spilled = true;
    return COMITY_OK;
}

static int keep(struct store *s, struct bytes content, struct place *ret)
{
    struct turn *t = &s->turn;
    if (!t->spilled && content.len + t->held.len >= TURN_INLINE_MAX) {
        int err = spill(s);
        if (err)
            return err;
    }
    if (t->spilled && content.len > 0)
        return segments_append(s->segments, content, ret);
    *ret = (struct place){.off = t->held.len, .len = content.len};
    buf_put_bytes(&t->held, content);
    return buf_check(&t->held);
}

int store_put(struct store *s, struct bytes content, uint64_t *ret_id)
{
    int err = turn_check(s);
    if (!err && content.len > SEGMENT_MAX)
        err = COMITY_E_TOO_LARGE;
    if (err)
        return err;
    struct put put = {0};
    err = keep(s, content, &put.at);
    if (!err) {
        buf_put(&s->turn.puts, &put, sizeof put);
        err = buf_check(&s->turn.puts);
    }
    if (err)
        return turn_fail(s, err);
    *ret_id = s->next_id++;
    return COMITY_OK;
}

/* ---- finding and reading --------------------------------------------------------------------- */

/* The put of this turn that made ${id}, or NULL. */
static struct put *find_put(struct store *s, uint64_t id)
{
    size_t n = 0;
    struct put *puts = turn_puts(&s->turn, &n);
    if (!s->turn.running || id < s->turn.first_id || id - s->turn.first_id >= n)
        return NULL;
    return &puts[id - s->turn.first_id];
}

/* Cut ${off} and ${len} to a chunk of ${size}: not, if they do not fit. */
static int check_range(uint64_t off, uint64_t len, uint64_t size)
{
    return off <= size && len <= size - off ? COMITY_OK : COMITY_E_INVALID;
}

/* The part of ${at} that was asked for; ${len} SIZE_MAX is all of it. */
static int narrow(struct place *at, uint64_t off, size_t len)
{
    if (len == SIZE_MAX && off == 0)
        return COMITY_OK;
    int err = check_range(off, len, at->len);
    if (err)
        return err;
    at->off += off;
    at->len = len;
    return COMITY_OK;
}

/* A range erased in this turn is zeros already for whoever reads it in this turn. */
static void blank_erased(const struct turn *t, const struct place *at, uint8_t *content)
{
    const struct place *erased = (const struct place *)(const void *)t->erased.data;
    for (size_t i = 0; i < t->erased.len / sizeof *erased; i++) {
        const struct place *e = &erased[i];
        uint64_t from = e->off > at->off ? e->off : at->off;
        uint64_t to = e->off + e->len < at->off + at->len ? e->off + e->len : at->off + at->len;
        if (e->segment == at->segment && from < to)
            memset(content + (from - at->off), 0, to - from);
    }
}

static int read_segment(struct store *s, const struct place *at, struct buf *out)
{
    if (!s->segments)
        return COMITY_E_LEDGER_DAMAGED;
    size_t start = out->len;
    int err = segments_read(s->segments, at, out);
    if (!err)
        blank_erased(&s->turn, at, out->data + start);
    /* A writer that is alive may have removed it since we saw the row; for the writer itself it
     * must be there. */
    return err == COMITY_E_NOT_FOUND && s->is_writer ? COMITY_E_LEDGER_DAMAGED : err;
}

static int read_put(struct store *s, const struct put *p, uint64_t off, size_t len, struct buf *out)
{
    struct place at = p->at;
    int err = p->freed ? COMITY_E_NOT_FOUND : narrow(&at, off, len);
    if (err || !is_held(p))
        return err ? err : read_segment(s, &at, out);
    buf_put_bytes(out, bytes_slice(buf_bytes(&s->turn.held), at.off, at.len));
    return buf_check(out);
}

static int read_row(struct store *s, struct db_rows *rows, uint64_t off, size_t len,
                    struct buf *out)
{
    struct place at = {.segment = db_u64(rows, 0), .off = db_u64(rows, 1), .len = db_u64(rows, 2)};
    struct bytes data = db_bytes(rows, 3);
    if (at.segment == 0 && (at.off != 0 || at.len != data.len))
        return COMITY_E_LEDGER_DAMAGED;
    int err = narrow(&at, off, len);
    if (err)
        return err;
    if (at.segment != 0)
        return read_segment(s, &at, out);
    buf_put_bytes(out, bytes_slice(data, at.off, at.len));
    return buf_check(out);
}

static int read_chunk(struct store *s, uint64_t id, uint64_t off, size_t len, struct buf *out)
{
    const struct put *p = find_put(s, id);
    if (p)
        return read_put(s, p, off, len, out);
    if (!s->is_loaded)
        return COMITY_E_INTERNAL;
    struct db_rows *rows = NULL;
    int err = db_query(s->db, &rows,
                       "SELECT segment, off, len, data FROM store_chunk WHERE id = ?1", DB_U64(id));
    if (err)
        return err;
    err = db_next(rows);
    if (err == DB_ROW)
        err = read_row(s, rows, off, len, out);
    else if (!err)
        err = COMITY_E_NOT_FOUND;
    db_done(rows);
    return err;
}

int store_get(struct store *s, uint64_t id, struct buf *out)
{
    return read_chunk(s, id, 0, SIZE_MAX, out);
}

int store_get_part(struct store *s, uint64_t id, uint64_t off, size_t len, struct buf *out)
{
    return len == SIZE_MAX ? COMITY_E_INVALID : read_chunk(s, id, off, len, out);
}

/* ---- erasing and freeing --------------------------------------------------------------------- */

static int find_place(struct store *s, uint64_t id, struct place *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(s->db, &rows, "SELECT segment, off, len FROM store_chunk WHERE id = ?1",
                       DB_U64(id));
    if (err)
        return err;
    err = db_next(rows);
    if (err == DB_ROW)
        *ret = (struct place){
            .segment = db_u64(rows, 0), .off = db_u64(rows, 1), .len = db_u64(rows, 2)};
    db_done(rows);
    return err == DB_ROW ? COMITY_OK : err ? err : COMITY_E_NOT_FOUND;
}

/* Nobody but this turn has seen it, so it is overwritten at once. */
static int erase_put(struct store *s, const struct put *p, uint64_t off, size_t len)
{
    struct place at = p->at;
    int err = p->freed ? COMITY_E_NOT_FOUND : check_range(off, len, at.len);
    if (err)
        return err;
    at.off += off;
    at.len = len;
    if (!is_held(p))
        return segments_overwrite(s->segments, &at);
    if (len)
        memset(s->turn.held.data + at.off, 0, len);
    return COMITY_OK;
}

/* The same length in the same row: SQLite writes into the same pages. */
static int erase_inline(struct store *s, uint64_t id, uint64_t off, size_t len)
{
    struct buf content = BUF_INIT;
    int err = read_chunk(s, id, 0, SIZE_MAX, &content);
    if (!err && len) {
        memset(content.data + off, 0, len);
        err = db_run(s->db, "UPDATE store_chunk SET data = ?2 WHERE id = ?1", DB_U64(id),
                     DB_BLOB(buf_bytes(&content)));
    }
    buf_free(&content);
    return err;
}

static int erase_in_segment(struct store *s, const struct place *at)
{
    int err = db_run(s->db, "INSERT INTO store_erasure VALUES (?1, ?2, ?3)", DB_U64(at->segment),
                     DB_U64(at->off), DB_U64(at->len));
    if (err)
        return err;
    buf_put(&s->turn.erased, at, sizeof *at);
    return buf_check(&s->turn.erased);
}

static int count_erasure(struct store *s)
{
    return db_run(s->db, "UPDATE store_state SET erasures = erasures + 1", DB_NULL);
}

static int erase_row(struct store *s, uint64_t id, uint64_t off, size_t len)
{
    struct place at = {0};
    int err = find_place(s, id, &at);
    if (!err)
        err = check_range(off, len, at.len);
    if (err)
        return err;
    s->turn.must_empty_wal = true;
    if (at.segment == 0) {
        err = erase_inline(s, id, off, len);
    } else {
        at.off += off;
        at.len = len;
        err = erase_in_segment(s, &at);
    }
    if (!err)
        err = count_erasure(s);
    return turn_fail(s, err);
}

int store_erase(struct store *s, uint64_t id, uint64_t off, size_t len)
{
    int err = turn_check(s);
    if (err)
        return err;
    const struct put *p = find_put(s, id);
    return p ? erase_put(s, p, off, len) : erase_row(s, id, off, len);
}

static int free_row(struct store *s, uint64_t id)
{
    struct place at = {0};
    int err = find_place(s, id, &at);
    if (err)
        return err;
    err = db_run(s->db, "DELETE FROM store_chunk WHERE id = ?1", DB_U64(id));
    if (!err && at.segment != 0) {
        err = db_run(s->db, "UPDATE store_segment SET live = live - ?2 WHERE id = ?1",
                     DB_U64(at.segment), DB_U64(at.len));
        buf_put(&s->turn.freed, &at, sizeof at);
    }
    if (!err)
        err = buf_check(&s->turn.freed);
    s->turn.has_freed = true;
    return turn_fail(s, err);
}

int store_free(struct store *s, uint64_t id)
{
    int err = turn_check(s);
    if (err)
        return err;
    struct put *p = find_put(s, id);
    if (!p)
        return free_row(s, id);
    if (p->freed)
        return COMITY_E_NOT_FOUND;
    p->freed = true;
    s->turn.has_freed = true;
    return COMITY_OK;
}
