/*
 * Rows of the projections and contents of entries. See records.h; what was kept of parcels is
 * records_kept.c's.
 */
#include "records.h"

#include "archive.h"

#include "msg/record.h"

#include <comity/err.h>
#include <string.h>

int record_row_read(struct node *n, struct arena *a, struct db_rows *rows, struct record_row *ret)
{
    struct record_row r = {.at = db_u64(rows, 0),
                           .origin_id = db_u64(rows, 1),
                           .index = db_u64(rows, 3),
                           .kind = (uint32_t)db_u64(rows, 4),
                           .time_ms = (int64_t)db_u64(rows, 5),
                           .case_origin_id = db_u64(rows, 7),
                           .case_index = db_u64(rows, 8),
                           .sub = (uint32_t)db_u64(rows, 11),
                           .files = db_u64(rows, 12),
                           .notes = db_u64(rows, 13),
                           .decided = (uint32_t)db_u64(rows, 16)};
    struct {
        struct bytes *to;
        int column;
    } text[] = {
        {&r.origin, 2}, {&r.case_origin, 6}, {&r.title, 9}, {&r.doc_no, 10}, {&r.sender, 14}};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        *text[i].to = arena_copy(a, db_bytes(rows, text[i].column));
        if (!text[i].to->data)
            return COMITY_E_NOMEM;
    }
    struct bytes leaf = db_bytes(rows, 15);
    if (leaf.len == HASH_LEN)
        memcpy(r.leaf.b, leaf.data, HASH_LEN);
    else {
        int err = ledger_leaf(n->ledger, r.index, &r.leaf);
        if (err)
            return err;
    }
    *ret = r;
    return COMITY_OK;
}

int record_origin_id(struct node *n, struct bytes origin, uint64_t *ret)
{
    struct db_rows *rows = NULL;
    if (bytes_is(origin, ledger_origin(n->ledger))) {
        *ret = 0;
        return COMITY_OK;
    }
    int err = db_query(store_db(n->store), &rows, "SELECT id FROM view_origin WHERE origin = ?1",
                       DB_TEXT(origin));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW)
        *ret = db_u64(rows, 0);
    db_done(rows);
    return got == DB_ROW ? COMITY_OK : got < 0 ? got : COMITY_E_NOT_FOUND;
}

int record_origin_name(struct node *n, struct arena *a, uint64_t id, struct bytes *ret)
{
    struct db_rows *rows = NULL;
    struct bytes name = BYTES_NONE;
    int err = db_query(store_db(n->store), &rows, "SELECT origin FROM view_origin WHERE id = ?1",
                       DB_U64(id));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW)
        name = arena_copy(a, db_bytes(rows, 0));
    db_done(rows);
    if (got != DB_ROW)
        return got < 0 ? got : COMITY_E_NOT_FOUND;
    if (!name.data)
        return COMITY_E_NOMEM;
    *ret = name;
    return COMITY_OK;
}

int record_row_find(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                    struct record_row *ret)
{
    struct db_rows *rows = NULL;
    uint64_t id = 0;
    int err = record_origin_id(n, origin, &id);
    if (err)
        return err;
    if (id == 0)
        err = db_query(store_db(n->store), &rows,
                       RECORD_ROW_SQL "WHERE r.at = ?1 AND r.origin = 0 AND r.idx = ?2",
                       DB_U64(n->base + index), DB_U64(index));
    else
        err = db_query(store_db(n->store), &rows,
                       RECORD_ROW_SQL "WHERE r.origin = ?1 AND r.origin > 0 AND r.idx = ?2",
                       DB_U64(id), DB_U64(index));
    int got = err ? err : db_next(rows);
    err = got == DB_ROW ? record_row_read(n, a, rows, ret) : got < 0 ? got : COMITY_E_NOT_FOUND;
    db_done(rows);
    return err;
}

bool record_is_ours(const struct record_row *r)
{
    return r->sender.len == 0;
}

const struct suite *suite_of(const struct node *n, struct bytes origin)
{
    const struct roster_origin *o = n->roster ? roster_origin_of(n->roster, origin) : NULL;
    return o ? o->suite : ledger_suite(n->ledger);
}

int content_load(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                 struct content_of *ret)
{
    struct content_of c = {0};
    int err = archive_opening(n, a, origin, index, &c.opening);
    if (!err)
        err = body_decode(a, c.opening.body, &c.body);
    if (!err && c.body.record.len) {
        err = record_decode(a, c.body.record, &c.record);
        ledger_record_hash(suite_of(n, origin), origin, c.opening.salt, c.body.record,
                           &c.record_hash);
    }
    if (!err)
        *ret = c;
    return err;
}
