/*
 * A record's surroundings as JSON. See render.h. The facts are read out of what was kept: the
 * broker's statements, and the parcels in which recipients answered.
 */
#include "render.h"

#include "archive.h"

#include "base/text.h"
#include "bulk.h"
#include "domain/role.h"
#include "wire/parcel.h"

#include <string.h>

/* ---- facts ---- */

int routed_find(struct call *k, const struct stage_of *s, struct routed_fact *ret)
{
    struct parcel_head h;
    struct entry e;
    if (!s->is_answered)
        return COMITY_E_NOT_FOUND;
    int err = kept_statement(s->home, k->a, s->statement, NULL, &h);
    if (!err)
        err = kept_find(k->a, &h, s->routed, &e, NULL);
    if (!err)
        *ret = (struct routed_fact){
            .broker = h.origin, .index = e.index, .time_ms = (int64_t)e.time_ms};
    return err;
}

/* The head of the receipt that entry ${own} of ${n} logs. */
static int receipt_head(struct call *k, struct node *n, uint64_t own, struct parcel_head *ret)
{
    const struct db_value value = DB_U64(own);
    uint64_t chunk = 0;
    int err = db_get_u64(store_db(n->store), 0, &chunk, "SELECT head FROM parcel_in WHERE own = ?1",
                         &value, 1);
    if (!err && !chunk)
        err = COMITY_E_NOT_FOUND;
    return err ? err : kept_head(n, k->a, chunk, ret);
}

static bool is_about(const struct entry *e, const struct hash *parcel)
{
    struct ref_received received;
    struct ref_refused refused;
    if (e->kind == ENTRY_RECEIVED)
        return ref_received_parse(e->ref, &received) == COMITY_OK &&
               hash_equal(&received.parcel, parcel);
    return e->kind == ENTRY_REFUSED && ref_refused_parse(e->ref, &refused) == COMITY_OK &&
           hash_equal(&refused.parcel, parcel);
}

int received_find(struct call *k, const struct stage_of *s, struct received_fact *ret)
{
    struct parcel_head h;
    struct entry e;
    if (!s->has_receipt)
        return COMITY_E_NOT_FOUND;
    int err = receipt_head(k, s->receipt_home, s->receipt, &h);
    for (size_t i = 0; !err && i < h.entry_count; i++) {
        if ((err = kept_entry(k->a, &h, i, &e)) || !is_about(&e, &s->hash))
            continue;
        *ret = (struct received_fact){.origin = h.origin,
                                      .index = e.index,
                                      .time_ms = (int64_t)e.time_ms,
                                      .home = s->receipt_home,
                                      .receipt = s->receipt};
        return COMITY_OK;
    }
    return err ? err : COMITY_E_NOT_FOUND;
}

int file_received_find(struct call *k, const struct stage_of *s, struct bytes blob,
                       struct received_fact *ret)
{
    const struct db_value values[] = {DB_BLOB(blob), DB_TEXT(s->member)};
    struct parcel_head h;
    struct entry e;
    uint64_t own = 0;
    struct node *home = s->entry_home;
    int err = db_get_u64(store_db(home->store), 0, &own,
                         "SELECT receipt FROM attachment_out_to WHERE blob = ?1 AND member = ?2",
                         values, 2);
    for (size_t i = 0; !err && !own && s->entry_home != k->n; i++) {
        home = archive_home_at(k->n, i);
        if (!home)
            break;
        err = db_get_u64(store_db(home->store), 0, &own,
                         "SELECT receipt FROM late_receipt WHERE name = ?1 AND member = ?2", values,
                         2);
    }
    if (!err && !own)
        err = COMITY_E_NOT_FOUND;
    if (!err)
        err = receipt_head(k, home, own, &h);
    for (size_t i = 0; !err && i < h.entry_count; i++) {
        err = kept_entry(k->a, &h, i, &e);
        if (!err && e.kind == ENTRY_FILE && bytes_equal(e.ref, blob)) {
            *ret = (struct received_fact){.origin = h.origin,
                                          .index = e.index,
                                          .time_ms = (int64_t)e.time_ms,
                                          .home = home,
                                          .receipt = own};
            return COMITY_OK;
        }
    }
    return err ? err : COMITY_E_NOT_FOUND;
}

/* ---- signatures ---- */

json_t *signatures_json(const struct record_row *r, const struct signatures *s)
{
    struct value v = value_array();
    for (size_t i = 0; i < s->count; i++) {
        const struct signed_by *by = &s->at[i];
        const char *role = signature_role_token(by->sig.role);
        struct value item = value_object();
        value_set(&item, "licence", value_text(by->sig.licence));
        value_set_text(&item, "name", by->name);
        value_set(&item, "role", json_string(role ? role : "unknown"));
        value_set(&item, "time", value_time(by->time_ms));
        value_set(&item, "ref", value_ref(r->origin, by->entry));
        value_set(&item, "valid", json_boolean(by->err == COMITY_OK));
        if (by->err)
            value_set(&item, "error", json_string(comity_err_token(by->err)));
        value_add(&v, item.json);
    }
    return v.json;
}

/* ---- files ---- */

static const char *attachment_word(uint64_t state)
{
    static const char *const words[] = {[ATTACHMENT_WAITING] = "waiting",
                                        [ATTACHMENT_READY] = "ready",
                                        [ATTACHMENT_DONE] = "done",
                                        [ATTACHMENT_FAILED] = "failed"};
    return state < sizeof words / sizeof words[0] ? words[state] : "unknown";
}

/* How far its upload (own) or fetch (received) is. */
static void set_file_state(struct call *k, const struct record_row *r, struct bytes blob,
                           struct value *v)
{
    struct db_rows *rows = NULL;
    int err =
        r->origin_id == 0
            ? db_query(store_db(k->n->store), &rows,
                       "SELECT state, token FROM attachment_out WHERE blob = ?1", DB_BLOB(blob))
            : db_query(store_db(k->n->store), &rows,
                       "SELECT state, token FROM attachment_in WHERE blob = ?1 AND origin = ?2"
                       " AND idx = ?3 ORDER BY state DESC",
                       DB_BLOB(blob), DB_TEXT(r->origin), DB_U64(r->index));
    if (!err && db_next(rows) == DB_ROW) {
        value_set(v, "state", json_string(attachment_word(db_u64(rows, 0))));
        value_set_text(v, "token", db_bytes(rows, 1));
    }
    db_done(rows);
}

json_t *files_json(struct call *k, const struct record_row *r, const struct content_of *c)
{
    struct value v = value_array();
    const struct record_evidence *e = &c->record.u.evidence;
    for (size_t i = 0; c->record.kind == RECORD_EVIDENCE && i < e->file_count; i++) {
        const struct record_file *f = &e->files[i];
        struct value item = value_object();
        struct hash sha256;
        memcpy(sha256.b, f->sha256.data, HASH_LEN);
        value_set(&item, "name", value_text(f->name));
        value_set_text(&item, "mime", f->mime);
        value_set(&item, "len", value_u64(f->len));
        value_set(&item, "sha256", value_hex(f->sha256));
        value_set(&item, "sm3", value_hex(f->sm3));
        value_set(&item, "blob", value_hex(f->blob));
        value_set(&item, "here", json_boolean(files_has(k->n, &sha256, f->len)));
        set_file_state(k, r, f->blob, &item);
        value_add(&v, item.json);
    }
    return v.json;
}

/* ---- recipients ---- */

static void set_accepted(struct call *k, const struct stage_of *s, struct value *v)
{
    struct routed_fact f;
    struct value item = value_object();
    if (routed_find(k, s, &f)) {
        json_decref(item.json);
        return;
    }
    value_set(&item, "broker", value_text(f.broker));
    value_set(&item, "index", value_u64(f.index));
    value_set(&item, "ref", value_ref(f.broker, f.index));
    value_set(&item, "time", value_time(f.time_ms));
    value_set(v, "accepted", item.json);
}

static json_t *received_json(const struct received_fact *f)
{
    struct value item = value_object();
    value_set(&item, "ref", value_ref(f->origin, f->index));
    value_set(&item, "time", value_time(f->time_ms));
    value_set(&item, "receipt", value_ref(bytes_of(ledger_origin(f->home->ledger)), f->receipt));
    return item.json;
}

static json_t *files_of_recipient(struct call *k, const struct content_of *c,
                                  const struct stage_of *s)
{
    struct value v = value_array();
    const struct record_evidence *e = &c->record.u.evidence;
    for (size_t i = 0; c->record.kind == RECORD_EVIDENCE && i < e->file_count; i++) {
        struct value item = value_object();
        struct received_fact f;
        bool is_there = file_received_find(k, s, e->files[i].blob, &f) == COMITY_OK;
        value_set(&item, "name", value_text(e->files[i].name));
        value_set(&item, "blob", value_hex(e->files[i].blob));
        value_set(&item, "state", json_string(is_there ? "received" : "waiting"));
        if (is_there)
            value_set(&item, "received", received_json(&f));
        value_add(&v, item.json);
    }
    return v.json;
}

/* Decisions about the evidence that officers of ${member} have made. */
static json_t *decided_by(struct call *k, const struct record_row *r, struct bytes member)
{
    struct value v = value_array();
    struct db_rows *rows = NULL;
    struct origin by;
    int err = db_query(store_db(k->n->store), &rows,
                       "SELECT o.origin, v.entry, v.decision, v.time FROM view_recognition v"
                       " JOIN view_origin o ON o.id = v.by WHERE v.origin = ?1 AND v.idx = ?2"
                       " ORDER BY v.time",
                       DB_U64(r->origin_id), DB_U64(r->index));
    while (!err && db_next(rows) == DB_ROW) {
        struct bytes origin = db_bytes(rows, 0);
        if (text_get_origin(origin, &by) || !bytes_equal(by.member, member))
            continue;
        struct value item = value_object();
        value_set(&item, "ref", value_ref(origin, db_u64(rows, 1)));
        set_decision(&item, (uint32_t)db_u64(rows, 2));
        value_set(&item, "time", value_time((int64_t)db_u64(rows, 3)));
        value_add(&v, item.json);
    }
    db_done(rows);
    return v.json;
}

json_t *recipients_json(struct call *k, const struct record_row *r, const struct content_of *c,
                        struct stage_of *stages, size_t count)
{
    struct value v = value_array();
    for (size_t i = 0; i < count; i++) {
        const struct stage_of *s = &stages[i];
        struct value item = value_object();
        struct received_fact f;
        value_set(&item, "member", value_text(s->member));
        value_set_text(&item, "name", member_name(k->n, s->member));
        value_set(&item, "entry",
                  value_ref(bytes_of(ledger_origin(s->entry_home->ledger)), s->entry));
        value_set(&item, "stage", json_string(stage_token(s->stage)));
        set_decision(&item, s->decision);
        value_set_text(&item, "token", s->token);
        set_accepted(k, s, &item);
        if (received_find(k, s, &f) == COMITY_OK)
            value_set(&item, "received", received_json(&f));
        value_set(&item, "files", files_of_recipient(k, c, s));
        value_set(&item, "decisions", decided_by(k, r, s->member));
        value_add(&v, item.json);
    }
    return v.json;
}

/* ---- arrival ---- */

json_t *arrived_json(struct call *k, const struct record_row *r)
{
    struct db_rows *rows = NULL;
    struct parcel_head statement;
    struct value v = value_object();
    struct value routed = value_object();
    struct value received = value_object();
    bool found = false;
    uint64_t own = 0;
    struct node *home = archive_at(k->n, r->at, &own);
    int err = record_is_ours(r) ? COMITY_E_NOT_FOUND
                                : db_query(store_db(home->store), &rows,
                                           "SELECT statement, routed, origin, first FROM parcel_in"
                                           " WHERE own = ?1",
                                           DB_U64(own));
    if (!err && db_next(rows) == DB_ROW &&
        kept_statement(home, k->a, db_u64(rows, 0), NULL, &statement) == COMITY_OK) {
        found = true;
        value_set(&v, "sender", value_text(r->sender));
        value_set_text(&v, "name", member_name(k->n, r->sender));
        value_set(&v, "parcel", value_ref(db_bytes(rows, 2), db_u64(rows, 3)));
        value_set(&routed, "broker", value_text(statement.origin));
        value_set(&routed, "index", value_u64(db_u64(rows, 1)));
        value_set(&routed, "ref", value_ref(statement.origin, db_u64(rows, 1)));
        value_set(&received, "ref", value_ref(bytes_of(ledger_origin(home->ledger)), own));
        value_set(&received, "time", value_time(r->time_ms));
        value_set(&v, "routed", json_incref(routed.json));
        value_set(&v, "received", json_incref(received.json));
    }
    db_done(rows);
    json_decref(routed.json);
    json_decref(received.json);
    if (found)
        return v.json;
    json_decref(v.json);
    return NULL;
}
