/*
 * Own records, written to the tables sixteen at a time: that is what an import of thousands a
 * second pays for the projections. Everything else is written row by row.
 */
#include "view_parts.h"

#include <comity/err.h>

enum { COLUMNS = 11, KEPT_MAX = 4 * 1024 * 1024 };

#define ROW "(?,0,?,?,?,?,?,?,?,?,?,?)"
#define INTO                                                                                       \
    "INSERT OR IGNORE INTO view_record(at, origin, idx, kind, time, case_origin, case_idx, title," \
    " doc_no, sub, files, notes) VALUES"
#define FOUR_ROWS ROW "," ROW "," ROW "," ROW
#define REQUEST "INSERT OR IGNORE INTO view_request(id, idx) VALUES"
#define FOUR_IDS "(?,?),(?,?),(?,?),(?,?)"

static struct db_value text_or_null(struct bytes text)
{
    return text.len ? DB_TEXT(text) : DB_NULL;
}

static void put_row(const struct view_own *r, struct db_value *v)
{
    const struct db_value row[COLUMNS] = {DB_U64(r->index),
                                          DB_U64(r->index),
                                          DB_U64(r->kind),
                                          DB_U64(r->time_ms),
                                          r->has_case ? DB_U64(r->case_origin) : DB_NULL,
                                          r->has_case ? DB_U64(r->case_index) : DB_NULL,
                                          text_or_null(r->title),
                                          text_or_null(r->doc_no),
                                          r->sub ? DB_U64(r->sub) : DB_NULL,
                                          DB_U64(r->files),
                                          DB_U64(r->notes)};
    for (size_t i = 0; i < COLUMNS; i++)
        v[i] = row[i];
}

static int write_rows(struct db *db, const struct view_own *own, size_t count)
{
    struct db_value values[VIEW_BATCH * COLUMNS];
    int err = COMITY_OK;
    for (size_t i = 0; i < count; i++)
        put_row(&own[i], &values[i * COLUMNS]);
    if (count == VIEW_BATCH)
        return db_run_values(db, INTO FOUR_ROWS "," FOUR_ROWS "," FOUR_ROWS "," FOUR_ROWS, values,
                             VIEW_BATCH * COLUMNS);
    for (size_t i = 0; !err && i < count; i++)
        err = db_run_values(db, INTO ROW, &values[i * COLUMNS], COLUMNS);
    return err;
}

static int write_ids(struct db *db, const struct view_own *own, size_t count)
{
    struct db_value values[VIEW_BATCH * 2];
    size_t n = 0;
    int err = COMITY_OK;
    for (size_t i = 0; i < count; i++)
        if (own[i].request_id.len) {
            values[2 * n] = DB_BLOB(own[i].request_id);
            values[2 * n++ + 1] = DB_U64(own[i].index);
        }
    if (n == VIEW_BATCH)
        return db_run_values(db, REQUEST FOUR_IDS "," FOUR_IDS "," FOUR_IDS "," FOUR_IDS, values,
                             VIEW_BATCH * 2);
    for (size_t i = 0; !err && i < n; i++)
        err = db_run_values(db, REQUEST "(?,?)", &values[2 * i], 2);
    return err;
}

int view_write_own(struct node *n)
{
    struct view *v = n->view;
    if (!v || v->own_count == 0)
        return COMITY_OK;
    int err = write_rows(store_db(n->store), v->own, v->own_count);
    if (!err)
        err = write_ids(store_db(n->store), v->own, v->own_count);
    v->own_count = 0;
    arena_reset(v->kept);
    return err;
}

int view_add_own(struct node *n, const struct view_own *row)
{
    struct view *v = n->view;
    if (!v->kept && !(v->kept = arena_new(KEPT_MAX)))
        return COMITY_E_NOMEM;
    struct view_own *own = &v->own[v->own_count];
    *own = *row;
    own->title = arena_copy(v->kept, row->title);
    own->doc_no = arena_copy(v->kept, row->doc_no);
    own->request_id = arena_copy(v->kept, row->request_id);
    if (!own->title.data || !own->doc_no.data || !own->request_id.data)
        return COMITY_E_NOMEM;
    return ++v->own_count == VIEW_BATCH ? view_write_own(n) : COMITY_OK;
}
