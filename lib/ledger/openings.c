/*
 * Bodies with their salts, in runs, as chunks of the store. See ledger.h.
 *
 * A chunk is a table, then the openings one behind the other, each as `u8 salt length ‖ salt ‖
 * body`; the table has a u32be for each of them, where it ends. So one opening is read, and erased,
 * without touching its neighbours.
 */
#include "ledger/internal.h"

#include <comity/err.h>
#include <string.h>

enum { PLACE_LEN = 4 };

static int check_run(struct bytes origin, uint64_t first, const struct openings *run)
{
    struct origin parts;
    if (text_get_origin(origin, &parts) || run->count == 0 || run->count > OPENING_RUN_MAX ||
        first >= LEDGER_SIZE_MAX)
        return COMITY_E_INVALID;
    for (size_t i = 0; i < run->count; i++) {
        const struct opening *o = &run->opening[i];
        if ((o->salt.len != 0 && o->salt.len != SALT_LEN) || o->body.len > BODY_BYTES_MAX)
            return COMITY_E_INVALID;
    }
    return COMITY_OK;
}

/* Which of the run were erased here before: they stay erased. */
static int find_erased(struct ledger *l, struct bytes origin, uint64_t first, size_t n,
                       bool *ret_erased)
{
    struct db_rows *rows = NULL;
    int err = db_query(l->db, &rows,
                       "SELECT entry FROM opening_erased"
                       " WHERE origin = ?1 AND entry >= ?2 AND entry < ?3",
                       DB_TEXT(origin), DB_U64(first), DB_U64(first + n));
    while (!err && (err = db_next(rows)) == DB_ROW) {
        ret_erased[db_u64(rows, 0) - first] = true;
        err = COMITY_OK;
    }
    db_done(rows);
    return err;
}

static void put_chunk(struct buf *out, const struct openings *run, const bool *erased)
{
    uint32_t end = 0;
    for (size_t i = 0; i < run->count; i++) {
        const struct opening *o = &run->opening[i];
        end += (uint32_t)(1 + (erased[i] ? 0 : o->salt.len + o->body.len));
        buf_put_u32be(out, end);
    }
    for (size_t i = 0; i < run->count; i++) {
        const struct opening *o = &run->opening[i];
        buf_put_u8(out, erased[i] ? 0 : (uint8_t)o->salt.len);
        if (erased[i])
            continue;
        buf_put_bytes(out, o->salt);
        buf_put_bytes(out, o->body);
    }
}

int ledger_openings_put(struct ledger *l, struct bytes origin, uint64_t first,
                        const struct openings *run)
{
    bool erased[OPENING_RUN_MAX] = {false};
    struct buf chunk = BUF_INIT;
    uint64_t id = 0;
    if (l->turn != TURN_OPEN && l->turn != TURN_SIGNED)
        return COMITY_E_INVALID;
    int err = check_run(origin, first, run);
    if (!err)
        err = find_erased(l, origin, first, run->count, erased);
    if (err)
        return err;
    put_chunk(&chunk, run, erased);
    err = buf_check(&chunk);
    if (!err)
        err = store_put(l->store, buf_bytes(&chunk), &id);
    if (!err)
        err = db_run(
            l->db, "INSERT INTO opening_run (chunk, origin, first, count) VALUES (?1, ?2, ?3, ?4)",
            DB_U64(id), DB_TEXT(origin), DB_U64(first), DB_U64(run->count));
    buf_free(&chunk);
    return err;
}

/* ---- one opening ---- */

/* Where an opening lies. */
struct place {
    uint64_t chunk;
    uint64_t off;
    size_t len;
};

static int find_place(struct ledger *l, uint64_t chunk, uint64_t count, uint64_t at,
                      struct place *ret)
{
    struct buf ends = BUF_INIT;
    bool is_first = at == 0;
    uint64_t from = is_first ? 0 : (at - 1) * PLACE_LEN;
    int err = store_get_part(l->store, chunk, from, is_first ? PLACE_LEN : 2 * PLACE_LEN, &ends);
    if (!err && ends.len != (is_first ? PLACE_LEN : 2 * PLACE_LEN))
        err = COMITY_E_LEDGER_DAMAGED;
    if (!err) {
        uint32_t begin = is_first ? 0 : get_u32be(ends.data);
        uint32_t end = get_u32be(ends.data + (is_first ? 0 : PLACE_LEN));
        if (end <= begin || end - begin > 1 + SALT_LEN + BODY_BYTES_MAX)
            err = COMITY_E_LEDGER_DAMAGED;
        else
            *ret = (struct place){
                .chunk = chunk, .off = count * PLACE_LEN + begin, .len = end - begin};
    }
    buf_free(&ends);
    return err;
}

/*
 * Call ${each} for every run that holds entry ${index} of ${origin}, the newest first, until it
 * returns non-zero, which is passed on. Runs overlap where a record came more than once; none is
 * longer than OPENING_RUN_MAX.
 */
static int each_place(struct ledger *l, struct bytes origin, uint64_t index,
                      int (*each)(void *self, const struct place *p), void *self)
{
    struct db_rows *rows = NULL;
    struct place p = {0};
    uint64_t least = index >= OPENING_RUN_MAX ? index - OPENING_RUN_MAX + 1 : 0;
    if (index >= LEDGER_SIZE_MAX)
        return COMITY_OK;
    int err = db_query(l->db, &rows,
                       "SELECT chunk, first, count FROM opening_run WHERE origin = ?1"
                       " AND first >= ?2 AND first <= ?3 AND first + count > ?3"
                       " ORDER BY chunk DESC",
                       DB_TEXT(origin), DB_U64(least), DB_U64(index));
    while (!err && (err = db_next(rows)) == DB_ROW) {
        err = find_place(l, db_u64(rows, 0), db_u64(rows, 2), index - db_u64(rows, 1), &p);
        if (!err)
            err = each(self, &p);
    }
    db_done(rows);
    return err;
}

static int is_erased(struct ledger *l, struct bytes origin, uint64_t index, bool *ret)
{
    const struct db_value at[] = {DB_TEXT(origin), DB_U64(index)};
    uint64_t found = 0;
    int err = db_get_u64(l->db, 0, &found,
                         "SELECT 1 FROM opening_erased WHERE origin = ?1 AND entry = ?2", at, 2);
    if (!err)
        *ret = found == 1;
    return err;
}

struct reading {
    struct ledger *l;
    struct arena *arena;
    struct opening opening;
    bool found;
    bool withheld;
};

enum { STOP = 1 };

static int read_one(void *self, const struct place *p)
{
    struct reading *r = self;
    struct buf bytes = BUF_INIT;
    /* Only the byte that says how long the salt is. */
    if (p->len == 1) {
        r->withheld = true;
        return COMITY_OK;
    }
    int err = store_get_part(r->l->store, p->chunk, p->off, p->len, &bytes);
    if (!err && (bytes.len != p->len || bytes.data[0] > p->len - 1))
        err = COMITY_E_LEDGER_DAMAGED;
    struct bytes copy = BYTES_NONE;
    if (!err) {
        copy = arena_copy(r->arena, buf_bytes(&bytes));
        err = copy.data ? COMITY_OK : COMITY_E_NOMEM;
    }
    buf_free(&bytes);
    if (err)
        return err;
    size_t salt_len = copy.data[0];
    r->opening.salt = salt_len ? bytes_slice(copy, 1, salt_len) : BYTES_NONE;
    r->opening.body = bytes_slice(copy, 1 + salt_len, copy.len);
    r->found = true;
    return STOP;
}

int ledger_opening(struct ledger *l, struct bytes origin, uint64_t index, struct arena *a,
                   struct opening *ret)
{
    struct reading r = {.l = l, .arena = a};
    bool erased = false;
    int err = is_erased(l, origin, index, &erased);
    if (!err && erased)
        return COMITY_E_ERASED;
    if (!err)
        err = each_place(l, origin, index, read_one, &r);
    if (err < 0)
        return err;
    if (!r.found)
        return r.withheld ? COMITY_E_WITHHELD : COMITY_E_NOT_FOUND;
    *ret = r.opening;
    return COMITY_OK;
}

struct erasing {
    struct ledger *l;
    bool found;
};

static int erase_one(void *self, const struct place *p)
{
    struct erasing *e = self;
    e->found = true;
    return p->len > 1 ? store_erase(e->l->store, p->chunk, p->off, p->len) : COMITY_OK;
}

int ledger_opening_erase(struct ledger *l, struct bytes origin, uint64_t index)
{
    struct erasing e = {.l = l};
    if (l->turn != TURN_OPEN && l->turn != TURN_SIGNED)
        return COMITY_E_INVALID;
    int err = each_place(l, origin, index, erase_one, &e);
    if (!err && !e.found)
        err = COMITY_E_NOT_FOUND;
    if (err)
        return err;
    return db_run(l->db, "INSERT OR IGNORE INTO opening_erased (origin, entry) VALUES (?1, ?2)",
                  DB_TEXT(origin), DB_U64(index));
}
