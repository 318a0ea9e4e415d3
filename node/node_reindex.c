/*
 * The projections made anew: the own ledger from its first entry, and with each RECEIVED the parcel
 * that it is about.
 */
#include "core.h"

#include <string.h>

enum { REINDEX_MEMORY = 32 * 1024 * 1024 };

struct reindex {
    struct node *n;    /* whose projections they are */
    struct node *home; /* whose ledger is read: this one's, or an archive's */
    struct arena *a;
};

/* What is withheld or erased is shown without its body. */
static int opening_of(struct reindex *r, struct bytes origin, uint64_t index,
                      struct view_item *item)
{
    struct opening o;
    int err = archive_opening(r->n, r->a, origin, index, &o);
    if (err == COMITY_E_NOT_FOUND || err == COMITY_E_ERASED || err == COMITY_E_WITHHELD)
        return COMITY_OK;
    if (!err) {
        item->salt = o.salt;
        item->body = o.body;
    }
    return err;
}

/* One entry of a kept head: its own, or one that it encloses. */
static int show_kept(struct reindex *r, struct bytes origin, struct bytes bytes,
                     struct view_item item)
{
    struct entry e;
    const struct roster_origin *o = r->n->roster ? roster_origin_of(r->n->roster, origin) : NULL;
    int err = entry_decode(r->a, bytes, &e);
    if (err)
        return err;
    item.origin = origin;
    item.index = e.index;
    item.entry = &e;
    hash_leaf(o ? o->suite : ledger_suite(r->n->ledger), bytes, &item.leaf);
    err = opening_of(r, origin, e.index, &item);
    return err ? err : view_apply(r->n, &item);
}

static int show_head(struct reindex *r, struct bytes head, struct view_item item)
{
    struct parcel_head h;
    int err = parcel_head_decode(r->a, head, &h);
    for (size_t i = 0; !err && i < h.enclosure_count; i++) {
        struct checkpoint c;
        struct bytes origin = h.origin;
        item.from = VIEW_ENCLOSED;
        if (h.enclosures[i].checkpoint.data) {
            err = checkpoint_peek(h.enclosures[i].checkpoint, &c);
            if (!err)
                origin = arena_copy(r->a, bytes_of(c.origin));
        }
        if (!err)
            err = show_kept(r, origin, h.enclosures[i].entry, item);
    }
    item.from = VIEW_DELIVERED;
    for (size_t i = 0; !err && i < h.entry_count; i++)
        err = show_kept(r, h.origin, h.entries[i], item);
    return err;
}

/* The parcel that the own entry ${index}, a RECEIVED, is about. */
static int show_received(struct reindex *r, uint64_t index, int64_t time_ms)
{
    struct db_rows *rows = NULL;
    struct buf head = BUF_INIT;
    struct view_item item = {.received = r->home->base + index, .time_ms = time_ms};
    struct origin origin;
    int err = db_query(store_db(r->home->store), &rows,
                       "SELECT origin, head FROM parcel_in WHERE own = ?1 AND token IS NULL",
                       DB_U64(index));
    if (err)
        return err;
    int got = db_next(rows);
    if (got == DB_ROW) {
        struct bytes from = arena_copy(r->a, db_bytes(rows, 0));
        err = from.data ? text_get_origin(from, &origin) : COMITY_E_NOMEM;
        if (!err) {
            item.sender = origin.member;
            err = store_get(r->home->store, db_u64(rows, 1), &head);
        }
    }
    db_done(rows);
    if (!err && got == DB_ROW)
        err = show_head(r, buf_bytes(&head), item);
    buf_free(&head);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static int show_own(void *self, uint64_t index, struct bytes bytes)
{
    struct reindex *r = self;
    struct node *n = r->home;
    struct entry e;
    arena_reset(r->a);
    int err = entry_decode(r->a, bytes, &e);
    if (err)
        return err;
    struct view_item item = {.from = n == r->n ? VIEW_OWN : VIEW_ARCHIVED,
                             .received = n->base + index,
                             .origin = bytes_of(ledger_origin(n->ledger)),
                             .index = index,
                             .entry = &e,
                             .time_ms = (int64_t)e.time_ms};
    hash_leaf(ledger_suite(n->ledger), bytes, &item.leaf);
    if (e.body_hash.len)
        err = opening_of(r, item.origin, index, &item);
    if (!err)
        err = view_apply(r->n, &item);
    if (!err && e.kind == ENTRY_RECEIVED)
        err = show_received(r, index, item.time_ms);
    return err;
}

/* A parcel that the broker gave back, of the ledger ${of}: what it encloses of that ledger itself,
 * then its entries. */
static int show_back(struct reindex *r, const struct archive *of, uint64_t chunk)
{
    struct buf head = BUF_INIT;
    struct parcel_head h;
    struct bytes origin = bytes_of(of->origin);
    arena_reset(r->a);
    int err = store_get(r->home->store, chunk, &head);
    if (!err)
        err = parcel_head_decode(r->a, buf_bytes(&head), &h);
    for (size_t k = 0; !err && k < h.enclosure_count + h.entry_count; k++) {
        bool is_enclosed = k < h.enclosure_count;
        struct bytes bytes = is_enclosed ? h.enclosures[k].entry : h.entries[k - h.enclosure_count];
        struct entry e;
        if (is_enclosed && h.enclosures[k].checkpoint.data)
            continue;
        err = entry_decode(r->a, bytes, &e);
        if (!err)
            err = show_kept(r, origin, bytes,
                            (struct view_item){.from = VIEW_ARCHIVED,
                                               .received = of->base + e.index,
                                               .time_ms = (int64_t)e.time_ms});
    }
    buf_free(&head);
    return err;
}

/* All of them that lie in the store of ${r->home}. */
static int show_all_back(struct reindex *r)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(store_db(r->home->store), &rows,
                       "SELECT origin, head FROM parcel_back WHERE ?1 ORDER BY id", DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        const struct archive *of = archive_of(r->n, db_bytes(rows, 0));
        if (of)
            err = show_back(r, of, db_u64(rows, 1));
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

int node_reindex(struct node *n)
{
    struct reindex r = {.n = n, .a = arena_new(REINDEX_MEMORY)};
    int err = r.a ? ledger_begin(n->ledger) : COMITY_E_NOMEM;
    if (err) {
        arena_free(r.a);
        return err;
    }
    err = view_clear(n);
    for (size_t i = 0; !err && (r.home = archive_home_at(n, i)); i++) {
        err = ledger_each(r.home->ledger, 0, ledger_size(r.home->ledger), show_own, &r);
        if (!err)
            err = show_all_back(&r);
    }
    if (!err)
        err = view_flush(n);
    if (err)
        ledger_abort(n->ledger);
    else
        err = ledger_commit(n->ledger);
    view_forget(n);
    arena_free(r.a);
    return err;
}
