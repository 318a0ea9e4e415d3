/*
 * The broker's queues in SQLite; attachments are in store_blobs.c. See store.h; the tables are
 * described in lib/site/schema_broker.c.
 */
#include "store.h"

#include "base/text.h"
#include "store_sql.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

const char *const sql_housekeeping[SQL_HOUSEKEEPING_COUNT] = {
    [SQL_PASSED] = "SELECT p.origin, sum(p.len) FROM delivery d JOIN parcel p ON p.id = d.parcel"
                   " WHERE d.member = ?1 AND d.seq > ?2 AND d.seq <= ?3 GROUP BY p.origin",
    [SQL_MOVE_TAKEN] = "UPDATE recipient SET taken = ?2, queued = queued - ?3 WHERE member = ?1",
    [SQL_LESSEN] = "UPDATE share SET queued = queued - ?3, held = held - ?4"
                   " WHERE member = ?1 AND sender = ?2",
    [SQL_MARK_DONE] =
        "UPDATE parcel SET done_ms = ?4 WHERE id IN (SELECT parcel FROM delivery"
        "  WHERE member = ?1 AND seq > ?2 AND seq <= ?3)"
        " AND NOT EXISTS (SELECT 1 FROM delivery d JOIN recipient r ON r.member = d.member"
        "  WHERE d.parcel = parcel.id AND d.seq > r.taken)",
    [SQL_DUE] = "SELECT id, chunk FROM parcel WHERE chunk <> 0 AND done_ms <= ?1"
                " ORDER BY done_ms LIMIT ?2",
    [SQL_FORGET_DELIVERIES] = "DELETE FROM delivery WHERE parcel = ?1",
    [SQL_FORGET_PARCEL] = "UPDATE parcel SET chunk = 0 WHERE id = ?1",
    [SQL_FREED] = "SELECT id FROM blob WHERE freed = 1 LIMIT ?1",
    [SQL_FILE_DONE] =
        "UPDATE blob_member SET done = 1 WHERE blob = ?1 AND member = ?2 AND may_get AND NOT done",
    [SQL_FREE_BLOB] = "UPDATE blob SET freed = 1 WHERE id = ?1 AND freed = 0 AND NOT EXISTS"
                      " (SELECT 1 FROM blob_member WHERE blob = ?1 AND may_get AND NOT done)",
};

int sql_hash(struct db_rows *rows, int column, struct hash *ret)
{
    struct bytes b = db_bytes(rows, column);
    if (b.len != HASH_LEN)
        return COMITY_E_LEDGER_DAMAGED;
    memcpy(ret->b, b.data, HASH_LEN);
    return COMITY_OK;
}

int sql_one_row(struct db_rows *rows)
{
    int got = db_next(rows);
    return got == DB_ROW ? COMITY_OK : got ? got : COMITY_E_NOT_FOUND;
}

int queue_known(struct store *s, struct bytes origin, struct known *ret, struct buf *note)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(s), &rows,
                       "SELECT parcel_seq, size, root, note, refused FROM known WHERE origin = ?1",
                       DB_TEXT(origin));
    if (err)
        return err;
    struct known k = {0};
    err = sql_one_row(rows);
    if (!err) {
        k.parcel_seq = db_u64(rows, 0);
        k.size = db_u64(rows, 1);
        k.refused = db_u64(rows, 4);
        err = sql_hash(rows, 2, &k.root);
        if (!err && note)
            buf_put_bytes(note, db_bytes(rows, 3));
    }
    db_done(rows);
    if (err && err != COMITY_E_NOT_FOUND)
        return err;
    *ret = k;
    return note ? buf_check(note) : COMITY_OK;
}

int queue_set_known(struct store *s, struct bytes origin, const struct known *k, struct bytes note)
{
    return db_run(store_db(s),
                  "INSERT INTO known(origin, parcel_seq, size, root, note, refused)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                  " ON CONFLICT(origin) DO UPDATE SET parcel_seq = ?2, size = ?3, root = ?4,"
                  " note = coalesce(?5, note), refused = max(refused, ?6)",
                  DB_TEXT(origin), DB_U64(k->parcel_seq), DB_U64(k->size),
                  DB_BLOB(hash_bytes(&k->root)), DB_BLOB(note), DB_U64(k->refused));
}

int queue_root_at(struct store *s, struct bytes origin, uint64_t size, struct hash *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(s), &rows,
                       "SELECT root FROM parcel WHERE origin = ?1 AND size = ?2 AND token IS NULL"
                       " UNION ALL SELECT root FROM known WHERE origin = ?1 AND size = ?2 LIMIT 1",
                       DB_TEXT(origin), DB_U64(size));
    if (err)
        return err;
    err = sql_one_row(rows);
    if (!err)
        err = sql_hash(rows, 0, ret);
    db_done(rows);
    return err;
}

int queue_put_parcel(struct store *s, const struct queue_parcel *p, uint64_t *ret_id)
{
    uint64_t chunk = 0;
    int err = p->bytes.data ? store_put(s, p->bytes, &chunk) : COMITY_OK;
    if (err)
        return err;
    err = db_run(store_db(s),
                 "INSERT INTO parcel(origin, parcel_seq, size, root, routed, token, chunk, len)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                 DB_TEXT(p->origin), DB_U64(p->parcel_seq), DB_U64(p->size),
                 DB_BLOB(hash_bytes(&p->root)), DB_U64(p->routed),
                 p->token ? DB_STR(p->token) : DB_NULL, DB_U64(chunk), DB_U64(p->bytes.len));
    if (err)
        return err;
    const struct db_value none = DB_NULL;
    return db_get_u64(store_db(s), 0, ret_id, "SELECT last_insert_rowid()", &none, 1);
}

int sql_enlarge_share(struct store *s, struct bytes member, struct bytes sender, uint64_t queued,
                      uint64_t held)
{
    return db_run(store_db(s),
                  "INSERT INTO share(member, sender, queued, held) VALUES(?1, ?2, ?3, ?4)"
                  " ON CONFLICT(member, sender) DO UPDATE SET queued = queued + ?3,"
                  " held = held + ?4",
                  DB_TEXT(member), DB_TEXT(sender), DB_U64(queued), DB_U64(held));
}

int queue_share(struct store *s, struct bytes member, struct bytes sender, uint64_t *ret)
{
    const struct db_value v[] = {DB_TEXT(member), DB_TEXT(sender)};
    return db_get_u64(store_db(s), 0, ret,
                      "SELECT queued + held FROM share WHERE member = ?1 AND sender = ?2", v, 2);
}

int queue_put_delivery(struct store *s, const struct queue_put *d)
{
    int err = db_run(store_db(s), "INSERT INTO delivery(member, seq, parcel) VALUES(?1, ?2, ?3)",
                     DB_TEXT(d->member), DB_U64(d->seq), DB_U64(d->parcel));
    if (!err)
        err = db_run(store_db(s),
                     "INSERT INTO recipient(member, given, taken, queued) VALUES(?1, ?2, 0, ?3)"
                     " ON CONFLICT(member) DO UPDATE SET given = ?2, queued = queued + ?3",
                     DB_TEXT(d->member), DB_U64(d->seq), DB_U64(d->len));
    return err ? err : sql_enlarge_share(s, d->member, d->sender, d->len, 0);
}

int queue_recipient(struct store *s, struct bytes member, struct recipient *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(s), &rows,
                       "SELECT given, taken, queued, held FROM recipient WHERE member = ?1",
                       DB_TEXT(member));
    if (err)
        return err;
    struct recipient r = {0};
    err = sql_one_row(rows);
    if (!err)
        r = (struct recipient){.given = db_u64(rows, 0),
                               .taken = db_u64(rows, 1),
                               .queued = db_u64(rows, 2),
                               .held = db_u64(rows, 3)};
    db_done(rows);
    if (err && err != COMITY_E_NOT_FOUND)
        return err;
    *ret = r;
    return COMITY_OK;
}

int queue_first_delivery(struct store *s, struct bytes member, uint64_t *ret)
{
    struct recipient r;
    int err = queue_recipient(s, member, &r);
    if (err)
        return err;
    const struct db_value who = DB_TEXT(member);
    return db_get_u64(store_db(s), r.given + 1, ret,
                      "SELECT min(seq) FROM delivery WHERE member = ?1", &who, 1);
}

/* What a cursor passes, sender by sender. */
struct passed {
    char origin[ORIGIN_MAX + 1];
    uint64_t bytes;
};

static int read_passed(struct db_rows *rows, struct passed **ret, size_t *ret_count)
{
    struct passed *all = NULL;
    size_t n = 0;
    int got = 0;
    while ((got = db_next(rows)) == DB_ROW) {
        struct bytes origin = db_bytes(rows, 0);
        struct passed *grown = realloc(all, (n + 1) * sizeof *grown);
        if (grown)
            all = grown;
        if (!grown || origin.len > ORIGIN_MAX) {
            free(all);
            return grown ? COMITY_E_LEDGER_DAMAGED : COMITY_E_NOMEM;
        }
        all[n] = (struct passed){.bytes = db_u64(rows, 1)};
        memcpy(all[n++].origin, origin.data, origin.len);
    }
    if (got) {
        free(all);
        return got;
    }
    *ret = all;
    *ret_count = n;
    return COMITY_OK;
}

static int lessen(struct store *s, struct bytes member, const struct passed *p)
{
    struct origin o;
    int err = text_get_origin(bytes_of(p->origin), &o);
    return err ? COMITY_E_LEDGER_DAMAGED
               : db_run(store_db(s), sql_housekeeping[SQL_LESSEN], DB_TEXT(member),
                        DB_TEXT(o.member), DB_U64(p->bytes), DB_U64(0));
}

/* ${member} passes ${after} … ${seq}: its bytes, and those of each sender's share. */
static int pass(struct store *s, struct bytes member, uint64_t after, uint64_t seq)
{
    struct db_rows *rows = NULL;
    struct passed *passed = NULL;
    size_t n = 0;
    uint64_t sum = 0;
    int err = db_query(store_db(s), &rows, sql_housekeeping[SQL_PASSED], DB_TEXT(member),
                       DB_U64(after), DB_U64(seq));
    if (err)
        return err;
    err = read_passed(rows, &passed, &n);
    db_done(rows);
    for (size_t i = 0; i < n && !err; i++) {
        sum += passed[i].bytes;
        err = lessen(s, member, &passed[i]);
    }
    free(passed);
    return err ? err
               : db_run(store_db(s), sql_housekeeping[SQL_MOVE_TAKEN], DB_TEXT(member), DB_U64(seq),
                        DB_U64(sum));
}

int queue_set_taken(struct store *s, struct bytes member, uint64_t seq, int64_t now_ms)
{
    struct recipient r;
    int err = queue_recipient(s, member, &r);
    if (err || seq <= r.taken)
        return err;
    err = pass(s, member, r.taken, seq);
    if (err)
        return err;
    return db_run(store_db(s), sql_housekeeping[SQL_MARK_DONE], DB_TEXT(member), DB_U64(r.taken),
                  DB_U64(seq), DB_U64(now_ms));
}

int queue_delivery(struct store *s, struct bytes member, uint64_t seq, struct queue_delivery *ret)
{
    struct db_rows *rows = NULL;
    int err =
        db_query(store_db(s), &rows,
                 "SELECT p.id, p.routed, p.chunk FROM delivery d JOIN parcel p ON p.id = d.parcel"
                 " WHERE d.member = ?1 AND d.seq = ?2",
                 DB_TEXT(member), DB_U64(seq));
    if (err)
        return err;
    err = sql_one_row(rows);
    if (!err)
        *ret = (struct queue_delivery){
            .parcel = db_u64(rows, 0), .routed = db_u64(rows, 1), .chunk = db_u64(rows, 2)};
    db_done(rows);
    return err;
}

int queue_answers(struct store *s, struct bytes origin, uint64_t after, size_t max,
                  uint64_t *ret_index, size_t *ret_count, uint64_t *ret_last, bool *ret_refused)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(s), &rows,
                       "SELECT parcel_seq, routed, token IS NOT NULL FROM parcel"
                       " WHERE origin = ?1 AND parcel_seq > ?2 ORDER BY parcel_seq LIMIT ?3",
                       DB_TEXT(origin), DB_U64(after), DB_U64(max));
    if (err)
        return err;
    size_t n = 0;
    bool refused = false;
    while (!refused && (err = db_next(rows)) == DB_ROW) {
        *ret_last = db_u64(rows, 0);
        ret_index[n++] = db_u64(rows, 1);
        refused = db_u64(rows, 2) != 0;
        err = COMITY_OK;
    }
    db_done(rows);
    *ret_count = n;
    *ret_refused = refused;
    return err == DB_ROW ? COMITY_OK : err;
}

int queue_kept(struct store *s, struct bytes origin, uint64_t after, struct queue_delivery *ret,
               uint64_t *ret_seq)
{
    struct db_rows *rows = NULL;
    bool found = false;
    int got = 0;
    uint64_t seq = after;
    int err = db_query(store_db(s), &rows,
                       "SELECT parcel_seq, id, routed, chunk, token IS NULL FROM parcel"
                       " WHERE origin = ?1 AND parcel_seq > ?2 ORDER BY parcel_seq LIMIT ?3",
                       DB_TEXT(origin), DB_U64(after), DB_U64(QUEUE_LOOK));
    while (!err && !found && (got = db_next(rows)) == DB_ROW) {
        seq = db_u64(rows, 0);
        found = db_u64(rows, 3) != 0 && db_u64(rows, 4) != 0;
        if (found)
            *ret = (struct queue_delivery){
                .parcel = db_u64(rows, 1), .routed = db_u64(rows, 2), .chunk = db_u64(rows, 3)};
    }
    db_done(rows);
    if (err || got < 0)
        return err ? err : got;
    *ret_seq = seq;
    return found ? COMITY_OK : COMITY_E_NOT_FOUND;
}

int queue_taker(struct store *s, struct bytes member, struct arena *a, struct bytes *ret)
{
    struct db_rows *rows = NULL;
    struct bytes taker = BYTES_NONE;
    int err = db_query(store_db(s), &rows, "SELECT origin FROM recipient WHERE member = ?1",
                       DB_TEXT(member));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW && !db_is_null(rows, 0) && !(taker = arena_copy(a, db_bytes(rows, 0))).data)
        got = COMITY_E_NOMEM;
    db_done(rows);
    if (got < 0)
        return got;
    *ret = taker;
    return COMITY_OK;
}

/* What waits for ${member} behind its cursor, counted anew: in all, and sender by sender. */
static int recount(struct store *s, struct bytes member)
{
    struct db *db = store_db(s);
    int err = db_run(db,
                     "UPDATE recipient SET queued = (SELECT coalesce(sum(p.len), 0) FROM delivery d"
                     " JOIN parcel p ON p.id = d.parcel WHERE d.member = ?1 AND d.seq > taken)"
                     " WHERE member = ?1",
                     DB_TEXT(member));
    if (!err)
        err = db_run(db, "UPDATE share SET queued = 0 WHERE member = ?1", DB_TEXT(member));
    if (!err)
        err = db_run(db,
                     "INSERT INTO share(member, sender, queued, held) SELECT ?1,"
                     " substr(id, 1, instr(id || '.', '.') - 1) AS sender, sum(len), 0 FROM"
                     " (SELECT substr(p.origin, instr(p.origin, '/') + 1) AS id, p.len AS len"
                     "  FROM delivery d JOIN recipient r ON r.member = d.member"
                     "  JOIN parcel p ON p.id = d.parcel WHERE d.member = ?1 AND d.seq > r.taken)"
                     " WHERE true GROUP BY 2"
                     " ON CONFLICT(member, sender) DO UPDATE SET queued = excluded.queued",
                     DB_TEXT(member));
    return err;
}

int queue_set_taker(struct store *s, struct bytes member, struct bytes origin, uint64_t seq)
{
    struct db *db = store_db(s);
    struct recipient r;
    int err = queue_recipient(s, member, &r);
    if (!err)
        err = db_run(db,
                     "INSERT INTO recipient(member, given, taken, queued, origin)"
                     " VALUES(?1, 0, 0, 0, ?2) ON CONFLICT(member) DO UPDATE SET origin = ?2",
                     DB_TEXT(member), DB_TEXT(origin));
    if (err || seq >= r.taken)
        return err;
    err = db_run(db, "UPDATE recipient SET taken = ?2 WHERE member = ?1", DB_TEXT(member),
                 DB_U64(seq));
    /* Nothing of it may be let go before it is taken again. */
    if (!err)
        err = db_run(db,
                     "UPDATE parcel SET done_ms = NULL WHERE done_ms IS NOT NULL AND id IN"
                     " (SELECT parcel FROM delivery WHERE member = ?1 AND seq > ?2)",
                     DB_TEXT(member), DB_U64(seq));
    return err ? err : recount(s, member);
}

static int let_go(struct store *s, uint64_t id, uint64_t chunk)
{
    int err = store_free(s, chunk);
    if (!err)
        err = db_run(store_db(s), sql_housekeeping[SQL_FORGET_DELIVERIES], DB_U64(id));
    if (!err)
        err = db_run(store_db(s), sql_housekeeping[SQL_FORGET_PARCEL], DB_U64(id));
    return err;
}

int queue_sweep(struct store *s, int64_t before_ms, size_t max, size_t *ret_freed)
{
    enum { AT_ONCE = 256 };
    uint64_t id[AT_ONCE];
    uint64_t chunk[AT_ONCE];
    size_t n = 0;
    struct db_rows *rows = NULL;
    if (before_ms < 0)
        before_ms = 0;
    int err = db_query(store_db(s), &rows, sql_housekeeping[SQL_DUE], DB_U64(before_ms),
                       DB_U64(max < AT_ONCE ? max : AT_ONCE));
    if (err)
        return err;
    while ((err = db_next(rows)) == DB_ROW) {
        id[n] = db_u64(rows, 0);
        chunk[n++] = db_u64(rows, 1);
    }
    db_done(rows);
    for (size_t i = 0; !err && i < n; i++)
        err = let_go(s, id[i], chunk[i]);
    if (!err)
        *ret_freed = n;
    return err;
}

int queue_totals(struct store *s, struct queue_totals *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(s), &rows,
                       "SELECT sum(given - taken), sum(queued), sum(held) FROM recipient", DB_NULL);
    if (err)
        return err;
    err = sql_one_row(rows);
    if (!err)
        *ret = (struct queue_totals){.parcels = db_u64(rows, 0),
                                     .parcel_bytes = db_u64(rows, 1),
                                     .blob_bytes = db_u64(rows, 2)};
    db_done(rows);
    return err;
}

int queue_put_roster(struct store *s, uint64_t number, struct bytes file)
{
    return db_run(store_db(s), "INSERT INTO roster(number, file) VALUES(?1, ?2)", DB_U64(number),
                  DB_BLOB(file));
}

int queue_roster(struct store *s, uint64_t number, struct buf *file)
{
    struct db_rows *rows = NULL;
    int err = number == UINT64_MAX
                  ? db_query(store_db(s), &rows,
                             "SELECT file FROM roster ORDER BY number DESC LIMIT 1", DB_NULL)
                  : db_query(store_db(s), &rows, "SELECT file FROM roster WHERE number = ?1",
                             DB_U64(number));
    if (err)
        return err;
    err = sql_one_row(rows);
    if (!err)
        buf_put_bytes(file, db_bytes(rows, 0));
    db_done(rows);
    return err ? err : buf_check(file);
}
