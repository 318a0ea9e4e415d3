/*
 * What entries leave in the tables of the projections (lib/site/schema_node.c): one function a
 * kind.
 *
 * By the time that these run, the entry is in a signed ledger: what makes no sense is passed over.
 * What was brought along by other parcels may come again; the first time counts.
 */
#include "view_parts.h"

#include "base/text.h"
#include "domain/rules.h"
#include "msg/record.h"
#include "wire/officer_check.h"

#include <comity/err.h>

/* ---- records ---- */

static struct bytes title_of(const struct record *r)
{
    switch (r->kind) {
    case RECORD_CASE:
        return r->u.case_content.title;
    case RECORD_EVIDENCE:
        return r->u.evidence.title;
    default:
        return BYTES_NONE;
    }
}

static uint64_t sub_of(const struct record *r)
{
    switch (r->kind) {
    case RECORD_EVIDENCE:
        return r->u.evidence.kind;
    case RECORD_RECOGNITION:
        return r->u.recognition.decision;
    default:
        return 0;
    }
}

static size_t files_of(const struct record *r)
{
    return r->kind == RECORD_EVIDENCE ? r->u.evidence.file_count : 0;
}

/* The case that the record belongs to, by the number of its ledger. False: to none. */
static bool case_of(struct node *n, const struct record *r, uint64_t *ret_origin, int *ret_err)
{
    int err =
        r->has_case_ref ? view_origin_id(n, r->case_ref.origin, ret_origin) : COMITY_E_INVALID;
    if (err && err != COMITY_E_INVALID)
        *ret_err = err;
    return err == COMITY_OK;
}

static int fill_row(struct node *n, const struct view_item *item, const struct record *r,
                    const struct body *body, struct view_row *ret)
{
    bool is_own = item->from == VIEW_OWN;
    struct view_row row = {.at = is_own ? n->base + item->index : item->received,
                           .index = item->index,
                           .kind = r->kind,
                           .time_ms = item->time_ms,
                           .case_index = r->case_ref.index,
                           .title = title_of(r),
                           .doc_no = r->doc_no,
                           .sub = sub_of(r),
                           .files = files_of(r),
                           .notes = body->note_count,
                           .request_id = is_own ? body->request_id : BYTES_NONE,
                           .sender = item->sender,
                           .leaf = item->leaf};
    int err = view_origin_id(n, item->origin, &row.origin);
    if (!err)
        row.has_case = case_of(n, r, &row.case_origin, &err);
    if (!err)
        *ret = row;
    return err;
}

static int write_files(struct node *n, const struct view_item *item, const struct record *r,
                       uint64_t origin)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < files_of(r); i++) {
        const struct record_file *f = &r->u.evidence.files[i];
        if (f->len <= RECORD_FILE_LEN_MAX)
            err = db_run(store_db(n->store),
                         "INSERT OR IGNORE INTO view_file(blob, origin, idx, number, len, sha256,"
                         " secret) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         DB_BLOB(f->blob), DB_U64(origin), DB_U64(item->index), DB_U64(i),
                         DB_U64(f->len), DB_BLOB(f->sha256), DB_BLOB(f->secret));
    }
    return err;
}

/* An own decision also stands at the evidence that it is about. */
static int mark_decided(struct node *n, uint64_t evidence_origin,
                        const struct record_recognition *r)
{
    int err = view_write_rows(n);
    if (err)
        return err;
    if (evidence_origin == VIEW_ORIGIN_OWN)
        return db_run(
            store_db(n->store),
            "UPDATE view_record SET decided = ?3 WHERE at = ?1 AND origin = 0 AND idx = ?2"
            " AND kind = 2",
            DB_U64(n->base + r->evidence.index), DB_U64(r->evidence.index), DB_U64(r->decision));
    return db_run(
        store_db(n->store),
        "UPDATE view_record SET decided = ?3 WHERE origin = ?1 AND origin > 0 AND idx = ?2"
        " AND kind = 2",
        DB_U64(evidence_origin), DB_U64(r->evidence.index), DB_U64(r->decision));
}

static int write_recognition(struct node *n, const struct view_item *item,
                             const struct record_recognition *r, uint64_t by)
{
    uint64_t origin = 0;
    int err = view_origin_id(n, r->evidence.origin, &origin);
    if (err)
        return err == COMITY_E_INVALID ? COMITY_OK : err;
    if (r->evidence.index >= LEDGER_SIZE_MAX)
        return COMITY_OK;
    err = db_run(store_db(n->store),
                 "INSERT OR IGNORE INTO view_recognition(origin, idx, by, entry, decision, time)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                 DB_U64(origin), DB_U64(r->evidence.index), DB_U64(by), DB_U64(item->index),
                 DB_U64(r->decision), DB_U64(item->time_ms));
    bool is_ours = item->from == VIEW_OWN || item->from == VIEW_ARCHIVED;
    return !err && is_ours ? mark_decided(n, origin, r) : err;
}

/* The record of the body: as the turn has decoded it, or decoded here. NULL when there is none, or
 * it does not decode. */
static const struct record *record_of(struct node *n, const struct view_item *item,
                                      const struct body *body, struct record *room)
{
    if (item->record)
        return item->record;
    if (!body->record.len || record_decode(n->view->scratch, body->record, room))
        return NULL;
    return room;
}

int view_project_record(struct node *n, const struct view_item *item, const struct body *body)
{
    struct record room = {0};
    struct view_row row;
    const struct record *r = record_of(n, item, body, &room);
    if (!r || r->kind >= VIEW_KINDS || (r->has_case_ref && r->case_ref.index >= LEDGER_SIZE_MAX))
        return COMITY_OK;
    bool leaves_more = files_of(r) > 0 || r->kind == RECORD_RECOGNITION;
    bool is_new = true;
    int err = fill_row(n, item, r, body, &row);
    if (!err)
        err = leaves_more && item->from != VIEW_OWN ? view_write_row(n, &row, &is_new)
                                                    : view_add_row(n, &row);
    if (err || !leaves_more || !is_new)
        return err;
    err = write_files(n, item, r, row.origin);
    if (!err && r->kind == RECORD_RECOGNITION)
        err = write_recognition(n, item, &r->u.recognition, row.origin);
    return err;
}

/* ---- what is said of records ---- */

/* The number of the ledger that ${e}'s source names; false when it names no entry of one. */
static bool source_of(struct node *n, const struct entry *e, uint64_t *ret_origin, int *ret_err)
{
    if (!e->has_source || !e->source.has_index || e->source.index >= LEDGER_SIZE_MAX)
        return false;
    int err = view_origin_id(n, e->source.origin, ret_origin);
    if (err && err != COMITY_E_INVALID)
        *ret_err = err;
    return err == COMITY_OK;
}

static int write_request(struct node *n, const struct view_item *item, const struct body *body)
{
    if (item->from != VIEW_OWN || !body->request_id.len)
        return COMITY_OK;
    return db_run(store_db(n->store), "INSERT OR IGNORE INTO view_request(id, idx) VALUES(?1, ?2)",
                  DB_BLOB(body->request_id), DB_U64(item->index));
}

int view_project_signature(struct node *n, const struct view_item *item, const struct body *body)
{
    struct officer_signature s;
    uint64_t origin = 0;
    int err = COMITY_OK;
    if (body->note_count == 0 || officer_signature_peek(body->notes[0], &s) ||
        !source_of(n, item->entry, &origin, &err))
        return err;
    err = db_run(store_db(n->store),
                 "INSERT OR IGNORE INTO view_signature(origin, idx, entry, licence, role, time)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                 DB_U64(origin), DB_U64(item->entry->source.index), DB_U64(item->index),
                 DB_TEXT(s.licence), DB_U64(s.role), DB_U64(item->time_ms));
    return err ? err : write_request(n, item, body);
}

int view_project_share(struct node *n, const struct view_item *item, const struct body *body)
{
    uint64_t origin = 0;
    uint64_t by = 0;
    int err = COMITY_OK;
    if (!source_of(n, item->entry, &origin, &err))
        return err;
    err = view_origin_id(n, item->origin, &by);
    if (!err)
        err = db_run(store_db(n->store),
                     "INSERT OR IGNORE INTO view_share(origin, idx, by, entry, time)"
                     " VALUES(?1, ?2, ?3, ?4, ?5)",
                     DB_U64(origin), DB_U64(item->entry->source.index), DB_U64(by),
                     DB_U64(item->index), DB_U64(item->time_ms));
    return err ? err : write_request(n, item, body);
}

/* ---- officers ---- */

static int retire(struct node *n, const struct view_item *item, uint64_t origin,
                  const struct officer_key *k)
{
    return db_run(store_db(n->store),
                  "UPDATE view_officer SET retired = ?3 WHERE origin = ?1 AND licence = ?2"
                  " AND idx < ?3 AND retired IS NULL",
                  DB_U64(origin), DB_TEXT(k->enrolment.licence), DB_U64(item->index));
}

static int enrol(struct node *n, const struct view_item *item, uint64_t origin,
                 const struct officer_key *k)
{
    struct buf vkey = BUF_INIT;
    uint64_t roles = 0;
    for (size_t i = 0; i < k->role_count; i++)
        roles |= UINT64_C(1) << k->roles[i];
    note_put_vkey(&vkey, &k->enrolment.key);
    int err = buf_check(&vkey);
    if (!err)
        err = db_run(store_db(n->store),
                     "INSERT OR IGNORE INTO view_officer(origin, idx, licence, name, vkey, roles,"
                     " time) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                     DB_U64(origin), DB_U64(item->index), DB_TEXT(k->enrolment.licence),
                     DB_TEXT(k->enrolment.name), DB_TEXT(buf_bytes(&vkey)), DB_U64(roles),
                     DB_U64(item->time_ms));
    buf_free(&vkey);
    return err;
}

int view_project_key(struct node *n, const struct view_item *item, const struct body *body)
{
    struct officer_key k;
    uint64_t origin = 0;
    if (officer_key_read(item->origin, item->index, body, &k))
        return COMITY_OK;
    int err = view_origin_id(n, item->origin, &origin);
    if (err)
        return err;
    return k.is_retired ? retire(n, item, origin, &k) : enrol(n, item, origin, &k);
}
