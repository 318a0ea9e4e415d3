/*
 * The table of methods, what they share, and those about the node and the network themselves.
 */
#include "methods.h"

#include "archive.h"

#include "json/ledger_json.h"

#include <comity/version.h>
#include <stdio.h>
#include <string.h>

static int method_status(struct call *k);
static int method_member_list(struct call *k);
static int method_member_find(struct call *k);

static const struct method table[] = {
    {"status", method_status, 0},
    {"file.begin", method_file_begin, 0},
    {"file.chunk", method_file_chunk, METHOD_CHUNK},
    {"file.end", method_file_end, 0},
    {"file.abort", method_file_abort, 0},
    {"record.add", method_record_add, METHOD_APPENDS | METHOD_RECORD | METHOD_SALT | METHOD_NOTES},
    {"record.sign", method_record_sign, METHOD_APPENDS | METHOD_ALONE | METHOD_NOTES},
    {"record.share", method_record_share, METHOD_APPENDS | METHOD_ROSTER},
    {"record.get", method_record_get, 0},
    {"request.find", method_request_find, 0},
    {"key.add", method_key_add, METHOD_APPENDS | METHOD_ALONE | METHOD_NOTES},
    {"key.retire", method_key_retire, METHOD_APPENDS | METHOD_ALONE},
    {"key.list", method_key_list, 0},
    {"case.list", method_case_list, 0},
    {"case.show", method_case_show, 0},
    {"evidence.list", method_evidence_list, 0},
    {"evidence.show", method_evidence_show, 0},
    {"evidence.get", method_evidence_get, 0},
    {"recognition.list", method_recognition_list, 0},
    {"inbox.list", method_inbox_list, 0},
    {"track", method_track, 0},
    {"wait", method_wait, 0},
    {"member.list", method_member_list, METHOD_ROSTER},
    {"member.find", method_member_find, METHOD_ROSTER},
    {"ledger.log", method_ledger_log, 0},
    {"ledger.entry", method_ledger_entry, 0},
};

const struct method *method_find(struct bytes name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (bytes_is(name, table[i].name))
            return &table[i];
    return NULL;
}

/* ---- pages ---- */

void page_init(struct page *p)
{
    *p = (struct page){.limit = PAGE_DEFAULT, .items = value_array()};
}

int page_check(struct call *k, const struct page *p)
{
    if (p->limit >= 1 && p->limit <= PAGE_MAX)
        return COMITY_OK;
    return call_fail(k, COMITY_E_USAGE, "limit", "'limit' must be from 1 to %d", PAGE_MAX);
}

int page_place(struct call *k, const struct page *p, struct page_place *ret)
{
    unsigned long long at = 0, origin = 0, index = 0;
    char text[96];
    char rest = 0;
    *ret = (struct page_place){INT64_MAX, INT64_MAX, INT64_MAX};
    if (!p->after.len)
        return COMITY_OK;
    snprintf(text, sizeof text, "%.*s", call_clip(p->after), (const char *)p->after.data);
    if (sscanf(text, "%20llu:%20llu:%20llu%c", &at, &origin, &index, &rest) != 3 ||
        at > INT64_MAX || origin > INT64_MAX || index > INT64_MAX)
        return call_fail(k, COMITY_E_USAGE, "after", "'after' must be what 'next' was");
    *ret = (struct page_place){at, origin, index};
    return COMITY_OK;
}

bool page_add(struct page *p, json_t *item, const struct page_place *at)
{
    if (p->count == p->limit) {
        p->is_more = true;
        json_decref(item);
        return false;
    }
    value_add(&p->items, item);
    p->count++;
    if (at)
        snprintf(p->next, sizeof p->next, "%llu:%llu:%llu", (unsigned long long)at->at,
                 (unsigned long long)at->origin, (unsigned long long)at->index);
    return true;
}

int page_finish(struct call *k, struct page *p)
{
    struct value v = value_object();
    value_set(&v, "items", p->items.json);
    value_set(&v, "next", p->is_more ? json_string(p->next) : json_null());
    p->items.json = NULL;
    return value_finish(&v, &k->result);
}

/* ---- what is shared ---- */

static const char *const absent[] = {"it is not in this ledger, nor did anybody send it here",
                                     "its content was withheld by whoever sent it",
                                     "its content was erased here"};

/* Why content is not at hand, in words. */
static int explain_absent(struct call *k, int err, const char *field, struct bytes origin,
                          uint64_t index)
{
    struct buf ref = BUF_INIT;
    const char *why = err == COMITY_E_NOT_FOUND  ? absent[0]
                      : err == COMITY_E_WITHHELD ? absent[1]
                      : err == COMITY_E_ERASED   ? absent[2]
                                                 : comity_err_text(err);
    value_put_ref(&ref, origin, index);
    call_fail(k, err, field, "%s: %s", buf_str(&ref), why);
    buf_free(&ref);
    return err;
}

int record_find(struct call *k, const char *field, struct bytes ref, struct record_row *ret)
{
    struct place place;
    struct hash leaf;
    int err = call_place(k, field, ref, &place);
    if (err)
        return err;
    err = record_row_find(k->n, k->a, place.origin, place.index, ret);
    if (err == COMITY_E_NOT_FOUND && place.is_own &&
        ledger_leaf(k->n->ledger, place.index, &leaf) == COMITY_OK)
        return call_fail(k, err, field, "entry %llu of this ledger is no record",
                         (unsigned long long)place.index);
    return err ? explain_absent(k, err, field, place.origin, place.index) : COMITY_OK;
}

int record_load(struct call *k, const struct record_row *row, struct content_of *ret)
{
    int err = content_load(k->n, k->a, row->origin, row->index, ret);
    return err ? explain_absent(k, err, "ref", row->origin, row->index) : COMITY_OK;
}

const char *kind_token(uint32_t kind)
{
    return record_token(TERMS_RECORD_KIND, kind);
}

struct bytes member_name(const struct node *n, struct bytes id)
{
    const struct roster_member *m = n->roster ? roster_member_of(n->roster, id) : NULL;
    return m ? m->name : BYTES_NONE;
}

/* One number of a query without arguments worth the name; 0 when there is none. */
static int count_sql(struct node *n, uint64_t *ret, const char *sql, uint64_t arg)
{
    const struct db_value value = DB_U64(arg);
    return db_get_u64(store_db(n->store), 0, ret, sql, &value, 1);
}

/* ---- status ---- */

static json_t *status_ledger(struct node *n)
{
    struct checkpoint c;
    struct bytes note;
    struct value v = value_object();
    json_t *json = NULL;
    if (ledger_checkpoint(n->ledger, &c, &note))
        return NULL;
    value_set(&v, "size", value_u64(c.size));
    value_set(&v, "root", value_base64(hash_bytes(&c.root)));
    return value_finish(&v, &json) ? NULL : json;
}

/* Why nothing can be written now. */
static json_t *status_trouble(const struct node_status *s)
{
    struct value v = value_object();
    value_set(&v, "token", json_string(comity_err_token(s->trouble)));
    value_set(&v, "since", value_time(s->trouble_since_ms));
    return v.json;
}

static json_t *status_roster(const struct node *n, const struct node_status *s)
{
    struct value v = value_object();
    value_set(&v, "number", value_u64(roster_number(n->roster)));
    value_set(&v, "renew_by", value_time(roster_renew_by_ms(n->roster)));
    value_set(&v, "expired", json_boolean(s->roster_expired));
    return v.json;
}

static json_t *status_link(const struct call *k, const struct node_status *s)
{
    const struct node *n = k->n;
    const struct roster_member *broker = n->roster ? roster_broker(n->roster) : NULL;
    struct value v = value_object();
    value_set(&v, "state", json_string(node_session_word(s->session)));
    if (s->online_since_ms)
        value_set(&v, "since", value_time(s->online_since_ms));
    else if (k->c->offline_since_ms)
        value_set(&v, "since", value_time(k->c->offline_since_ms));
    if (s->last_token)
        value_set(&v, "token", json_string(s->last_token));
    if (broker && broker->ledger_count)
        value_set(&v, "broker", value_text(broker->ledgers[broker->ledger_count - 1].origin));
    value_set(&v, "broker_size", value_u64(s->broker_size));
    value_set(&v, "clock_offset_ms", json_integer(s->clock_offset_ms));
    return v.json;
}

/* Numbers that each are one query. The statements keep to indexes that hold only what is to be
 * counted. */
static const struct counter {
    const char *part;
    const char *name;
    const char *sql;
    uint64_t arg;
} counters[] = {
    /* What is not sealed is a receipt, which nobody answers. */
    {"outbox", "undelivered",
     "SELECT count(*) FROM parcel_out_to t JOIN parcel_out p ON p.id = t.parcel"
     " WHERE t.state = ?1 AND p.state < 2 AND p.wraps IS NOT NULL",
     0},
    {"outbox", "refused", "SELECT count(*) FROM parcel_out_to WHERE state = ?1", 2},
    {"inbox", "records", "SELECT sum(n) FROM view_count WHERE what % 2 = ?1", 0},
    {"inbox", "unrecognised",
     "SELECT count(*) FROM view_record WHERE origin > 0 AND kind = 2 AND decided IS NULL"
     " AND sender IS NOT NULL AND at >= ?1",
     0},
    {"own", "cases", "SELECT n FROM view_count WHERE what = ?1", RECORD_CASE * 2 + 1},
    {"own", "evidence", "SELECT n FROM view_count WHERE what = ?1", RECORD_EVIDENCE * 2 + 1},
    {"own", "unsigned",
     "SELECT count(*) FROM view_record r WHERE origin = 0 AND kind = 2 AND notes < 2 AND notes +"
     " (SELECT count(*) FROM view_signature s WHERE s.origin = 0 AND s.idx = r.idx AND s.role = ?1)"
     " < 2",
     SIGNATURE_COLLECTOR},
    {"files", "upload", "SELECT count(*) FROM attachment_out WHERE state <= ?1", 1},
    {"files", "fetch", "SELECT count(DISTINCT blob) FROM attachment_in WHERE state <= ?1", 1},
    {"files", "failed",
     "SELECT (SELECT count(*) FROM attachment_out WHERE state = ?1) +"
     " (SELECT count(*) FROM attachment_in WHERE state = ?1)",
     3},
};

static int status_counters(struct node *n, struct value *v)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < sizeof counters / sizeof counters[0]; i++) {
        uint64_t count = 0;
        err = count_sql(n, &count, counters[i].sql, counters[i].arg);
        if (err || !v->json)
            continue;
        if (!json_object_get(v->json, counters[i].part))
            value_set(v, counters[i].part, json_object());
        json_t *part = json_object_get(v->json, counters[i].part);
        if (json_object_set_new(part, counters[i].name, value_u64(count)))
            err = COMITY_E_NOMEM;
    }
    return err;
}

static int method_status(struct call *k)
{
    struct node *n = k->n;
    struct node_status s = {0};
    struct origin own = {0};
    uint64_t officers = 0;
    struct value v = value_object();
    int err = call_args(k, NULL, 0);
    if (!err)
        err = text_get_origin(bytes_of(ledger_origin(n->ledger)), &own);
    node_status(n, &s);
    value_set(&v, "member", json_string(n->member));
    value_set(&v, "name", json_string(n->site->name));
    value_set(&v, "origin", json_string(ledger_origin(n->ledger)));
    value_set(&v, "network", value_text(own.network));
    value_set(&v, "suite", json_integer(suite_id(ledger_suite(n->ledger))));
    value_set(&v, "version", json_string(COMITY_VERSION));
    value_set(&v, "time", value_time(clock_wall_ms(&n->clock)));
    json_t *ledger = status_ledger(n);
    if (ledger)
        value_set(&v, "ledger", ledger);
    if (n->roster)
        value_set(&v, "roster", status_roster(n, &s));
    if (s.trouble)
        value_set(&v, "trouble", status_trouble(&s));
    value_set(&v, "link", status_link(k, &s));
    json_t *archives = archive_status(n, k->a);
    if (archives)
        value_set(&v, "archives", archives);
    if (!err)
        err = status_counters(n, &v);
    if (!err)
        err =
            count_sql(n, &officers,
                      "SELECT count(*) FROM view_officer WHERE origin = ?1 AND retired IS NULL", 0);
    if (v.json) {
        json_object_set_new(json_object_get(v.json, "outbox"), "parcels",
                            value_u64(s.parcels_queued));
        json_object_set_new(json_object_get(v.json, "inbox"), "deliveries",
                            value_u64(s.deliveries_taken));
    }
    value_set(&v, "officers", value_u64(officers));
    if (!err)
        return value_finish(&v, &k->result);
    json_decref(v.json);
    return err;
}

/* ---- members ---- */

static int add_member(struct call *k, struct page *p, const struct roster_member *m)
{
    json_t *item = NULL;
    int err = member_to_json(k->n->roster, m, &item);
    if (!err && page_add(p, item, NULL))
        snprintf(p->next, sizeof p->next, "%.*s", call_clip(m->id), (const char *)m->id.data);
    return err;
}

/* Members whose id comes behind `after`, of one role or of all, that ${matches} lets through. */
static int list_members(struct call *k, struct page *p, struct bytes role,
                        bool (*matches)(const struct roster_member *m, struct bytes q),
                        struct bytes q)
{
    const struct roster_doc *doc = roster_doc(k->n->roster);
    int err = page_check(k, p);
    for (size_t i = 0; !err && i < doc->member_count && !p->is_more; i++) {
        const struct roster_member *m = &doc->members[i];
        if (p->after.len && bytes_compare(m->id, p->after) <= 0)
            continue;
        if (role.len && !bytes_is(role, member_role_word(m->role)))
            continue;
        if (!matches || matches(m, q))
            err = add_member(k, p, m);
    }
    return err;
}

static bool is_role(struct bytes word)
{
    static const enum member_role roles[] = {MEMBER_BUREAU, MEMBER_BROKER, MEMBER_AUDITOR};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (bytes_is(word, member_role_word(roles[i])))
            return true;
    return false;
}

static int method_member_list(struct call *k)
{
    struct page p;
    struct bytes role = BYTES_NONE;
    page_init(&p);
    int err = CALL_ARGS(k, {"role", ARG_TEXT, false, &role}, PAGE_ARGS(&p));
    if (!err && role.len && !is_role(role)) {
        call_fail(k, COMITY_E_USAGE, "role", "'%.*s' is no role of a member", call_clip(role),
                  (const char *)role.data);
        err = call_hint(k, COMITY_E_USAGE, "bureau, broker, auditor");
    }
    if (!err)
        err = list_members(k, &p, role, NULL, BYTES_NONE);
    if (!err)
        return page_finish(k, &p);
    json_decref(p.items.json);
    return err;
}

static bool is_id(const struct roster_member *m, struct bytes q)
{
    return bytes_equal(m->id, q);
}

static bool is_name(const struct roster_member *m, struct bytes q)
{
    return bytes_equal(m->name, q);
}

static bool has_in_name(const struct roster_member *m, struct bytes q)
{
    return q.len <= m->name.len && memmem(m->name.data, m->name.len, q.data, q.len);
}

static int method_member_find(struct call *k)
{
    static bool (*const ways[])(const struct roster_member *, struct bytes) = {is_id, is_name,
                                                                               has_in_name};
    struct page p;
    struct bytes q = BYTES_NONE;
    page_init(&p);
    int err = CALL_ARGS(k, {"q", ARG_TEXT, true, &q}, PAGE_ARGS(&p));
    for (size_t i = 0; !err && p.count == 0 && i < sizeof ways / sizeof ways[0]; i++)
        err = list_members(k, &p, BYTES_NONE, ways[i], q);
    if (!err)
        return page_finish(k, &p);
    json_decref(p.items.json);
    return err;
}
