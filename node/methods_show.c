/*
 * One case, one piece of evidence, one record, with all that belongs to it.
 */
#include "methods.h"

#include "render.h"
#include "json/record_json.h"

#include <stdlib.h>
#include <string.h>

/* Room that is too large for the stack of a handler. */
struct shown {
    struct record_row row;
    struct content_of content;
    struct signatures signatures;
    struct stage_of *stages;
    size_t stage_count;
};

static int load_shown(struct call *k, struct shown *s)
{
    int err = record_load(k, &s->row, &s->content);
    if (!err)
        err = signatures_load(k->n, k->a, &s->row, &s->content, &s->signatures);
    if (!err)
        err = stages_of_record(k->n, k->a, &s->row, &s->stages, &s->stage_count);
    if (!err)
        err = stages_decide(k->n, k->a, &s->row, s->stages, s->stage_count);
    if (!err)
        s->stage_count = stages_merge(s->stages, s->stage_count);
    return err;
}

static int set_record(struct value *v, const struct shown *s)
{
    json_t *record = NULL;
    int err = record_to_json(&s->content.record, 0, &record);
    if (!err)
        value_set(v, "record", record);
    return err;
}

static int begin_shown(struct value *v, const struct shown *s)
{
    value_set_place(v, s->row.origin, s->row.index, &s->row.leaf);
    value_set(v, "kind", json_string(kind_token(s->row.kind)));
    value_set(v, "time", value_time(s->row.time_ms));
    value_set_text(v, "sender", s->row.sender);
    value_set(v, "record_hash", value_hex(hash_bytes(&s->content.record_hash)));
    return set_record(v, s);
}

static int find_shown(struct call *k, struct shown **ret)
{
    struct bytes ref = BYTES_NONE;
    struct shown *s = arena_alloc(k->a, sizeof *s);
    if (!s)
        return COMITY_E_NOMEM;
    int err = CALL_ARGS(k, {"ref", ARG_TEXT, true, &ref});
    if (!err)
        err = record_find(k, "ref", ref, &s->row);
    if (!err)
        err = load_shown(k, s);
    if (!err)
        *ret = s;
    return err;
}

static int finish_shown(struct call *k, struct value *v, int err)
{
    if (!err)
        return value_finish(v, &k->result);
    json_decref(v->json);
    return err;
}

/* ---- evidence.show ---- */

/* What shows a record that is no evidence. */
static void hint_other_kind(struct call *k, const struct record_row *r)
{
    struct buf ref = BUF_INIT;
    value_put_ref(&ref, r->origin, r->index);
    call_hint(k, COMITY_E_NOT_FOUND,
              r->kind == RECORD_CASE ? "comity case show %s" : "comity track %s", buf_str(&ref));
    buf_free(&ref);
}

int method_evidence_show(struct call *k)
{
    struct shown *s = NULL;
    int err = find_shown(k, &s);
    if (!err && s->row.kind != RECORD_EVIDENCE)
        err = call_fail(k, COMITY_E_NOT_FOUND, "ref", "this is a record of kind %s, not evidence",
                        kind_token(s->row.kind));
    if (err && s)
        hint_other_kind(k, &s->row);
    if (err)
        return err;
    struct value v = value_object();
    err = begin_shown(&v, s);
    if (s->row.case_origin.len)
        value_set(&v, "case", value_ref(s->row.case_origin, s->row.case_index));
    value_set(&v, "signatures", signatures_json(&s->row, &s->signatures));
    value_set(&v, "files", files_json(k, &s->row, &s->content));
    value_set(&v, "recognitions", recognitions_of(k, &s->row));
    value_set(&v, "recipients",
              recipients_json(k, &s->row, &s->content, s->stages, s->stage_count));
    return finish_shown(k, &v, err);
}

/* ---- record.get ---- */

/* record, salt, notes: each with its length. */
static int put_parts(struct call *k, const struct shown *s)
{
    struct buf parts = BUF_INIT;
    buf_put_lp(&parts, s->content.body.record);
    buf_put_lp(&parts, s->content.opening.salt);
    for (size_t i = 0; i < s->signatures.count; i++)
        buf_put_lp(&parts, s->signatures.at[i].note);
    int err = buf_check(&parts);
    if (!err && !(k->chunk = arena_copy(k->a, buf_bytes(&parts))).data)
        err = COMITY_E_NOMEM;
    buf_free(&parts);
    return err;
}

int method_record_get(struct call *k)
{
    struct shown *s = NULL;
    int err = find_shown(k, &s);
    if (err)
        return err;
    struct value v = value_object();
    err = begin_shown(&v, s);
    value_set(&v, "signatures", signatures_json(&s->row, &s->signatures));
    if (!err)
        err = put_parts(k, s);
    return finish_shown(k, &v, err);
}

/* ---- case.show ---- */

/* The case with that document number: an own one, or the only one. */
static int find_by_number(struct call *k, struct bytes doc_no, struct record_row *ret)
{
    struct db_rows *rows = NULL;
    struct record_row r;
    size_t count = 0;
    int got = 0;
    int err = db_query(store_db(k->n->store), &rows,
                       RECORD_ROW_SQL "WHERE r.doc_no = ?1 AND r.kind = 1 ORDER BY r.origin, r.at",
                       DB_TEXT(doc_no));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        err = record_row_read(k->n, k->a, rows, &r);
        if (!err && count == 0)
            *ret = r;
        if (!err && (count == 0 || (ret->origin_id == 0) == (r.origin_id == 0)))
            count++;
    }
    db_done(rows);
    if (err || got < 0)
        return err ? err : got;
    if (count == 1)
        return COMITY_OK;
    if (count == 0)
        return call_fail(k, COMITY_E_NOT_FOUND, "doc_no", "no case here has that document number");
    call_fail(k, COMITY_E_AMBIGUOUS, "doc_no", "%zu cases here have that document number", count);
    return call_hint(k, COMITY_E_AMBIGUOUS, "comity case list shows them; give the REF of one");
}

/* Something that happened in the case. */
struct event {
    int64_t time_ms;
    const char *what;
    struct bytes origin;
    uint64_t index;
    struct bytes title;
    struct bytes by;
    uint32_t decision;
};

struct timeline {
    struct event at[2 * PAGE_MAX];
    size_t count;
};

static void add_event(struct timeline *t, struct event e)
{
    if (t->count < sizeof t->at / sizeof t->at[0])
        t->at[t->count++] = e;
}

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;
    return x->time_ms < y->time_ms ? -1 : x->time_ms > y->time_ms;
}

/* Signatures and shares of one record, and decisions about it, as the tables have them. */
static int add_events_of(struct call *k, struct timeline *t, const struct record_row *r)
{
    static const char sql[] =
        "SELECT 0, origin, entry, licence, time, 0 FROM view_signature"
        " WHERE origin = ?1 AND idx = ?2"
        " UNION ALL SELECT 1, by, entry, NULL, time, 0 FROM view_share"
        " WHERE origin = ?1 AND idx = ?2"
        " UNION ALL SELECT 2, by, entry, NULL, time, decision FROM view_recognition"
        " WHERE origin = ?1 AND idx = ?2";
    static const char *const words[] = {"signature", "share", "recognition"};
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(store_db(k->n->store), &rows, sql, DB_U64(r->origin_id), DB_U64(r->index));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct event e = {.what = words[db_u64(rows, 0)],
                          .index = db_u64(rows, 2),
                          .by = arena_copy(k->a, db_bytes(rows, 3)),
                          .time_ms = (int64_t)db_u64(rows, 4),
                          .decision = (uint32_t)db_u64(rows, 5)};
        err = record_origin_name(k->n, k->a, db_u64(rows, 1), &e.origin);
        if (!err)
            add_event(t, e);
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static const char *event_word(const struct record_row *r)
{
    static const char *const words[] = {[RECORD_CASE] = "case",
                                        [RECORD_EVIDENCE] = "evidence",
                                        [RECORD_RECOGNITION] = "recognition"};
    return r->kind < sizeof words / sizeof words[0] ? words[r->kind] : "record";
}

static int add_record_event(struct call *k, struct timeline *t, const struct record_row *r)
{
    struct event e = {.time_ms = r->time_ms,
                      .what = event_word(r),
                      .origin = r->origin,
                      .index = r->index,
                      .title = r->title,
                      .by = r->sender};
    if (r->kind == RECORD_RECOGNITION)
        e.decision = r->sub;
    add_event(t, e);
    return add_events_of(k, t, r);
}

static json_t *timeline_json(struct timeline *t)
{
    struct value v = value_array();
    qsort(t->at, t->count, sizeof t->at[0], compare_events);
    for (size_t i = 0; i < t->count; i++) {
        const struct event *e = &t->at[i];
        struct value item = value_object();
        value_set(&item, "time", value_time(e->time_ms));
        value_set(&item, "what", json_string(e->what));
        value_set(&item, "ref", value_ref(e->origin, e->index));
        value_set_text(&item, "title", e->title);
        value_set_text(&item, "by", e->by);
        set_decision(&item, e->decision);
        value_add(&v, item.json);
    }
    return v.json;
}

/* Whether a decision that names the case is about evidence of it, and told of there already. */
static bool is_about_evidence_of(struct call *k, const struct record_row *r,
                                 const struct record_row *of)
{
    struct record_row evidence;
    return recognition_evidence(k, r, &evidence) == COMITY_OK && evidence.case_origin.len &&
           evidence.case_origin_id == of->origin_id && evidence.case_index == of->index;
}

static void add_decisions(struct value *v, json_t *items)
{
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(items, i, item) value_add(v, json_incref(item));
    json_decref(items);
}

/* What refers to the case, oldest first; a case with more than a page of it is shown by its lists.
 */
static int set_contents(struct call *k, const struct record_row *of, struct timeline *t,
                        struct value *v)
{
    struct db_rows *rows = NULL;
    struct value evidence = value_array();
    struct value recognitions = value_array();
    size_t count = 0;
    int got = 0;
    int err = db_query(store_db(k->n->store), &rows,
                       RECORD_ROW_SQL "WHERE r.case_origin = ?1 AND r.case_idx = ?2"
                                      " ORDER BY r.at, r.origin, r.idx",
                       DB_U64(of->origin_id), DB_U64(of->index));
    while (!err && count++ < PAGE_MAX && (got = db_next(rows)) == DB_ROW) {
        struct record_row r;
        err = record_row_read(k->n, k->a, rows, &r);
        if (err || (r.kind == RECORD_RECOGNITION && is_about_evidence_of(k, &r, of)))
            continue;
        err = add_record_event(k, t, &r);
        if (r.kind == RECORD_EVIDENCE) {
            value_add(&evidence, evidence_item(k, &r));
            add_decisions(&recognitions, recognitions_of(k, &r));
        } else if (r.kind == RECORD_RECOGNITION) {
            value_add(&recognitions, recognition_item(k, &r));
        }
    }
    db_done(rows);
    value_set(v, "evidence", evidence.json);
    value_set(v, "recognitions", recognitions.json);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static int find_case(struct call *k, struct record_row *ret)
{
    struct bytes ref = BYTES_NONE;
    struct bytes doc_no = BYTES_NONE;
    int err = CALL_ARGS(k, {"ref", ARG_TEXT, false, &ref}, {"doc_no", ARG_TEXT, false, &doc_no});
    if (!err && (ref.len == 0) == (doc_no.len == 0))
        err = call_fail(k, COMITY_E_USAGE, "ref", "give either 'ref' or 'doc_no'");
    if (!err)
        err = ref.len ? record_find(k, "ref", ref, ret) : find_by_number(k, doc_no, ret);
    if (!err && ret->kind != RECORD_CASE)
        err = call_fail(k, COMITY_E_NOT_FOUND, "ref", "this is a record of kind %s, not a case",
                        kind_token(ret->kind));
    if (err == COMITY_E_NOT_FOUND && *k->hint == 0)
        call_hint(k, err, "comity case list");
    return err;
}

int method_case_show(struct call *k)
{
    struct shown *s = arena_alloc(k->a, sizeof *s);
    struct timeline *t = arena_alloc(k->a, sizeof *t);
    int err = s && t ? find_case(k, &s->row) : COMITY_E_NOMEM;
    if (!err)
        err = load_shown(k, s);
    if (err)
        return err;
    struct value v = value_object();
    err = begin_shown(&v, s);
    if (!err)
        err = add_record_event(k, t, &s->row);
    if (!err)
        err = set_contents(k, &s->row, t, &v);
    value_set(&v, "timeline", timeline_json(t));
    value_set(&v, "signatures", signatures_json(&s->row, &s->signatures));
    value_set(&v, "recipients",
              recipients_json(k, &s->row, &s->content, s->stages, s->stage_count));
    return finish_shown(k, &v, err);
}
