/*
 * What was kept of the parcels that others sent, and of the broker's statements. See records.h.
 *
 * They were verified when they came and stand in our signed ledger by their hashes; they are read
 * again, not judged again, but where a proof is taken out of one: parcel_verify is what knows how.
 */
#include "records.h"

#include "archive.h"

#include "wire/parcel.h"

#include <comity/err.h>
#include <string.h>

static int load(struct node *n, struct arena *a, uint64_t id, struct bytes *ret)
{
    struct buf bytes = BUF_INIT;
    int err = store_get(n->store, id, &bytes);
    struct bytes kept = err ? BYTES_NONE : arena_copy(a, buf_bytes(&bytes));
    buf_free(&bytes);
    if (!err && !kept.data)
        err = COMITY_E_NOMEM;
    if (!err)
        *ret = kept;
    return err;
}

int kept_head(struct node *n, struct arena *a, uint64_t id, struct parcel_head *ret)
{
    struct bytes bytes = BYTES_NONE;
    int err = load(n, a, id, &bytes);
    return err ? err : parcel_head_decode(a, bytes, ret);
}

int kept_statement(struct node *n, struct arena *a, uint64_t id, struct bytes *ret_bytes,
                   struct parcel_head *ret)
{
    struct parcel parcel;
    struct bytes bytes = BYTES_NONE;
    int err = load(n, a, id, &bytes);
    if (!err)
        err = parcel_decode(a, bytes, &parcel);
    if (!err)
        err = parcel_head_decode(a, parcel.head, ret);
    if (!err && ret_bytes)
        *ret_bytes = bytes;
    return err;
}

int kept_entry(struct arena *a, const struct parcel_head *h, size_t i, struct entry *ret)
{
    return entry_decode(a, h->entries[i], ret);
}

int kept_find(struct arena *a, const struct parcel_head *h, uint64_t index, struct entry *ret,
              size_t *ret_at)
{
    for (size_t i = 0; i < h->entry_count; i++) {
        int err = kept_entry(a, h, i, ret);
        if (err)
            return err;
        if (ret->index == index) {
            if (ret_at)
                *ret_at = i;
            return COMITY_OK;
        }
    }
    return COMITY_E_NOT_FOUND;
}

/* ---- enclosing what others sent ---- */

/* The row of the parcel that brought an entry: by its place, or by what enclosed it. */
struct kept_row {
    uint64_t head;
    uint64_t statement;
    uint64_t routed;
};

static int take_row(struct db_rows *rows, int err, struct kept_row *ret)
{
    int got = err ? err : db_next(rows);
    if (got == DB_ROW)
        *ret = (struct kept_row){
            .head = db_u64(rows, 0), .statement = db_u64(rows, 1), .routed = db_u64(rows, 2)};
    db_done(rows);
    return got == DB_ROW ? COMITY_OK : got < 0 ? got : COMITY_E_NOT_FOUND;
}

static int find_delivered(struct node *n, struct bytes origin, uint64_t index, struct kept_row *ret)
{
    struct db_rows *rows = NULL;
    int err =
        db_query(store_db(n->store), &rows,
                 "SELECT head, statement, routed FROM parcel_in WHERE origin = ?1 AND first <= ?2"
                 " AND first > ?2 - ?3 AND first + count > ?2 AND token IS NULL",
                 DB_TEXT(origin), DB_U64(index), DB_U64(PARCEL_ENTRIES_MAX));
    return take_row(rows, err, ret);
}

static int find_enclosed(struct node *n, struct bytes origin, uint64_t index, struct kept_row *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(
        store_db(n->store), &rows,
        "SELECT p.head, p.statement, p.routed FROM enclosed e JOIN parcel_in p ON p.own = e.own"
        " WHERE e.origin = ?1 AND e.idx = ?2",
        DB_TEXT(origin), DB_U64(index));
    return take_row(rows, err, ret);
}

/* A kept parcel, verified once more so that the proof of one leaf can be taken out of its own. */
struct reopened {
    struct parcel_facts *facts;
    struct bytes statement; /* exact bytes */
};

static int reopen(struct node *n, struct arena *a, const struct kept_row *row, struct reopened *ret)
{
    struct parcel parcel = {0};
    struct parcel_head statement;
    struct buf bytes = BUF_INIT;
    int err = load(n, a, row->head, &parcel.head);
    if (!err)
        err = kept_statement(n, a, row->statement, &ret->statement, &statement);
    if (!err)
        err = parcel_encode(&parcel, &bytes);
    struct bytes kept = err ? BYTES_NONE : arena_copy(a, buf_bytes(&bytes));
    buf_free(&bytes);
    if (err || !kept.data)
        return err ? err : COMITY_E_NOMEM;
    const struct parcel_routing routing = {.broker = statement.origin, .index = row->routed};
    const struct parcel_rules rules = {
        .roster = n->roster, .place = PARCEL_FILED, .routing = &routing};
    return parcel_verify(a, kept, &rules, &ret->facts);
}

/*
 * An inclusion path from leaf to root, put into the order of a multiproof: from left to right.
 * Going down from the root, the sibling is on the right where the leaf lies in the left part, so it
 * comes behind everything below it.
 */
static void to_multiproof_order(const struct hash *path, size_t n, uint64_t index, uint64_t size,
                                struct hash *ret)
{
    size_t left = 0;
    size_t right = n;
    uint64_t lo = 0;
    uint64_t hi = size;
    for (size_t depth = n; depth-- > 0;) {
        uint64_t k = 1;
        while (k * 2 < hi - lo)
            k *= 2;
        if (index < lo + k) {
            ret[--right] = path[depth];
            hi = lo + k;
        } else {
            ret[left++] = path[depth];
            lo += k;
        }
    }
}

static int set_proof(struct arena *a, const struct parcel_facts *f, uint64_t index,
                     struct parcel_enclosure *e)
{
    struct hash_list path = {0};
    size_t which = 0;
    while (which < f->shape.index_count && f->shape.index[which] != index)
        which++;
    int err = multiproof_narrow(f->from->suite, &f->shape, f->shape_leaf, f->proof, f->proof_count,
                                which, &path);
    struct hash *ordered = err ? NULL : arena_alloc(a, path.count * sizeof *ordered);
    struct bytes *proof = err ? NULL : arena_alloc(a, path.count * sizeof *proof);
    if (!err && (!ordered || !proof))
        err = COMITY_E_NOMEM;
    if (!err) {
        to_multiproof_order(path.at, path.count, index, f->checkpoint.size, ordered);
        for (size_t i = 0; i < path.count; i++)
            proof[i] = hash_bytes(&ordered[i]);
        e->proof = proof;
        e->proof_count = path.count;
    }
    hash_list_free(&path);
    return err;
}

/* A leaf of the parcel's own ledger: an entry of it, or one that it encloses. */
static int enclose_leaf(struct arena *a, const struct reopened *r, struct bytes entry,
                        uint64_t index, struct parcel_enclosure *ret)
{
    *ret = (struct parcel_enclosure){
        .entry = entry, .checkpoint = r->facts->head.checkpoint, .routed = r->statement};
    return set_proof(a, r->facts, index, ret);
}

static int enclose_from(struct arena *a, const struct reopened *r, struct bytes origin,
                        uint64_t index, struct parcel_enclosure *ret)
{
    const struct parcel_facts *f = r->facts;
    for (size_t i = 0; i < f->count && bytes_equal(f->head.origin, origin); i++)
        if (f->entries[i].index == index)
            return enclose_leaf(a, r, f->head.entries[i], index, ret);
    for (size_t i = 0; i < f->enclosure_count; i++) {
        const struct parcel_enclosed *e = &f->enclosures[i];
        if (e->entry.index != index || !bytes_equal(e->from->ledger->origin, origin))
            continue;
        if (e->is_own)
            return enclose_leaf(a, r, e->bytes, index, ret);
        *ret = f->head.enclosures[i]; /* it came with everything */
        return COMITY_OK;
    }
    return COMITY_E_NOT_FOUND;
}

/* One that the broker gave back. */
static int find_back(struct node *n, struct bytes origin, uint64_t index, struct kept_row *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT head, statement, routed FROM parcel_back WHERE origin = ?1"
                       " AND first <= ?2 AND first > ?2 - ?3 AND first + count > ?2",
                       DB_TEXT(origin), DB_U64(index), DB_U64(PARCEL_ENTRIES_MAX));
    return take_row(rows, err, ret);
}

/* In what ${n}, this node or an archive, has kept. */
static int find_here(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                     struct parcel_enclosure *ret)
{
    static int (*const ways[])(struct node *, struct bytes, uint64_t,
                               struct kept_row *) = {find_delivered, find_enclosed, find_back};
    struct kept_row row;
    struct reopened r = {0};
    int err = COMITY_E_NOT_FOUND;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && err == COMITY_E_NOT_FOUND; i++)
        err = ways[i](n, origin, index, &row);
    if (!err)
        err = reopen(n, a, &row, &r);
    return err ? err : enclose_from(a, &r, origin, index, ret);
}

/* The first checkpoint of the archive ${n} behind entry ${index} that the broker has routed. */
static int find_routed(struct node *n, struct arena *a, uint64_t index,
                       struct parcel_enclosure *ret, uint64_t *ret_size)
{
    struct kept_row row;
    struct parcel_head h;
    struct db_rows *rows = NULL;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT head, statement, routed, size FROM parcel_out WHERE size > ?1"
                       " AND state = 1 ORDER BY size LIMIT 1",
                       DB_U64(index));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW) {
        row = (struct kept_row){.head = db_u64(rows, 0), .statement = db_u64(rows, 1)};
        *ret_size = db_u64(rows, 3);
    }
    db_done(rows);
    if (got != DB_ROW)
        return got < 0 ? got : COMITY_E_NOT_FOUND;
    err = kept_head(n, a, row.head, &h);
    if (!err)
        err = load(n, a, row.statement, &ret->routed);
    if (!err)
        ret->checkpoint = h.checkpoint;
    return err;
}

/* An entry of the own ledger of ${n}, an archive: the ledger itself proves it. */
static int enclose_archived(struct node *n, struct arena *a, uint64_t index,
                            struct parcel_enclosure *ret)
{
    struct parcel_enclosure e = {0};
    struct hash_list path = {0};
    struct buf bytes = BUF_INIT;
    struct tree_source tree = ledger_tree(n->ledger);
    uint64_t size = 0;
    int err = find_routed(n, a, index, &e, &size);
    if (!err)
        err = ledger_entry(n->ledger, index, &bytes);
    if (!err)
        err = proof_inclusion(&tree, index, size, &path);
    struct hash *ordered = err ? NULL : arena_alloc(a, path.count * sizeof *ordered);
    struct bytes *proof = err ? NULL : arena_alloc(a, path.count * sizeof *proof);
    e.entry = arena_copy(a, buf_bytes(&bytes));
    if (!err && (!ordered || !proof || !e.entry.data))
        err = COMITY_E_NOMEM;
    if (!err) {
        to_multiproof_order(path.at, path.count, index, size, ordered);
        for (size_t i = 0; i < path.count; i++)
            proof[i] = hash_bytes(&ordered[i]);
        e.proof = proof;
        e.proof_count = path.count;
        *ret = e;
    }
    hash_list_free(&path);
    buf_free(&bytes);
    return err;
}

int kept_enclosure(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                   struct parcel_enclosure *ret, struct opening *ret_opening)
{
    struct parcel_enclosure e = {0};
    struct opening o = {0};
    int err = COMITY_E_NOT_FOUND;
    if (!n->roster)
        return COMITY_E_NO_ROSTER;
    struct archive *own = archive_of(n, origin);
    if (own && index < own->size)
        err = enclose_archived(archive_home(n, origin), a, index, &e);
    for (size_t i = n->archive_count + 1; i-- > 0 && err == COMITY_E_NOT_FOUND;)
        err = find_here(archive_home_at(n, i), a, origin, index, &e);
    if (err)
        return err;
    err = archive_opening(n, a, origin, index, &o);
    if (err && err != COMITY_E_NOT_FOUND && err != COMITY_E_ERASED && err != COMITY_E_WITHHELD)
        return err;
    *ret = e;
    *ret_opening = err ? (struct opening){0} : o;
    return COMITY_OK;
}
