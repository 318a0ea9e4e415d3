/*
 * record.sign: a further officer's signature under an own record, as an entry of its own.
 */
#include "methods.h"

#include "domain/rules.h"
#include "signatures.h"
#include "stages.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

struct signing {
    struct bytes request_id;
    struct record_row row;
    struct content_of content;
    struct signatures before;
    struct bytes note;
    struct officer_signature sig;
    const struct officer *officer;
    const struct bytes *to;
    size_t to_count;
};

static int check_note(struct call *k, struct signing *s)
{
    const struct officer_subject subject = {.origin = s->row.origin,
                                            .record_kind = s->content.record.kind,
                                            .has_record_hash = true,
                                            .record_hash = s->content.record_hash};
    int err = call_note(k, &s->note);
    if (err)
        return err;
    err = officers_verify(k->c->officers, &subject, s->note, &s->sig, &s->officer);
    if (err == COMITY_E_SIGNATURE)
        return call_fail(k, err, "notes[0]",
                         "the signature is not one over this record by the key "
                         "enrolled for that licence");
    if (err == COMITY_E_ROLE) {
        call_fail(k, err, "notes[0]", NULL);
        return call_hint(
            k, err,
            "comity key list shows who holds which role; another role needs a new enrolment");
    }
    if (err)
        return call_fail(k, err, "notes[0]", NULL);
    for (size_t i = 0; i < s->before.count; i++)
        if (s->before.at[i].sig.role == s->sig.role &&
            licence_equal(s->before.at[i].sig.licence, s->sig.licence))
            return call_fail(k, COMITY_E_EXISTS, "notes[0]",
                             "officer %s has signed this record in this role already",
                             s->officer->licence);
    return COMITY_OK;
}

/* A collector must be one whom the record names. */
static int check_collector(struct call *k, const struct signing *s)
{
    const struct record *r = &s->content.record;
    if (r->kind != RECORD_EVIDENCE || s->sig.role != SIGNATURE_COLLECTOR)
        return COMITY_OK;
    for (size_t i = 0; i < r->officer_count; i++)
        if (licence_equal(r->officers[i].licence, s->sig.licence))
            return COMITY_OK;
    return call_fail(k, COMITY_E_COLLECTORS, "notes[0]",
                     "the record does not name officer %s as a collector", s->officer->licence);
}

static int compare_views(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* The members that have the record and can still be written to: they get the signature, too. */
static int find_readers(struct call *k, struct signing *s)
{
    struct stage_of *stages = NULL;
    size_t count = 0;
    size_t kept = 0;
    int err = k->n->roster ? stages_of_record(k->n, k->a, &s->row, &stages, &count) : COMITY_OK;
    struct bytes *to = err ? NULL : arena_alloc(k->c->arena, count * sizeof *to);
    if (err || !to)
        return err ? err : COMITY_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct roster_member *m = roster_member_of(k->n->roster, stages[i].member);
        if (stages[i].stage != STAGE_REFUSED && m && roster_current_origin(k->n->roster, m))
            to[kept++] = call_keep(k, stages[i].member);
    }
    qsort(to, kept, sizeof *to, compare_views);
    for (size_t i = 0; i < kept && s->to_count < ENTRY_TO_MAX; i++) {
        if (!to[i].data)
            return COMITY_E_NOMEM;
        if (s->to_count == 0 || !bytes_equal(to[s->to_count - 1], to[i]))
            to[s->to_count++] = to[i];
    }
    s->to = to;
    return COMITY_OK;
}

/* What the reply says beside the place. */
struct signed_entry {
    struct bytes origin;
    uint64_t index;
    struct hash leaf;
    char licence[RECORD_LICENCE_MAX + 1];
    const char *role;
    size_t signatures;
};

static void show_signed(struct pending *p, const struct draft *d, struct buf *json)
{
    const struct signed_entry *s = p->self;
    struct value v = value_object();
    (void)d;
    value_set_place(&v, s->origin, s->index, &s->leaf);
    char *place = v.json ? json_dumps(v.json, JSON_COMPACT) : NULL;
    buf_printf(
        json,
        ",\"record\":%s,\"licence\":\"%s\",\"role\":\"%s\",\"signatures\":%zu,\"again\":false",
        place ? place : "null", s->licence, s->role, s->signatures);
    free(place);
    json_decref(v.json);
}

static struct signed_entry *keep_answer(struct call *k, const struct signing *s)
{
    struct signed_entry *e = arena_alloc(k->c->arena, sizeof *e);
    if (!e)
        return NULL;
    e->origin = call_keep(k, s->row.origin);
    e->index = s->row.index;
    e->leaf = s->row.leaf;
    snprintf(e->licence, sizeof e->licence, "%s", s->officer->licence);
    e->role = signature_role_token(s->sig.role);
    e->signatures = s->before.count + 1;
    return e->origin.data ? e : NULL;
}

static int append(struct call *k, const struct signing *s)
{
    const struct body body = {.notes = &s->note, .note_count = 1, .request_id = s->request_id};
    struct buf bytes = BUF_INIT;
    uint64_t *key = arena_alloc(k->c->arena, sizeof *key);
    struct signed_entry *answer = keep_answer(k, s);
    int err = key && answer ? body_encode(&body, &bytes) : COMITY_E_NOMEM;
    struct draft d = {.kind = ENTRY_SIGNATURE,
                      .has_source = true,
                      .source = {.has_index = true, .index = s->row.index},
                      .to = s->to,
                      .to_count = s->to_count,
                      .enclosed_own = key,
                      .enclosed_own_count = s->to_count ? 1 : 0};
    if (!err) {
        *key = s->officer->index;
        d.source.origin = call_keep(k, s->row.origin);
        d.source.leaf = call_keep(k, hash_bytes(&s->row.leaf));
        d.body = call_keep(k, buf_bytes(&bytes));
        err =
            d.source.origin.data && d.source.leaf.data && d.body.data ? COMITY_OK : COMITY_E_NOMEM;
    }
    buf_free(&bytes);
    return err ? err : call_append(k, &d, &(struct pending){.show = show_signed, .self = answer});
}

/* ---- the same request again ---- */

static int again_json(struct call *k, const struct signing *s, uint64_t index)
{
    struct bytes origin = bytes_of(ledger_origin(k->n->ledger));
    struct value v = value_object();
    struct value record = value_object();
    struct hash leaf;
    int err = ledger_leaf(k->n->ledger, index, &leaf);
    value_set_place(&v, origin, index, &leaf);
    value_set_place(&record, s->row.origin, s->row.index, &s->row.leaf);
    value_set(&v, "record", record.json);
    value_set(&v, "licence", value_text(s->sig.licence));
    value_set(&v, "role", json_string(signature_role_token(s->sig.role)));
    value_set(&v, "signatures", value_u64(s->before.count));
    value_set(&v, "again", json_true());
    if (!err)
        return value_finish(&v, &k->result);
    json_decref(v.json);
    return err;
}

/* Answered from what was done under the request id before: 0; CALL_TAKEN: go on. */
static int find_again(struct call *k, struct signing *s)
{
    uint64_t index = 0;
    if (!s->request_id.len)
        return CALL_TAKEN;
    if (s->request_id.len > BODY_REQUEST_ID_MAX)
        return call_fail(k, COMITY_E_USAGE, "request_id", "a request id has at most %d bytes",
                         BODY_REQUEST_ID_MAX);
    int err = request_find(k, s->request_id, &index);
    if (err)
        return err == COMITY_E_NOT_FOUND ? CALL_TAKEN : err;
    if ((err = call_note(k, &s->note)))
        return err;
    for (size_t i = 0; i < s->before.count; i++)
        if (s->before.at[i].entry == index && bytes_equal(s->before.at[i].note, s->note)) {
            s->sig = s->before.at[i].sig;
            return again_json(k, s, index);
        }
    return call_fail(k, COMITY_E_REQUEST_CONFLICT, "request_id",
                     "entry %llu was made under this request id, for something else",
                     (unsigned long long)index);
}

int method_record_sign(struct call *k)
{
    struct bytes ref = BYTES_NONE;
    struct signing *s = arena_alloc(k->a, sizeof *s);
    if (!s)
        return COMITY_E_NOMEM;
    int err = CALL_ARGS(k, {"ref", ARG_TEXT, true, &ref},
                        {"request_id", ARG_TEXT, false, &s->request_id});
    if (!err)
        err = record_find(k, "ref", ref, &s->row);
    if (!err && s->row.origin_id != 0)
        err = call_fail(k, COMITY_E_STATE, "ref",
                        "this record is another bureau's: its officers sign it there");
    if (!err)
        err = record_load(k, &s->row, &s->content);
    if (!err)
        err = signatures_load(k->n, k->a, &s->row, &s->content, &s->before);
    if (err || (err = find_again(k, s)) != CALL_TAKEN)
        return err;
    err = check_note(k, s);
    if (!err)
        err = check_collector(k, s);
    if (!err)
        err = find_readers(k, s);
    return err ? err : append(k, s);
}
