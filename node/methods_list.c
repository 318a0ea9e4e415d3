/*
 * Lists: cases, evidence, recognitions, inbox. Newest first, page by page, from the projections
 * alone; contents are opened only for what is shown of recognitions.
 */
#include "methods.h"

#include "archive.h"

#include "stages.h"

#include <string.h>

static void set_place(struct value *v, const struct record_row *r)
{
    value_set_place(v, r->origin, r->index, &r->leaf);
}

static void set_case(struct value *v, const struct record_row *r)
{
    if (r->case_origin.len)
        value_set(v, "case", value_ref(r->case_origin, r->case_index));
}

/* ---- items ---- */

static uint64_t count_evidence(struct call *k, const struct record_row *r)
{
    const struct db_value values[] = {DB_U64(r->origin_id), DB_U64(r->index)};
    uint64_t count = 0;
    if (db_get_u64(store_db(k->n->store), 0, &count,
                   "SELECT count(*) FROM view_record WHERE case_origin = ?1 AND case_idx = ?2"
                   " AND kind = 2",
                   values, 2))
        return 0;
    return count;
}

/* Decisions, wherever they were made, about the evidence of the case, and those that name the case.
 */
static uint64_t count_decisions(struct call *k, const struct record_row *r)
{
    const struct db_value values[] = {DB_U64(r->origin_id), DB_U64(r->index)};
    uint64_t count = 0;
    if (db_get_u64(store_db(k->n->store), 0, &count,
                   "SELECT count(*) FROM (SELECT v.by, v.entry FROM view_record e"
                   " JOIN view_recognition v ON v.origin = e.origin AND v.idx = e.idx"
                   " WHERE e.case_origin = ?1 AND e.case_idx = ?2 AND e.kind = 2"
                   " UNION SELECT origin, idx FROM view_record"
                   " WHERE case_origin = ?1 AND case_idx = ?2 AND kind = 3)",
                   values, 2))
        return 0;
    return count;
}

static json_t *case_item(struct call *k, const struct record_row *r)
{
    struct value v = value_object();
    struct content_of c;
    set_place(&v, r);
    value_set_text(&v, "title", r->title);
    value_set_text(&v, "doc_no", r->doc_no);
    if (content_load(k->n, k->a, r->origin, r->index, &c) == COMITY_OK &&
        c.record.kind == RECORD_CASE)
        value_set_text(&v, "filed", c.record.u.case_content.filed);
    value_set(&v, "time", value_time(r->time_ms));
    value_set(&v, "evidence", value_u64(count_evidence(k, r)));
    value_set(&v, "decisions", value_u64(count_decisions(k, r)));
    value_set_text(&v, "sender", r->sender);
    return v.json;
}

static enum stage stage_of_evidence(struct call *k, const struct record_row *r)
{
    struct stage_of *stages = NULL;
    size_t count = 0;
    if (!record_is_ours(r))
        return r->decided ? STAGE_DECIDED : STAGE_RECEIVED;
    if (stages_of_record(k->n, k->a, r, &stages, &count) ||
        stages_decide(k->n, k->a, r, stages, count))
        return STAGE_RECORDED; /* at least that is so */
    return stages_least(stages, stages_merge(stages, count));
}

static uint64_t count_signatures(struct call *k, const struct record_row *r)
{
    const struct db_value values[] = {DB_U64(r->origin_id), DB_U64(r->index)};
    uint64_t count = 0;
    if (db_get_u64(store_db(k->n->store), 0, &count,
                   "SELECT count(*) FROM view_signature WHERE origin = ?1 AND idx = ?2", values, 2))
        return r->notes;
    return r->notes + count;
}

void set_decision(struct value *v, uint32_t decision)
{
    if (decision)
        value_set(v, "decision", json_string(record_token(TERMS_DECISION, decision)));
}

/* Decisions are numbered from the most to the least favourable. */
uint32_t evidence_decision(struct call *k, const struct record_row *r)
{
    struct db_rows *rows = NULL;
    uint64_t by = 0;
    uint32_t newest = 0;
    uint32_t least = 0;
    if (!record_is_ours(r))
        return r->decided;
    int err = db_query(store_db(k->n->store), &rows,
                       "SELECT by, decision FROM view_recognition WHERE origin = ?1 AND idx = ?2"
                       " ORDER BY by, time, entry",
                       DB_U64(r->origin_id), DB_U64(r->index));
    while (!err && db_next(rows) == DB_ROW) {
        if (newest && db_u64(rows, 0) != by && newest > least)
            least = newest;
        by = db_u64(rows, 0);
        newest = (uint32_t)db_u64(rows, 1);
    }
    db_done(rows);
    return newest > least ? newest : least;
}

json_t *evidence_item(struct call *k, const struct record_row *r)
{
    struct value v = value_object();
    set_place(&v, r);
    value_set_text(&v, "title", r->title);
    value_set(&v, "kind", json_string(record_token(TERMS_EVIDENCE_KIND, r->sub)));
    value_set_text(&v, "doc_no", r->doc_no);
    set_case(&v, r);
    value_set(&v, "time", value_time(r->time_ms));
    value_set(&v, "files", value_u64(r->files));
    value_set(&v, "signatures", value_u64(count_signatures(k, r)));
    value_set(&v, "stage", json_string(stage_token(stage_of_evidence(k, r))));
    value_set_text(&v, "sender", r->sender);
    set_decision(&v, evidence_decision(k, r));
    return v.json;
}

int recognition_evidence(struct call *k, const struct record_row *r, struct record_row *ret)
{
    struct content_of c;
    int err = content_load(k->n, k->a, r->origin, r->index, &c);
    if (!err && c.record.kind != RECORD_RECOGNITION)
        err = COMITY_E_NOT_FOUND;
    if (!err)
        err = record_row_find(k->n, k->a, c.record.u.recognition.evidence.origin,
                              c.record.u.recognition.evidence.index, ret);
    return err;
}

static json_t *texts_json(const struct bytes *texts, size_t n)
{
    struct value v = value_array();
    for (size_t i = 0; i < n; i++)
        value_add(&v, value_text(texts[i]));
    return v.json;
}

json_t *recognition_item(struct call *k, const struct record_row *r)
{
    struct value v = value_object();
    struct content_of c;
    set_place(&v, r);
    set_case(&v, r);
    set_decision(&v, r->sub);
    if (content_load(k->n, k->a, r->origin, r->index, &c) == COMITY_OK &&
        c.record.kind == RECORD_RECOGNITION) {
        const struct record_recognition *e = &c.record.u.recognition;
        struct value reviewer = value_object();
        value_set(&reviewer, "name", value_text(e->reviewer.name));
        value_set(&reviewer, "licence", value_text(e->reviewer.licence));
        value_set(&v, "evidence", value_ref(e->evidence.origin, e->evidence.index));
        value_set(&v, "reviewer", reviewer.json);
        value_set_text(&v, "basis", e->basis);
        value_set_text(&v, "limits", e->limits);
        value_set_text(&v, "agreement", e->agreement);
        if (e->test_count)
            value_set(&v, "tests", texts_json(e->tests, e->test_count));
    }
    value_set(&v, "time", value_time(r->time_ms));
    value_set_text(&v, "sender", r->sender);
    return v.json;
}

static uint64_t count_fetched(struct call *k, const struct record_row *r)
{
    const struct db_value values[] = {DB_TEXT(r->origin), DB_U64(r->index)};
    uint64_t count = 0;
    if (db_get_u64(store_db(k->n->store), 0, &count,
                   "SELECT count(DISTINCT blob) FROM attachment_in WHERE origin = ?1 AND idx = ?2"
                   " AND state = 2",
                   values, 2))
        return 0;
    return count;
}

/* What a recognition received is about: who reads the list knows the evidence, not the number. */
static void set_subject(struct call *k, struct value *v, const struct record_row *r)
{
    struct record_row evidence;
    set_decision(v, r->sub);
    if (recognition_evidence(k, r, &evidence))
        return;
    value_set(v, "evidence", value_ref(evidence.origin, evidence.index));
    value_set_text(v, "title", evidence.title);
    if (!r->case_origin.len)
        set_case(v, &evidence);
}

static json_t *inbox_item(struct call *k, const struct record_row *r)
{
    struct value v = value_object();
    struct value received = value_object();
    set_place(&v, r);
    value_set(&v, "kind", json_string(kind_token(r->kind)));
    value_set_text(&v, "title", r->title);
    value_set_text(&v, "doc_no", r->doc_no);
    set_case(&v, r);
    value_set_text(&v, "sender", r->sender);
    uint64_t own = 0;
    struct node *home = archive_at(k->n, r->at, &own);
    value_set(&received, "ref", value_ref(bytes_of(ledger_origin(home->ledger)), own));
    value_set(&received, "time", value_time(r->time_ms));
    value_set(&v, "received", received.json);
    if (r->kind == RECORD_EVIDENCE) {
        value_set(&v, "files", value_u64(r->files));
        value_set(&v, "fetched", value_u64(count_fetched(k, r)));
        value_set(&v, "decided", json_boolean(r->decided != 0));
        set_decision(&v, r->decided);
    } else if (r->kind == RECORD_RECOGNITION) {
        set_subject(k, &v, r);
    }
    return v.json;
}

/* ---- pages of rows ---- */

/* Read rows of ${rows}, whose query gave ${err}, into the page. */
static int fill_page(struct call *k, struct page *p, struct db_rows *rows, int err,
                     json_t *(*item)(struct call *k, const struct record_row *r))
{
    int got = 0;
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct record_row r;
        err = record_row_read(k->n, k->a, rows, &r);
        if (!err && p->count == p->limit) {
            p->is_more = true;
            break;
        }
        if (!err)
            page_add(p, item(k, &r), &(struct page_place){r.at, r.origin_id, r.index});
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

#define BELOW "(r.at, r.origin, r.idx) < (?1, ?2, ?3)"
#define NEWEST_FIRST " ORDER BY r.at DESC, r.origin DESC, r.idx DESC"

static int finish(struct call *k, struct page *p, int err)
{
    if (!err)
        return page_finish(k, p);
    json_decref(p->items.json);
    return err;
}

static int begin(struct call *k, const struct page *p, struct page_place *after)
{
    int err = page_check(k, p);
    return err ? err : page_place(k, p, after);
}

int method_case_list(struct call *k)
{
    struct page p;
    struct page_place after;
    struct bytes q = BYTES_NONE;
    struct db_rows *rows = NULL;
    bool mine = false;
    page_init(&p);
    int err =
        CALL_ARGS(k, {"q", ARG_TEXT, false, &q}, {"mine", ARG_BOOL, false, &mine}, PAGE_ARGS(&p));
    if (!err)
        err = begin(k, &p, &after);
    if (err)
        return finish(k, &p, err);
    err = db_query(store_db(k->n->store), &rows,
                   RECORD_ROW_SQL
                   "WHERE r.kind = 1 AND r.kind <> 2 AND " BELOW " AND (?4 = 0 OR r.sender IS NULL)"
                   " AND (?5 IS NULL OR instr(r.title, ?5) OR instr(r.doc_no, ?5))" NEWEST_FIRST,
                   DB_U64(after.at), DB_U64(after.origin), DB_U64(after.index), DB_U64(mine),
                   q.len ? DB_TEXT(q) : DB_NULL);
    return finish(k, &p, fill_page(k, &p, rows, err, case_item));
}

/* Evidence of one case. */
static int list_case_evidence(struct call *k, struct page *p, const struct page_place *after,
                              const struct place *of)
{
    struct db_rows *rows = NULL;
    uint64_t id = 0;
    int err = record_origin_id(k->n, of->origin, &id);
    if (err)
        return err == COMITY_E_NOT_FOUND ? COMITY_OK : err;
    err = db_query(store_db(k->n->store), &rows,
                   RECORD_ROW_SQL "WHERE r.case_origin = ?4 AND r.case_idx = ?5 AND r.kind = 2"
                                  " AND " BELOW NEWEST_FIRST,
                   DB_U64(after->at), DB_U64(after->origin), DB_U64(after->index), DB_U64(id),
                   DB_U64(of->index));
    return fill_page(k, p, rows, err, evidence_item);
}

int method_evidence_list(struct call *k)
{
    struct page p;
    struct page_place after;
    struct place of;
    struct bytes of_case = BYTES_NONE;
    struct db_rows *rows = NULL;
    bool mine = false;
    bool unrecognised = false;
    page_init(&p);
    int err = CALL_ARGS(k, {"case", ARG_TEXT, false, &of_case}, {"mine", ARG_BOOL, false, &mine},
                        {"unrecognised", ARG_BOOL, false, &unrecognised}, PAGE_ARGS(&p));
    if (!err)
        err = begin(k, &p, &after);
    if (!err && of_case.len) {
        if (mine || unrecognised)
            err = call_fail(k, COMITY_E_USAGE, "case", "'case' goes with no other choice");
        if (!err)
            err = call_place(k, "case", of_case, &of);
        return finish(k, &p, err ? err : list_case_evidence(k, &p, &after, &of));
    }
    if (err)
        return finish(k, &p, err);
    if (unrecognised)
        err = db_query(store_db(k->n->store), &rows,
                       RECORD_ROW_SQL "WHERE r.origin > 0 AND r.kind = 2 AND r.decided IS NULL"
                                      " AND r.sender IS NOT NULL"
                                      " AND " BELOW NEWEST_FIRST,
                       DB_U64(after.at), DB_U64(after.origin), DB_U64(after.index));
    else
        err = db_query(store_db(k->n->store), &rows,
                       RECORD_ROW_SQL "WHERE " BELOW " AND r.kind = 2"
                                      " AND (?4 = 0 OR r.sender IS NULL)" NEWEST_FIRST,
                       DB_U64(after.at), DB_U64(after.origin), DB_U64(after.index), DB_U64(mine));
    return finish(k, &p, fill_page(k, &p, rows, err, evidence_item));
}

json_t *recognitions_of(struct call *k, const struct record_row *r)
{
    struct page p;
    struct db_rows *rows = NULL;
    page_init(&p);
    p.limit = PAGE_MAX;
    int err = db_query(store_db(k->n->store), &rows,
                       "SELECT v.by, v.entry FROM view_recognition v WHERE v.origin = ?1"
                       " AND v.idx = ?2 ORDER BY v.time, v.by, v.entry",
                       DB_U64(r->origin_id), DB_U64(r->index));
    int got = 0;
    while (!err && (got = db_next(rows)) == DB_ROW && p.count < p.limit) {
        struct bytes by = BYTES_NONE;
        struct record_row row;
        err = record_origin_name(k->n, k->a, db_u64(rows, 0), &by);
        if (!err)
            err = record_row_find(k->n, k->a, by, db_u64(rows, 1), &row);
        if (!err)
            page_add(&p, recognition_item(k, &row), NULL);
    }
    db_done(rows);
    if (!err && got >= 0)
        return p.items.json;
    json_decref(p.items.json);
    return NULL;
}

int method_recognition_list(struct call *k)
{
    struct page p;
    struct page_place after;
    struct bytes evidence = BYTES_NONE;
    struct record_row row;
    struct db_rows *rows = NULL;
    page_init(&p);
    int err = CALL_ARGS(k, {"evidence", ARG_TEXT, false, &evidence}, PAGE_ARGS(&p));
    if (!err)
        err = begin(k, &p, &after);
    if (!err && evidence.len) {
        err = record_find(k, "evidence", evidence, &row);
        json_decref(p.items.json);
        p.items.json = err ? NULL : recognitions_of(k, &row);
        return finish(k, &p, err);
    }
    if (err)
        return finish(k, &p, err);
    err = db_query(store_db(k->n->store), &rows,
                   RECORD_ROW_SQL "WHERE r.kind = 3 AND r.kind <> 2 AND " BELOW NEWEST_FIRST,
                   DB_U64(after.at), DB_U64(after.origin), DB_U64(after.index));
    return finish(k, &p, fill_page(k, &p, rows, err, recognition_item));
}

int method_inbox_list(struct call *k)
{
    struct page p;
    struct page_place after;
    struct bytes kind = BYTES_NONE;
    struct bytes from = BYTES_NONE;
    struct db_rows *rows = NULL;
    const struct record_term *term = NULL;
    page_init(&p);
    int err = CALL_ARGS(k, {"kind", ARG_TEXT, false, &kind}, {"from", ARG_TEXT, false, &from},
                        PAGE_ARGS(&p));
    if (!err)
        err = begin(k, &p, &after);
    if (!err && kind.len && !(term = record_term_named(TERMS_RECORD_KIND, kind)))
        err = call_fail(k, COMITY_E_USAGE, "kind", "'%.*s' is no kind of record", call_clip(kind),
                        (const char *)kind.data);
    if (err)
        return finish(k, &p, err);
    err = db_query(store_db(k->n->store), &rows,
                   RECORD_ROW_SQL "WHERE r.origin > 0 AND r.sender IS NOT NULL AND " BELOW
                                  " AND (?4 = 0 OR r.kind = ?4)"
                                  " AND (?5 IS NULL OR r.sender = ?5)" NEWEST_FIRST,
                   DB_U64(after.at), DB_U64(after.origin), DB_U64(after.index),
                   DB_U64(term ? term->number : 0), from.len ? DB_TEXT(from) : DB_NULL);
    return finish(k, &p, fill_page(k, &p, rows, err, inbox_item));
}
