/*
 * Projections, the part that the turn sees: which entries say something, what is remembered while a
 * turn runs, and the numbers of ledgers. What each kind of entry leaves in the tables is
 * view_project.c's.
 *
 * A record without files costs one row at the end of one table; that is the path of an import of
 * thousands a second. Such rows are gathered (view_rows.c), as counts are; others are written at
 * once.
 */
#include "view_parts.h"

#include "base/text.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_MAX = 4 * 1024 * 1024 };

static int (*const project[])(struct node *n, const struct view_item *item,
                              const struct body *body) = {
    [ENTRY_RECORD] = view_project_record,
    [ENTRY_SIGNATURE] = view_project_signature,
    [ENTRY_SHARE] = view_project_share,
    [ENTRY_KEY] = view_project_key,
};

static int remember(struct node *n)
{
    if (n->view)
        return COMITY_OK;
    struct view *v = calloc(1, sizeof *v);
    if (v)
        v->scratch = arena_new(SCRATCH_MAX);
    if (!v || !v->scratch) {
        free(v);
        return COMITY_E_NOMEM;
    }
    n->view = v;
    return COMITY_OK;
}

int view_apply(struct node *n, const struct view_item *item)
{
    uint32_t kind = item->entry->kind;
    if (kind >= sizeof project / sizeof project[0] || !project[kind])
        return COMITY_OK;
    /* What others bring back of this ledger is known, and better. */
    if (item->from != VIEW_OWN && bytes_is(item->origin, ledger_origin(n->ledger)))
        return COMITY_OK;
    struct body body = {0};
    int err = remember(n);
    if (err)
        return err;
    arena_reset(n->view->scratch);
    if (item->body.len && body_decode(n->view->scratch, item->body, &body))
        return COMITY_OK;
    return project[kind](n, item, &body);
}

int view_flush(struct node *n)
{
    int err = view_write_rows(n);
    for (uint64_t kind = 0; n->view && kind < VIEW_KINDS; kind++)
        for (uint64_t own = 0; !err && own < 2; own++)
            if (n->view->added[kind][own])
                err = db_run(store_db(n->store),
                             "INSERT INTO view_count(what, n) VALUES(?1, ?2)"
                             " ON CONFLICT(what) DO UPDATE SET n = n + ?2",
                             DB_U64(kind * 2 + own), DB_U64(n->view->added[kind][own]));
    return err;
}

void view_forget(struct node *n)
{
    struct view *v = n->view;
    if (!v)
        return;
    struct view_origin *o = NULL;
    struct view_origin *next = NULL;
    HASH_ITER(hh, v->origins, o, next)
    {
        HASH_DEL(v->origins, o);
        free(o);
    }
    arena_free(v->scratch);
    arena_free(v->own.kept);
    arena_free(v->received.kept);
    free(v);
    n->view = NULL;
}

int view_clear(struct node *n)
{
    static const char *const sql[] = {
        "DELETE FROM view_origin WHERE ?1",      "DELETE FROM view_record WHERE ?1",
        "DELETE FROM view_count WHERE ?1",       "DELETE FROM view_file WHERE ?1",
        "DELETE FROM view_signature WHERE ?1",   "DELETE FROM view_share WHERE ?1",
        "DELETE FROM view_recognition WHERE ?1", "DELETE FROM view_officer WHERE ?1",
        "DELETE FROM view_request WHERE ?1",
    };
    int err = COMITY_OK;
    view_forget(n);
    for (size_t i = 0; !err && i < sizeof sql / sizeof sql[0]; i++)
        err = db_run(store_db(n->store), sql[i], DB_U64(1));
    return err;
}

/* ---- numbers of ledgers ---- */

static int look_up(struct db *db, struct bytes origin, bool *ret_found, uint64_t *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(db, &rows, "SELECT id FROM view_origin WHERE origin = ?1", DB_TEXT(origin));
    int got = err ? err : db_next(rows);
    *ret_found = got == DB_ROW;
    if (got == DB_ROW)
        *ret = db_u64(rows, 0);
    db_done(rows);
    return got < 0 ? got : COMITY_OK;
}

static int give_out(struct db *db, struct bytes origin, bool is_own, uint64_t *ret)
{
    uint64_t id = VIEW_ORIGIN_OWN;
    const struct db_value nothing = DB_U64(0);
    int err = COMITY_OK;
    if (!is_own) /* numbers count from 1 also where the own one has not been given out yet */
        err = db_get_u64(db, 0, &id, "SELECT max(id) FROM view_origin WHERE id >= ?1", &nothing, 1);
    if (!err && !is_own)
        id++;
    if (!err)
        err = db_run(db, "INSERT INTO view_origin(id, origin) VALUES(?1, ?2)", DB_U64(id),
                     DB_TEXT(origin));
    if (!err)
        *ret = id;
    return err;
}

int view_origin_id(struct node *n, struct bytes origin, uint64_t *ret)
{
    struct db *db = store_db(n->store);
    struct view_origin *o = NULL;
    struct origin parts;
    HASH_FIND(hh, n->view->origins, origin.data, origin.len, o);
    if (o) {
        *ret = o->id;
        return COMITY_OK;
    }
    if (text_get_origin(origin, &parts) || origin.len > ORIGIN_MAX)
        return COMITY_E_INVALID;
    uint64_t id = 0;
    bool found = false;
    int err = look_up(db, origin, &found, &id);
    if (!err && !found)
        err = give_out(db, origin, bytes_is(origin, ledger_origin(n->ledger)), &id);
    if (err)
        return err;
    if (!(o = calloc(1, sizeof *o)))
        return COMITY_E_NOMEM;
    memcpy(o->name, origin.data, origin.len);
    o->id = id;
    HASH_ADD_KEYPTR(hh, n->view->origins, o->name, origin.len, o);
    *ret = id;
    return COMITY_OK;
}
