/*
 * Records, written to the tables sixteen at a time: that is what an import of thousands a second
 * pays for the projections, at both ends. Everything else is written row by row.
 */
#include "view_parts.h"

#include <comity/err.h>

enum { COLUMNS = 14, KEPT_MAX = 4 * 1024 * 1024 };

#define ROW "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
#define INTO                                                                                       \
    "INSERT OR IGNORE INTO view_record(at, origin, idx, kind, time, case_origin, case_idx, title," \
    " doc_no, sub, files, notes, sender, leaf) VALUES"
#define FOUR_ROWS ROW "," ROW "," ROW "," ROW
#define REQUEST "INSERT OR IGNORE INTO view_request(id, idx) VALUES"
#define FOUR_IDS "(?,?),(?,?),(?,?),(?,?)"

static struct db_value text_or_null(struct bytes text)
{
    return text.len ? DB_TEXT(text) : DB_NULL;
}

static void put_row(const struct view_row *r, struct db_value *v)
{
    const struct db_value row[COLUMNS] = {DB_U64(r->at),
                                          DB_U64(r->origin),
                                          DB_U64(r->index),
                                          DB_U64(r->kind),
                                          DB_U64(r->time_ms),
                                          r->has_case ? DB_U64(r->case_origin) : DB_NULL,
                                          r->has_case ? DB_U64(r->case_index) : DB_NULL,
                                          text_or_null(r->title),
                                          text_or_null(r->doc_no),
                                          r->sub ? DB_U64(r->sub) : DB_NULL,
                                          DB_U64(r->files),
                                          DB_U64(r->notes),
                                          text_or_null(r->sender),
                                          r->origin ? DB_BLOB(hash_bytes(&r->leaf)) : DB_NULL};
    for (size_t i = 0; i < COLUMNS; i++)
        v[i] = row[i];
}

/* ${ret_new}: how many were not there. */
static int write_records(struct db *db, const struct view_rows *rows, uint64_t *ret_new)
{
    struct db_value values[VIEW_BATCH * COLUMNS];
    int err = COMITY_OK;
    for (size_t i = 0; i < rows->count; i++)
        put_row(&rows->row[i], &values[i * COLUMNS]);
    if (rows->count == VIEW_BATCH) {
        err = db_run_values(db, INTO FOUR_ROWS "," FOUR_ROWS "," FOUR_ROWS "," FOUR_ROWS, values,
                            VIEW_BATCH * COLUMNS);
        *ret_new = db_changes(db);
        return err;
    }
    *ret_new = 0;
    for (size_t i = 0; !err && i < rows->count; i++) {
        err = db_run_values(db, INTO ROW, &values[i * COLUMNS], COLUMNS);
        *ret_new += db_changes(db);
    }
    return err;
}

static int write_ids(struct db *db, const struct view_rows *rows)
{
    struct db_value values[VIEW_BATCH * 2];
    size_t n = 0;
    int err = COMITY_OK;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->row[i].request_id.len) {
            values[2 * n] = DB_BLOB(rows->row[i].request_id);
            values[2 * n++ + 1] = DB_U64(rows->row[i].index);
        }
    if (n == VIEW_BATCH)
        return db_run_values(db, REQUEST FOUR_IDS "," FOUR_IDS "," FOUR_IDS "," FOUR_IDS, values,
                             VIEW_BATCH * 2);
    for (size_t i = 0; !err && i < n; i++)
        err = db_run_values(db, REQUEST "(?,?)", &values[2 * i], 2);
    return err;
}

/* Whether it is a record of a ledger of this member before this one: nobody sent it. */
static bool is_earlier(const struct view_row *r)
{
    return r->sender.len == 0;
}

static int write_rows(struct node *n, struct view_rows *rows, bool is_own)
{
    struct db *db = store_db(n->store);
    uint64_t added = 0;
    if (rows->count == 0)
        return COMITY_OK;
    int err = write_records(db, rows, &added);
    if (!err && is_own)
        err = write_ids(db, rows);
    if (!is_own)
        n->view->added[rows->row[0].kind][is_earlier(&rows->row[0])] += added;
    rows->count = 0;
    arena_reset(rows->kept);
    return err;
}

int view_write_rows(struct node *n)
{
    if (!n->view)
        return COMITY_OK;
    int err = write_rows(n, &n->view->own, true);
    return err ? err : write_rows(n, &n->view->received, false);
}

int view_add_row(struct node *n, const struct view_row *row)
{
    bool is_own = row->origin == VIEW_ORIGIN_OWN;
    struct view_rows *rows = is_own ? &n->view->own : &n->view->received;
    int err = COMITY_OK;
    /* Own ones are new, and counted at once; of others, those of one kind are counted together. */
    if (is_own)
        n->view->added[row->kind][true]++;
    if (rows->count == VIEW_BATCH ||
        (!is_own && rows->count &&
         (rows->row[0].kind != row->kind || is_earlier(&rows->row[0]) != is_earlier(row))))
        err = write_rows(n, rows, is_own);
    if (err)
        return err;
    if (!rows->kept && !(rows->kept = arena_new(KEPT_MAX)))
        return COMITY_E_NOMEM;
    struct view_row *to = &rows->row[rows->count];
    *to = *row;
    to->title = arena_copy(rows->kept, row->title);
    to->doc_no = arena_copy(rows->kept, row->doc_no);
    to->request_id = arena_copy(rows->kept, row->request_id);
    to->sender = arena_copy(rows->kept, row->sender);
    if (!to->title.data || !to->doc_no.data || !to->request_id.data || !to->sender.data)
        return COMITY_E_NOMEM;
    rows->count++;
    return COMITY_OK;
}

int view_write_row(struct node *n, const struct view_row *row, bool *ret_new)
{
    int err = view_write_rows(n);
    uint64_t before = n->view->added[row->kind][is_earlier(row)];
    if (!err)
        err = view_add_row(n, row);
    if (!err)
        err = view_write_rows(n);
    if (!err)
        *ret_new = n->view->added[row->kind][is_earlier(row)] > before;
    return err;
}
