/*
 * How a record went to others, as far as a ledger knows: under which checkpoint it was sent, that
 * the broker accepted it, and who holds it.
 */
#include "package/gather.h"

#include <stdio.h>
#include <string.h>

enum { FOLDER_MAX = 160 };

/* ---- how it was sent, accepted, received ---- */

static int save_numbered(struct making *m, const char *kind, uint64_t number,
                         const struct gathered *g)
{
    char folder[FOLDER_MAX];
    snprintf(folder, sizeof folder, "%s/%llu", kind, (unsigned long long)number);
    int err = gather_save(m, folder, "entry.tlog-proof", g);
    return err == COMITY_E_EXISTS ? COMITY_OK : err;
}

/* For README.html: the checkpoint of ${size}, when, and what else is to be said. */
static int add_line(struct value *list, uint64_t size, const char *key, json_t *item,
                    const struct gathered *g)
{
    char number[32];
    struct value v = value_object();
    snprintf(number, sizeof number, "%llu", (unsigned long long)size);
    value_set(&v, "size", json_string(number));
    value_set(&v, key, item);
    value_set(&v, "time", value_time((int64_t)g->entry.time_ms));
    value_add(list, v.json);
    return list->json ? COMITY_OK : COMITY_E_NOMEM;
}

static int add_sending(struct making *m, uint64_t size, const struct gathered *g)
{
    bool is_share = g->entry.kind == ENTRY_SHARE;
    return add_line(&m->sent, size, "way", json_string(is_share ? "share" : "record"), g);
}

/* The broker's ROUTED entry of a statement about a checkpoint of ${size}. */
static int take_statement(struct making *m, uint64_t chunk, uint64_t routed, uint64_t size)
{
    struct parcel_facts *s = NULL;
    struct gathered g;
    if (!chunk)
        return COMITY_OK;
    int err = gather_statement(m, chunk, &s);
    for (size_t i = 0; !err && i < s->count; i++) {
        if (s->entries[i].index != routed || s->entries[i].kind != ENTRY_ROUTED)
            continue;
        err = gather_facts(m, s, i, &g);
        if (!err)
            err = save_numbered(m, "broker", size, &g);
        if (!err)
            err = add_line(&m->accepted, size, "name", gather_owner(m, g.origin), &g);
        return err;
    }
    return err;
}

static int add_receipt(struct making *m, struct bytes member, const struct gathered *g)
{
    char folder[FOLDER_MAX];
    struct value r = value_object();
    snprintf(folder, sizeof folder, "receipts/%.*s", (int)member.len, member.data);
    int err = gather_save(m, folder, "entry.tlog-proof", g);
    if (err) {
        json_decref(r.json);
        return err == COMITY_E_EXISTS ? COMITY_OK : err;
    }
    value_set(&r, "member", value_text(member));
    value_set(&r, "name", gather_owner(m, g->origin));
    value_set(&r, "time", value_time((int64_t)g->entry.time_ms));
    value_add(&m->receipts, r.json);
    return m->receipts.json ? COMITY_OK : COMITY_E_NOMEM;
}

/* What one recipient said of the parcel ${hash}, in the parcel that own RECEIPT entry ${receipt}
 * logs. */
static int take_receipt(struct making *m, struct bytes hash, uint64_t receipt)
{
    struct parcel_facts *f = NULL;
    struct ref_received ref;
    struct gathered g;
    int err = gather_parcel(m, receipt, &f);
    for (size_t i = 0; !err && i < f->count; i++) {
        if (f->entries[i].kind != ENTRY_RECEIVED || ref_received_parse(f->entries[i].ref, &ref) ||
            !bytes_equal(hash_bytes(&ref.parcel), hash))
            continue;
        err = gather_facts(m, f, i, &g);
        return err ? err : add_receipt(m, f->from->member->id, &g);
    }
    return err;
}

static int take_receipts(struct making *m, uint64_t parcel, struct bytes hash)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(m->db, &rows,
                       "SELECT receipt FROM parcel_out_to WHERE parcel = ?1 AND receipt IS NOT NULL"
                       " ORDER BY member",
                       DB_U64(parcel));
    while (!err && (got = db_next(rows)) == DB_ROW)
        err = take_receipt(m, hash, db_u64(rows, 0));
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* The parcel that own entry ${index} (the record, or a SHARE of it) travelled in. */
static int take_sending(struct making *m, uint64_t index)
{
    struct db_rows *rows = NULL;
    struct gathered g;
    int got = 0;
    int err = db_query(m->db, &rows,
                       "SELECT id, hash, size, statement, routed FROM parcel_out WHERE first <= ?1"
                       " AND first + count > ?1 AND state = 1",
                       DB_U64(index));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        uint64_t size = db_u64(rows, 2);
        struct bytes hash = arena_copy(m->arena, db_bytes(rows, 1));
        err = hash.data ? gather_own(m, index, size, &g) : COMITY_E_NOMEM;
        g.has_opening =
            false; /* the record's content is there already, and a SHARE's says nothing */
        if (!err)
            err = save_numbered(m, "sent", size, &g);
        if (!err)
            err = add_sending(m, size, &g);
        if (!err)
            err = take_statement(m, db_u64(rows, 3), db_u64(rows, 4), size);
        if (!err)
            err = take_receipts(m, db_u64(rows, 0), hash);
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* A record of others: how it came here, and that it was received. */
static int take_arrival(struct making *m, uint64_t own)
{
    const struct db_value v[] = {DB_U64(own)};
    struct gathered g;
    uint64_t statement = 0;
    uint64_t routed = 0;
    struct parcel_facts *f = NULL;
    struct origin parts;
    int err = gather_parcel(m, own, &f);
    if (err || !bytes_equal(f->head.origin, m->origin))
        return err; /* handed on by another one: its own sending is not known here */
    g = m->record;
    g.has_opening = false;
    err = save_numbered(m, "sent", f->checkpoint.size, &g);
    if (!err)
        err = add_sending(m, f->checkpoint.size, &g);
    if (!err)
        err = db_get_u64(m->db, 0, &statement, "SELECT statement FROM parcel_in WHERE own = ?1", v,
                         1);
    if (!err)
        err = db_get_u64(m->db, 0, &routed, "SELECT routed FROM parcel_in WHERE own = ?1", v, 1);
    if (!err)
        err = take_statement(m, statement, routed, f->checkpoint.size);
    if (!err)
        err = gather_own(m, own, 0, &g);
    if (!err)
        err = text_get_origin(g.origin, &parts);
    return err ? err : add_receipt(m, parts.member, &g);
}

int package_take_way(struct making *m, uint64_t own)
{
    if (!m->is_node)
        return COMITY_OK;
    if (!m->is_own)
        return take_arrival(m, own);
    int err = take_sending(m, m->index);
    for (size_t i = 0; !err && i < m->shares.count; i++)
        err = take_sending(m, m->shares.at[i]);
    return err;
}
