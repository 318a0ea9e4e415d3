/*
 * The tables of the inbox: what was delivered, how far each sender's numbers are, attachments to be
 * fetched.
 */
#include "base/log.h"
#include "core.h"
#include "inbox.h"
#include "inbox_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- senders ---- */

struct source *inbox_find_source(struct node *n, struct bytes origin)
{
    struct source *s = NULL;
    HASH_FIND(hh, n->core->sources, origin.data, origin.len, s);
    return s;
}

struct source *inbox_source(struct node *n, struct bytes origin)
{
    struct source *s = inbox_find_source(n, origin);
    if (s || origin.len > ORIGIN_MAX || !(s = calloc(1, sizeof *s)))
        return s;
    memcpy(s->origin, origin.data, origin.len);
    HASH_ADD_KEYPTR(hh, n->core->sources, s->origin, origin.len, s);
    return s;
}

void inbox_unload(struct node *n)
{
    struct source *s = NULL;
    struct source *next = NULL;
    HASH_ITER(hh, n->core->sources, s, next)
    {
        HASH_DEL(n->core->sources, s);
        pair_free(&s->pair);
        free(s);
    }
}

static int load_source(struct node *n, struct db_rows *rows)
{
    struct source *s = inbox_source(n, db_bytes(rows, 0));
    struct bytes root = db_bytes(rows, 3);
    if (!s)
        return COMITY_E_NOMEM;
    s->pair.next = db_u64(rows, 1);
    s->size = db_u64(rows, 2);
    if (root.len == HASH_LEN)
        memcpy(s->root.b, root.data, HASH_LEN);
    return COMITY_OK;
}

static int load_gap(struct node *n, struct db_rows *rows)
{
    struct source *s = inbox_find_source(n, db_bytes(rows, 0));
    return s ? pair_add_gap(&s->pair,
                            (struct pair_range){.first = db_u64(rows, 1), .last = db_u64(rows, 2)})
             : COMITY_E_LEDGER_DAMAGED;
}

int inbox_load(struct node *n)
{
    static const struct {
        const char *sql;
        int (*load)(struct node *n, struct db_rows *rows);
    } table[] = {
        {"SELECT origin, next, size, root FROM pair_in WHERE ?1", load_source},
        {"SELECT origin, first, last FROM pair_gap WHERE ?1 ORDER BY origin, first", load_gap}};
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < sizeof table / sizeof table[0]; i++) {
        struct db_rows *rows = NULL;
        int got = 0;
        err = db_query(store_db(n->store), &rows, table[i].sql, DB_U64(1));
        while (!err && (got = db_next(rows)) == DB_ROW)
            err = table[i].load(n, rows);
        db_done(rows);
        if (!err && got < 0)
            err = got;
    }
    return err;
}

static int write_gaps(struct node *n, const struct source *s)
{
    struct db *db = store_db(n->store);
    int err = db_run(db, "DELETE FROM pair_gap WHERE origin = ?1", DB_STR(s->origin));
    for (size_t i = 0; !err && i < s->pair.gap_count; i++)
        err = db_run(db, "INSERT INTO pair_gap(origin, first, last) VALUES(?1, ?2, ?3)",
                     DB_STR(s->origin), DB_U64(s->pair.gap[i].first), DB_U64(s->pair.gap[i].last));
    return err;
}

static int write_sources(struct node *n)
{
    int err = COMITY_OK;
    for (struct source *s = n->core->sources; s && !err; s = s->hh.next) {
        if (!s->is_dirty)
            continue;
        err = db_run(store_db(n->store),
                     "INSERT INTO pair_in(origin, next, size, root) VALUES(?1, ?2, ?3, ?4)"
                     " ON CONFLICT(origin) DO UPDATE SET next = ?2, size = ?3, root = ?4",
                     DB_STR(s->origin), DB_U64(s->pair.next), DB_U64(s->size),
                     DB_BLOB(hash_bytes(&s->root)));
        if (!err && s->is_gap_dirty)
            err = write_gaps(n, s);
        s->is_dirty = s->is_gap_dirty = false;
    }
    return err;
}

/* ---- duplicates ---- */

/* Whether ${h}, whose entries begin with index ${first}, has the entries of ${f} at their places.
 */
static int compare_entries(const struct parcel_head *h, uint64_t first,
                           const struct parcel_facts *f)
{
    for (size_t i = 0; i < f->count; i++) {
        uint64_t at = f->entries[i].index - first;
        if (f->entries[i].index < first || at >= h->entry_count)
            return COMITY_E_PAIR_SEQ;
        if (!bytes_equal(h->entries[at], f->head.entries[i]))
            return COMITY_E_EQUIVOCATION;
    }
    return COMITY_OK;
}

static int compare_kept(struct turn *t, uint64_t chunk, uint64_t first,
                        const struct parcel_facts *f)
{
    struct buf bytes = BUF_INIT;
    struct parcel_head h;
    int err = store_get(t->node->store, chunk, &bytes);
    if (!err)
        err = parcel_head_decode(t->arena, buf_bytes(&bytes), &h);
    if (!err)
        err = compare_entries(&h, first, f);
    buf_free(&bytes);
    return err;
}

/* What was taken in this very turn is in no table yet. */
static const struct delivery *find_in_turn(const struct turn *t, const struct parcel_facts *f)
{
    for (size_t i = t->deliveries.count; i-- > 0;) {
        const struct delivery *d = &t->deliveries.at[i];
        if (!d->token && !d->is_duplicate && d->facts && d->facts->from == f->from &&
            d->facts->entries[0].index <= f->entries[0].index)
            return d;
    }
    return NULL;
}

int inbox_is_duplicate(struct turn *t, const struct parcel_facts *f)
{
    struct node *n = t->node;
    const struct delivery *d = find_in_turn(t, f);
    int err =
        d ? compare_entries(&d->facts->head, d->facts->entries[0].index, f) : COMITY_E_PAIR_SEQ;
    if (err != COMITY_E_PAIR_SEQ)
        return err;
    struct db_rows *rows = NULL;
    uint64_t first = 0;
    uint64_t chunk = 0;
    err = db_query(store_db(n->store), &rows,
                   "SELECT first, head FROM parcel_in WHERE origin = ?1 AND first <= ?2"
                   " AND token IS NULL ORDER BY first DESC LIMIT 1",
                   DB_TEXT(f->head.origin), DB_U64(f->entries[0].index));
    if (err)
        return err;
    int got = db_next(rows);
    if (got == DB_ROW) {
        first = db_u64(rows, 0);
        chunk = db_u64(rows, 1);
    }
    db_done(rows);
    if (got != DB_ROW)
        return got < 0 ? got : COMITY_E_PAIR_SEQ;
    return compare_kept(t, chunk, first, f);
}

/* ---- deliveries ---- */

static int write_row(struct turn *t, const struct delivery *d, uint64_t own)
{
    struct node *n = t->node;
    const struct parcel_claims *c = &d->claims;
    uint64_t head = 0;
    uint64_t statement = 0;
    struct buf wraps = BUF_INIT;
    for (size_t i = 0; d->facts && i < d->facts->parcel.wrap_count; i++)
        buf_put_bytes(&wraps, d->facts->parcel.wraps[i]);
    int err = buf_check(&wraps);
    if (!err)
        err = store_put(n->store, d->head, &head);
    if (!err)
        err = store_put(n->store, d->statement, &statement);
    if (!err)
        err = db_run(
            store_db(n->store),
            "INSERT INTO parcel_in(own, origin, first, count, size, root, hash, head, wraps,"
            " statement, routed, delivery_seq, token)"
            " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
            DB_U64(own), DB_TEXT(c->origin), DB_U64(c->index), DB_U64(c->count), DB_U64(c->size),
            DB_BLOB(hash_bytes(&c->root)), DB_BLOB(hash_bytes(&c->hash)), DB_U64(head),
            wraps.len ? DB_BLOB(buf_bytes(&wraps)) : DB_NULL, DB_U64(statement), DB_U64(d->routed),
            DB_U64(d->seq), d->token ? DB_STR(d->token) : DB_NULL);
    buf_free(&wraps);
    return err;
}

/* Keep what an enclosure opened, once. Own entries that come back are kept already. */
static int write_enclosed(struct turn *t, const struct parcel_enclosed *e, const struct opening *o,
                          uint64_t own)
{
    struct node *n = t->node;
    struct db *db = store_db(n->store);
    struct bytes origin = e->from->ledger->origin;
    bool is_opened = o && o->salt.len;
    if (bytes_is(origin, ledger_origin(n->ledger)))
        return COMITY_OK;
    int err = db_run(db,
                     "INSERT INTO enclosed(origin, idx, leaf, own, opened) VALUES(?1,?2,?3,?4,?5)"
                     " ON CONFLICT(origin, idx) DO UPDATE SET opened = 1, own = ?4, leaf = ?3"
                     " WHERE opened = 0 AND ?5 = 1",
                     DB_TEXT(origin), DB_U64(e->entry.index), DB_BLOB(hash_bytes(&e->leaf)),
                     DB_U64(own), DB_U64(is_opened));
    if (err || !is_opened || !db_changes(db))
        return err;
    return ledger_openings_put(n->ledger, origin, e->entry.index,
                               &(struct openings){.opening = o, .count = 1});
}

static int write_openings(struct turn *t, const struct delivery *d, uint64_t own)
{
    const struct parcel_facts *f = d->facts;
    int err = COMITY_OK;
    bool has_any = false;
    for (size_t i = 0; i < f->count && i < d->openings.count; i++)
        has_any = has_any || d->openings.opening[i].salt.len;
    if (has_any)
        err = ledger_openings_put(
            t->node->ledger, f->head.origin, f->entries[0].index,
            &(struct openings){.opening = d->openings.opening, .count = f->count});
    for (size_t i = 0; !err && i < f->enclosure_count; i++)
        err = write_enclosed(
            t, &f->enclosures[i],
            f->count + i < d->openings.count ? &d->openings.opening[f->count + i] : NULL, own);
    return err;
}

static int write_files(struct turn *t, const struct delivery *d)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < d->content.file_count; i++) {
        const struct content_file *c = &d->content.files[i];
        const struct record_file *f = c->file;
        err = db_run(
            store_db(t->node->store),
            "INSERT OR IGNORE INTO attachment_in(blob, origin, idx, sender, len, sha256, sm3,"
            " secret, name, mime, state) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,1)",
            DB_BLOB(f->blob), DB_TEXT(c->origin), DB_U64(c->index), DB_TEXT(d->sender),
            DB_U64(f->len), DB_BLOB(f->sha256), DB_BLOB(f->sm3), DB_BLOB(f->secret),
            DB_TEXT(f->name), f->mime.len ? DB_TEXT(f->mime) : DB_NULL);
    }
    return err;
}

/* ${before}: the delivery written just before, whose root need not be written again. */
static int write_root(struct turn *t, const struct delivery *d, const struct delivery *before)
{
    const struct parcel_claims *c = &d->claims;
    if (before && before->facts && before->claims.size == c->size &&
        bytes_equal(before->claims.origin, c->origin))
        return COMITY_OK;
    return db_run(store_db(t->node->store),
                  "INSERT OR IGNORE INTO peer_root(origin, size, root) VALUES(?1, ?2, ?3)",
                  DB_TEXT(c->origin), DB_U64(c->size), DB_BLOB(hash_bytes(&c->root)));
}

int inbox_write(struct turn *t)
{
    const struct delivery *before = NULL;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->deliveries.count; i++) {
        const struct delivery *d = &t->deliveries.at[i];
        if (d->is_duplicate)
            continue;
        uint64_t own = t->slots.at[d->slot].d.index;
        err = write_row(t, d, own);
        if (!err && d->facts)
            err = write_root(t, d, before);
        if (!err && d->facts && !d->token && !d->facts->is_receipt)
            err = write_openings(t, d, own);
        if (!err && !d->token && d->content.file_count)
            err = write_files(t, d);
        before = d;
    }
    return err ? err : write_sources(t->node);
}

int inbox_show(struct turn *t, const struct delivery *d)
{
    const struct parcel_facts *f = d->facts;
    if (!f || d->token || d->is_duplicate || f->is_receipt)
        return COMITY_OK;
    size_t total = f->count + f->enclosure_count;
    int err = COMITY_OK;
    for (size_t k = 0; !err && k < total; k++) {
        /* What is enclosed comes first: the entries refer to it. */
        size_t i = k < f->enclosure_count ? f->count + k : k - f->enclosure_count;
        const struct parcel_enclosed *e = i < f->count ? NULL : &f->enclosures[i - f->count];
        struct view_item item = {.from = e ? VIEW_ENCLOSED : VIEW_DELIVERED,
                                 .origin = (e ? e->from : f->from)->ledger->origin,
                                 .index = e ? e->entry.index : f->entries[i].index,
                                 .leaf = e ? e->leaf : f->leaves[i],
                                 .entry = e ? &e->entry : &f->entries[i],
                                 .record = d->content.records ? d->content.records[i] : NULL,
                                 .time_ms = t->now_ms,
                                 .received = t->node->base + t->slots.at[d->slot].d.index,
                                 .sender = d->sender};
        if (i < d->openings.count) {
            item.salt = d->openings.opening[i].salt;
            item.body = d->openings.opening[i].body;
        }
        err = view_apply(t->node, &item);
    }
    return err;
}

/* ---- attachments ---- */

/* A fetched one: FILE to each who sent a record that names it. */
static int add_files(struct turn *t, const struct bulk_finished *f)
{
    struct node *n = t->node;
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT DISTINCT sender FROM attachment_in"
                       " WHERE blob = ?1 AND sha256 = ?2 AND sm3 = ?3 AND state < 2",
                       DB_BLOB(hash_bytes(&f->blob)), DB_BLOB(hash_bytes(&f->sha256)),
                       DB_BLOB(hash_bytes(&f->sm3)));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct bytes *to = arena_alloc(t->arena, sizeof *to);
        struct draft d = {
            .kind = ENTRY_FILE, .ref = arena_copy(t->arena, hash_bytes(&f->blob)), .to = to};
        struct finished done = {.f = *f, .slot = SLOT_NONE};
        if (to)
            *to = arena_copy(t->arena, db_bytes(rows, 0));
        if (!to || !to->data || !d.ref.data) {
            err = COMITY_E_NOMEM;
            break;
        }
        done.sender = *to;
        d.to_count = core_recipient(n, *to) == COMITY_OK;
        if (f->err == COMITY_OK)
            err = turn_add_slot(t, &d, d.to_count ? SLOT_RECEIPT : SLOT_LOCAL, &done.slot);
        if (!err)
            err = LIST_ADD(t->finished, done);
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

int inbox_take_finished(struct turn *t)
{
    struct bulk_finished f[64];
    size_t n = bulk_take_finished(t->node, f, sizeof f / sizeof f[0]);
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < n; i++) {
        if (f[i].err)
            log_event(LOG_WARN, "attachment_failed", LOG_HEX("blob", hash_bytes(&f[i].blob)),
                      LOG_ERR(f[i].err), LOG_U64("upload", f[i].is_upload));
        if (f[i].is_upload)
            err = LIST_ADD(t->finished, ((struct finished){.f = f[i], .slot = SLOT_NONE}));
        else
            err = add_files(t, &f[i]);
    }
    return err;
}

int inbox_write_finished(struct turn *t)
{
    struct db *db = store_db(t->node->store);
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->finished.count; i++) {
        const struct finished *d = &t->finished.at[i];
        struct db_value blob = DB_BLOB(hash_bytes(&d->f.blob));
        struct db_value state = DB_U64(d->f.err ? ATTACHMENT_FAILED : ATTACHMENT_DONE);
        struct db_value token = d->f.err ? DB_STR(comity_err_token(d->f.err)) : DB_NULL;
        if (d->f.is_upload)
            err = db_run(
                db,
                "UPDATE attachment_out SET state = ?2, token = ?3 WHERE blob = ?1 AND state = 1",
                blob, state, token);
        else
            err = db_run(
                db,
                "UPDATE attachment_in SET state = ?2, token = ?3, file = ?4"
                " WHERE blob = ?1 AND sender = ?5 AND sha256 = ?6 AND sm3 = ?7 AND state < 2",
                blob, state, token,
                d->slot != SLOT_NONE ? DB_U64(t->slots.at[d->slot].d.index) : DB_NULL,
                DB_TEXT(d->sender), DB_BLOB(hash_bytes(&d->f.sha256)),
                DB_BLOB(hash_bytes(&d->f.sm3)));
    }
    return err;
}
