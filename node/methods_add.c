/*
 * record.add: what must be right before a record becomes an entry of the ledger for ever.
 *
 * The record itself (record_check), who signed it (keys in force, roles, the rules of its kind),
 * what it refers to, and the files that it names. Then the body is built, and the turn does the
 * rest. What is refused here leaves no trace.
 */
#include "methods.h"

#include "base/text.h"
#include "domain/role.h"
#include "domain/rules.h"
#include "msg/record.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

/* A record on its way in. */
struct adding {
    struct texts to_names;
    struct bytes request_id;
    bool anew; /* although there is one already */
    struct record record;
    struct hash record_hash;
    const struct bytes *to;
    size_t to_count;
    struct {
        const struct officer *officer;
        struct officer_signature sig;
    } note[CONTROL_NOTES_MAX];
    uint64_t keys[CONTROL_NOTES_MAX]; /* KEY entries, ascending */
    size_t key_count;
    const struct bytes *blobs;
    size_t blob_count;
};

/* ---- the record ---- */

static int read_record(struct call *k, struct adding *a)
{
    struct record_fault fault;
    if (!k->rq->record.len)
        return call_fail(k, COMITY_E_USAGE, "record", "the record is missing");
    if (k->rq->salt.len != SALT_LEN)
        return call_fail(k, COMITY_E_USAGE, "salt", "the salt of 32 bytes is missing");
    int err = record_decode(k->a, k->rq->record, &a->record);
    if (err)
        return call_fail(k, err, "record", NULL);
    err = record_check(&a->record, &fault);
    if (!err)
        err = record_check_clock(&a->record, node_latest_ms(k->n), &fault);
    if (err)
        return call_fail(k, err, fault.path, "%s: %s", fault.path, fault.words);
    ledger_record_hash(ledger_suite(k->n->ledger), bytes_of(ledger_origin(k->n->ledger)),
                       k->rq->salt, k->rq->record, &a->record_hash);
    return COMITY_OK;
}

/* ---- signatures ---- */

static int explain_note(struct call *k, int err, size_t i, struct bytes licence)
{
    char field[32];
    int len = call_clip(licence);
    const char *text = licence.len ? (const char *)licence.data : "";
    snprintf(field, sizeof field, "notes[%zu]", i);
    switch (err) {
    case COMITY_E_UNKNOWN_KEY:
        call_fail(k, err, field, "no officer with licence %.*s is enrolled here", len, text);
        return call_hint(k, err, "comity key list; an administrator enrols by comity key new");
    case COMITY_E_RETIRED:
        call_fail(k, err, field, "the key of officer %.*s was retired", len, text);
        return call_hint(k, err, "enrol a new key: comity key new");
    case COMITY_E_ROLE:
        call_fail(k, err, field, "officer %.*s is not enrolled for the role signed in", len, text);
        return call_hint(
            k, err,
            "comity key list shows who holds which role; another role needs a new enrolment");
    case COMITY_E_SIGNATURE:
        return call_fail(k, err, field,
                         "the signature of %.*s is not one over this record by the key enrolled",
                         len, text);
    default:
        return call_fail(k, err, field, NULL);
    }
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int read_notes(struct call *k, struct adding *a)
{
    const struct officer_subject subject = {.origin = bytes_of(ledger_origin(k->n->ledger)),
                                            .record_kind = a->record.kind,
                                            .has_record_hash = true,
                                            .record_hash = a->record_hash};
    size_t n = k->rq->note_count;
    for (size_t i = 0; i < n; i++) {
        struct officer_signature peeked = {0};
        int err = officers_verify(k->c->officers, &subject, k->rq->notes[i], &a->note[i].sig,
                                  &a->note[i].officer);
        if (err && officer_signature_peek(k->rq->notes[i], &peeked))
            peeked.licence = BYTES_NONE;
        if (err)
            return explain_note(k, err, i, peeked.licence);
        a->keys[i] = a->note[i].officer->index;
    }
    qsort(a->keys, n, sizeof a->keys[0], compare_u64);
    for (size_t i = 0; i < n; i++)
        if (a->key_count == 0 || a->keys[a->key_count - 1] != a->keys[i])
            a->keys[a->key_count++] = a->keys[i];
    return COMITY_OK;
}

static bool is_named(const struct record *r, struct bytes licence)
{
    for (size_t i = 0; i < r->officer_count; i++)
        if (licence_equal(r->officers[i].licence, licence))
            return true;
    return false;
}

/* Signatures of the role, each by another officer; twice the same officer in one role is refused.
 */
static int count_signed(struct call *k, const struct adding *a, enum signature_role role,
                        size_t *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < k->rq->note_count; i++) {
        if (a->note[i].sig.role != role)
            continue;
        for (size_t j = 0; j < i; j++)
            if (a->note[j].sig.role == role && a->note[j].officer == a->note[i].officer)
                return call_fail(k, COMITY_E_COLLECTORS, "notes", "officer %s has signed twice",
                                 a->note[i].officer->licence);
        count++;
    }
    *ret = count;
    return COMITY_OK;
}

static int check_evidence(struct call *k, const struct adding *a)
{
    size_t count = 0;
    size_t needed = a->to_count ? 2 : 1;
    int err = count_signed(k, a, SIGNATURE_COLLECTOR, &count);
    for (size_t i = 0; !err && i < k->rq->note_count; i++)
        if (a->note[i].sig.role == SIGNATURE_COLLECTOR &&
            !is_named(&a->record, a->note[i].sig.licence))
            err =
                call_fail(k, COMITY_E_COLLECTORS, "officers",
                          "officer %s has signed as a collector, but the record does not name him",
                          a->note[i].officer->licence);
    if (err || count >= needed)
        return err;
    if (count == 0) {
        call_fail(k, COMITY_E_UNSIGNED, "notes", "evidence needs the signature of a collector");
        return call_hint(k, COMITY_E_UNSIGNED, "comity key unlock, then try again");
    }
    call_fail(k, COMITY_E_COLLECTORS, "notes",
              "evidence is sent with the signatures of two collectors; there is one");
    return call_hint(k, COMITY_E_COLLECTORS,
                     "record it without recipients, let the second collector sign it "
                     "(comity evidence sign REF), then comity evidence forward REF");
}

/* ---- what a recognition is about ---- */

/* Load what the recognition names, and see that it is that. */
static int find_evidence(struct call *k, const struct record_recognition *r, struct content_of *ret)
{
    struct record_row row;
    struct buf ref = BUF_INIT;
    value_put_ref(&ref, r->evidence.origin, r->evidence.index);
    const char *text = buf_str(&ref);
    int err = record_row_find(k->n, k->a, r->evidence.origin, r->evidence.index, &row);
    if (!err)
        err = content_load(k->n, k->a, r->evidence.origin, r->evidence.index, ret);
    if (err == COMITY_E_NOT_FOUND)
        call_fail(k, err, "recognition.evidence", "%s was not received here", text);
    else if (err)
        call_fail(k, err, "recognition.evidence", "%s: %s", text, comity_err_text(err));
    else if (!bytes_equal(hash_bytes(&row.leaf), r->evidence.leaf))
        err = call_fail(k, COMITY_E_REF, "recognition.evidence",
                        "another entry stands at %s than the one named", text);
    else if (!bytes_equal(hash_bytes(&ret->record_hash), r->record_hash))
        err = call_fail(k, COMITY_E_BODY, "recognition.record_hash",
                        "the record at %s has another hash than the one named", text);
    buf_free(&ref);
    return err;
}

/* A collector may have signed without being named; he is none the less no reviewer. */
static int check_independent(struct call *k, const struct content_of *evidence,
                             struct bytes licence)
{
    struct officer_signature s;
    for (size_t i = 0; i < evidence->body.note_count; i++)
        if (officer_signature_peek(evidence->body.notes[i], &s) == COMITY_OK &&
            s.role == SIGNATURE_COLLECTOR && licence_equal(s.licence, licence))
            return call_fail(k, COMITY_E_REVIEWER, "recognition.reviewer",
                             "the reviewer has signed this evidence as a collector");
    return COMITY_OK;
}

/* Only one at a time in a turn: the second must see what the first one has left. */
static int claim_text(struct call *k, const char *what, struct bytes text)
{
    struct hash h;
    hash_of(suite_get(SUITE_1), &h, bytes_of(what), text);
    return call_claim(k, hash_bytes(&h));
}

/* A decision stands for ever: a second one about the same evidence is made on purpose, or not. */
static int check_undecided(struct call *k, const struct record_recognition *r)
{
    struct buf ref = BUF_INIT;
    uint64_t origin = 0;
    uint64_t entry = 0;
    value_put_ref(&ref, r->evidence.origin, r->evidence.index);
    int err = record_origin_id(k->n, r->evidence.origin, &origin);
    const struct db_value values[] = {DB_U64(origin), DB_U64(r->evidence.index)};
    uint64_t count = 0;
    if (!err)
        err = db_get_u64(store_db(k->n->store), 0, &count,
                         "SELECT count(*) FROM view_recognition WHERE origin = ?1 AND idx = ?2"
                         " AND by = 0",
                         values, 2);
    if (!err && count)
        err = db_get_u64(store_db(k->n->store), 0, &entry,
                         "SELECT max(entry) FROM view_recognition WHERE origin = ?1 AND idx = ?2"
                         " AND by = 0",
                         values, 2);
    if (!err && count) {
        err = call_fail(k, COMITY_E_STATE, "recognition.evidence",
                        "%s was decided about here: entry %llu", buf_str(&ref),
                        (unsigned long long)entry);
        call_hint(k, err, "comity evidence show %s; --again records a further decision",
                  buf_str(&ref));
    }
    if (!err)
        err = claim_text(k, "decision ", buf_bytes(&ref));
    buf_free(&ref);
    return err;
}

/* Neither is a case filed twice under one number by mistake. A correction keeps its number. */
static int check_doc_no(struct call *k, const struct adding *a)
{
    struct db_rows *rows = NULL;
    struct bytes doc_no = a->record.doc_no;
    if (!doc_no.len || a->anew || a->record.has_supersedes)
        return COMITY_OK;
    int err = db_query(store_db(k->n->store), &rows,
                       "SELECT idx FROM view_record WHERE doc_no = ?1 AND kind = 1 AND origin = 0",
                       DB_TEXT(doc_no));
    int got = err ? err : db_next(rows);
    uint64_t index = got == DB_ROW ? db_u64(rows, 0) : 0;
    db_done(rows);
    if (got < 0)
        return got;
    if (got != DB_ROW)
        return claim_text(k, "case ", doc_no);
    call_fail(k, COMITY_E_EXISTS, "doc_no",
              "a case of that document number was filed here: entry %llu",
              (unsigned long long)index);
    return call_hint(k, COMITY_E_EXISTS, "comity case show %llu; --again files a further one",
                     (unsigned long long)index);
}

static int check_recognition(struct call *k, const struct adding *a)
{
    const struct record_recognition *r = &a->record.u.recognition;
    struct content_of evidence;
    struct record_fault fault;
    if (k->rq->note_count != 1 || a->note[0].sig.role != SIGNATURE_REVIEWER)
        return call_fail(k, COMITY_E_UNSIGNED, "notes",
                         "a recognition needs one signature, of the reviewer");
    if (!licence_equal(a->note[0].sig.licence, r->reviewer.licence))
        return call_fail(k, COMITY_E_REVIEWER, "recognition.reviewer",
                         "the record names another reviewer than %s, who has signed it",
                         a->note[0].officer->licence);
    int err = find_evidence(k, r, &evidence);
    if (!err && (err = recognition_check(&a->record, &evidence.record, &fault)))
        return call_fail(k, err, fault.path, "%s: %s", fault.path, fault.words);
    if (!err)
        err = check_independent(k, &evidence, r->reviewer.licence);
    return err || a->anew ? err : check_undecided(k, r);
}

/* ---- what any record refers to ---- */

/* A reference into the own ledger must be right. Into another one it may be to what never came
 * here. */
static int check_ref(struct call *k, const char *field, const struct record_ref *ref, uint32_t kind)
{
    struct record_row row;
    bool is_own = bytes_is(ref->origin, ledger_origin(k->n->ledger));
    int err = record_row_find(k->n, k->a, ref->origin, ref->index, &row);
    if (err == COMITY_E_NOT_FOUND && !is_own)
        return COMITY_OK;
    if (err == COMITY_E_NOT_FOUND)
        return call_fail(k, err, field, "entry %llu of this ledger is no record",
                         (unsigned long long)ref->index);
    if (err)
        return err;
    if (!bytes_equal(hash_bytes(&row.leaf), ref->leaf))
        return call_fail(k, COMITY_E_REF, field, "another entry stands there than the one named");
    if (row.kind != kind)
        return call_fail(k, COMITY_E_STATE, field, "what stands there is %s, not %s",
                         kind_token(row.kind), kind_token(kind));
    return COMITY_OK;
}

static int compare_blobs(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Every file must lie here; the blobs that the parcel must name, sorted, each once. */
static int read_files(struct call *k, struct adding *a)
{
    const struct record_evidence *e = &a->record.u.evidence;
    size_t n = a->record.kind == RECORD_EVIDENCE ? e->file_count : 0;
    struct bytes *blobs = arena_alloc(k->c->arena, n * sizeof *blobs);
    size_t count = 0;
    if (!blobs)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct record_file *f = &e->files[i];
        struct hash sha256;
        uint8_t *blob = arena_alloc(k->c->arena, PARCEL_BLOB_LEN);
        if (!blob)
            return COMITY_E_NOMEM;
        memcpy(sha256.b, f->sha256.data, HASH_LEN);
        if (!files_has(k->n, &sha256, f->len)) {
            char field[48];
            snprintf(field, sizeof field, "evidence.files[%zu]", i);
            call_fail(k, COMITY_E_NOT_FOUND, field, "the file '%.*s' was not brought into the node",
                      call_clip(f->name), (const char *)f->name.data);
            return call_hint(k, COMITY_E_NOT_FOUND, "file.begin, file.chunk, file.end first");
        }
        memcpy(blob, f->blob.data, HASH_LEN);
        put_u64be(blob + HASH_LEN, f->len);
        blobs[count++] = BYTES(blob, PARCEL_BLOB_LEN);
    }
    qsort(blobs, count, sizeof *blobs, compare_blobs);
    for (size_t i = 0; i < count; i++)
        if (a->blob_count == 0 || !bytes_equal(blobs[a->blob_count - 1], blobs[i]))
            blobs[a->blob_count++] = blobs[i];
    a->blobs = blobs;
    return COMITY_OK;
}

static int check_kind(struct call *k, struct adding *a)
{
    const struct record *r = &a->record;
    int err = COMITY_OK;
    if (r->has_case_ref)
        err = check_ref(k, "case_ref", &r->case_ref, RECORD_CASE);
    if (!err && r->has_supersedes)
        err = check_ref(k, "supersedes", &r->supersedes, r->kind);
    if (!err && r->kind == RECORD_CASE)
        err = check_doc_no(k, a);
    if (!err && r->kind == RECORD_EVIDENCE)
        err = check_evidence(k, a);
    if (!err && r->kind == RECORD_RECOGNITION)
        err = check_recognition(k, a);
    return err ? err : read_files(k, a);
}

/* ---- the same request again ---- */

static json_t *to_json(const struct entry *e)
{
    struct value v = value_array();
    for (size_t i = 0; i < e->to_count; i++)
        value_add(&v, value_text(e->to[i].member));
    return v.json;
}

/* Whether entry ${e} is what is asked for now. ${c} is NULL when its content was erased: then who
 * it went to must do. */
static bool is_same(const struct call *k, const struct adding *a, const struct entry *e,
                    const struct content_of *c)
{
    bool same = e->kind == ENTRY_RECORD && e->to_count == a->to_count &&
                (!c || bytes_equal(c->body.record, k->rq->record));
    for (size_t i = 0; same && i < a->to_count; i++)
        same = bytes_equal(e->to[i].member, a->to[i]);
    return same;
}

static int again_json(struct call *k, const struct entry *e, const struct hash *leaf,
                      const struct content_of *c)
{
    struct value v = value_object();
    value_set_place(&v, bytes_of(ledger_origin(k->n->ledger)), e->index, leaf);
    if (c) {
        value_set(&v, "kind", json_string(kind_token(c->record.kind)));
        value_set(&v, "record_hash", value_hex(hash_bytes(&c->record_hash)));
    }
    value_set(&v, "to", to_json(e));
    value_set(&v, "again", json_true());
    return value_finish(&v, &k->result);
}

/* Answer with the entry ${index}, to which the request id led before. */
static int answer_again(struct call *k, const struct adding *a, uint64_t index)
{
    struct buf bytes = BUF_INIT;
    struct entry e = {0};
    struct content_of c = {0};
    struct hash leaf;
    struct bytes origin = bytes_of(ledger_origin(k->n->ledger));
    int err = ledger_entry(k->n->ledger, index, &bytes);
    if (!err)
        err = entry_decode(k->a, buf_bytes(&bytes), &e);
    if (!err)
        err = ledger_leaf(k->n->ledger, index, &leaf);
    if (!err)
        err = content_load(k->n, k->a, origin, index, &c);
    const struct content_of *content = err == COMITY_E_ERASED ? NULL : &c;
    if (!content)
        err = COMITY_OK;
    if (!err && !is_same(k, a, &e, content)) {
        call_fail(k, COMITY_E_REQUEST_CONFLICT, "request_id",
                  "entry %llu was made under this request id, with other content or recipients",
                  (unsigned long long)index);
        err = call_hint(k, COMITY_E_REQUEST_CONFLICT, "comity ledger show %llu",
                        (unsigned long long)index);
    }
    if (!err)
        err = again_json(k, &e, &leaf, content);
    buf_free(&bytes);
    return err;
}

int request_find(struct call *k, struct bytes request_id, uint64_t *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(k->n->store), &rows, "SELECT idx FROM view_request WHERE id = ?1",
                       DB_BLOB(request_id));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW)
        *ret = db_u64(rows, 0);
    db_done(rows);
    return got == DB_ROW ? COMITY_OK : got < 0 ? got : COMITY_E_NOT_FOUND;
}

/* ---- adding ---- */

/* What the reply says beside the place. */
struct added {
    uint32_t kind;
    struct hash record_hash;
};

static void show_added(struct pending *p, const struct draft *d, struct buf *json)
{
    const struct added *a = p->self;
    buf_printf(json, ",\"kind\":\"%s\",\"record_hash\":\"", kind_token(a->kind));
    text_put_hex(json, hash_bytes(&a->record_hash));
    buf_put_str(json, "\",\"to\":[");
    for (size_t i = 0; i < d->to_count; i++)
        buf_printf(json, "%s\"%.*s\"", i ? "," : "", (int)d->to[i].len,
                   (const char *)d->to[i].data);
    buf_put_str(json, "],\"again\":false");
}

static int append(struct call *k, const struct adding *a)
{
    const struct body body = {.record = k->rq->record,
                              .notes = k->rq->notes,
                              .note_count = k->rq->note_count,
                              .request_id = a->request_id};
    struct buf bytes = BUF_INIT;
    uint64_t *keys = arena_alloc_raw(k->c->arena, a->key_count * sizeof *keys);
    struct added *added = arena_alloc(k->c->arena, sizeof *added);
    int err = keys && added ? body_encode(&body, &bytes) : COMITY_E_NOMEM;
    struct draft d = {.kind = ENTRY_RECORD,
                      .to = a->to,
                      .to_count = a->to_count,
                      .blobs = a->blobs,
                      .blob_count = a->blob_count,
                      .enclosed_own = keys,
                      .enclosed_own_count = a->to_count ? a->key_count : 0};
    if (!err) {
        memcpy(keys, a->keys, a->key_count * sizeof *keys);
        *added = (struct added){.kind = a->record.kind, .record_hash = a->record_hash};
        d.salt = call_keep(k, k->rq->salt);
        d.body = call_keep(k, buf_bytes(&bytes));
        err = d.salt.data && d.body.data ? COMITY_OK : COMITY_E_NOMEM;
    }
    buf_free(&bytes);
    return err ? err : call_append(k, &d, &(struct pending){.show = show_added, .self = added});
}

int method_record_add(struct call *k)
{
    struct adding a = {0};
    uint64_t index = 0;
    int err = CALL_ARGS(k, {"to", ARG_TEXTS, false, &a.to_names},
                        {"request_id", ARG_TEXT, false, &a.request_id},
                        {"anew", ARG_BOOL, false, &a.anew});
    if (!err && a.request_id.len > BODY_REQUEST_ID_MAX)
        err = call_fail(k, COMITY_E_USAGE, "request_id", "a request id has at most %d bytes",
                        BODY_REQUEST_ID_MAX);
    if (!err)
        err = call_recipients(k, &a.to_names, &a.to, &a.to_count);
    if (!err && a.request_id.len) {
        err = request_find(k, a.request_id, &index);
        if (!err)
            return answer_again(k, &a, index);
        if (err == COMITY_E_NOT_FOUND)
            err = COMITY_OK;
    }
    if (!err)
        err = read_record(k, &a);
    if (!err)
        err = read_notes(k, &a);
    if (!err)
        err = check_kind(k, &a);
    if (!err && a.request_id.len)
        err = call_claim(k, a.request_id);
    return err ? err : append(k, &a);
}
