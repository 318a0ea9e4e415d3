/*
 * Officers: enrolling, retiring, listing. An officer makes his key himself; the ledger certifies it
 * by a KEY entry.
 */
#include "methods.h"

#include "domain/role.h"
#include "domain/rules.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

/* ---- what both append ---- */

static void forget_keys(struct pending *p)
{
    officers_forget(p->conn->control->officers);
}

/* The reply's own members, made beforehand: `,"licence":…` without the braces. */
static void show_text(struct pending *p, const struct draft *d, struct buf *json)
{
    (void)d;
    buf_put_str(json, ",");
    buf_put_str(json, p->self);
}

static char *inner_text(struct call *k, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    char *kept = NULL;
    if (text && strlen(text) > 2)
        kept = arena_strdup(k->c->arena, BYTES(text + 1, strlen(text) - 2));
    free(text);
    json_decref(json);
    return kept;
}

static int append_key(struct call *k, struct draft *d, const struct body *body, json_t *more)
{
    struct buf bytes = BUF_INIT;
    char *text = inner_text(k, more);
    int err = text ? body_encode(body, &bytes) : COMITY_E_NOMEM;
    d->kind = ENTRY_KEY;
    if (!err && !(d->body = call_keep(k, buf_bytes(&bytes))).data)
        err = COMITY_E_NOMEM;
    buf_free(&bytes);
    return err ? err
               : call_append(
                     k, d,
                     &(struct pending){.show = show_text, .after = forget_keys, .self = text});
}

/* ---- enrolling ---- */

static int read_roles(struct call *k, const struct texts *words, uint32_t *roles)
{
    if (words->count == 0 || words->count > BODY_ROLES_MAX)
        return call_fail(k, COMITY_E_INVALID, "roles", "at least one role is needed");
    for (size_t i = 0; i < words->count; i++) {
        if (key_role_get(words->at[i], &roles[i])) {
            call_fail(k, COMITY_E_INVALID, "roles", "'%.*s' is no role", call_clip(words->at[i]),
                      (const char *)words->at[i].data);
            return call_hint(k, COMITY_E_INVALID, "officer, approver, reviewer, auditor");
        }
        for (size_t j = 0; j < i; j++)
            if (roles[j] == roles[i])
                return call_fail(k, COMITY_E_INVALID, "roles", "a role is named twice");
    }
    return COMITY_OK;
}

static int read_enrolment(struct call *k, struct bytes note, struct officer_enrolment *ret)
{
    const struct officer *known = NULL;
    int err = officer_open(note, ret);
    if (err)
        return call_fail(k, err, "notes[0]", "this is no enrolment signed by its own key: %s",
                         comity_err_text(err));
    if (!bytes_is(ret->origin, ledger_origin(k->n->ledger)))
        return call_fail(k, COMITY_E_INVALID, "notes[0]", "the enrolment is for %.*s, not for %s",
                         call_clip(ret->origin), (const char *)ret->origin.data,
                         ledger_origin(k->n->ledger));
    if (!licence_is_valid(ret->licence))
        return call_fail(k, COMITY_E_INVALID, "notes[0]", "the licence number is not valid");
    err = officers_find(k->c->officers, ret->licence, &known);
    if (err == COMITY_E_UNKNOWN_KEY || err == COMITY_E_RETIRED)
        return COMITY_OK;
    if (err)
        return err;
    call_fail(k, COMITY_E_EXISTS, "notes[0]", "licence %s has a key in force: entry %llu",
              known->licence, (unsigned long long)known->index);
    return call_hint(k, COMITY_E_EXISTS, "comity key retire %s", known->licence);
}

static json_t *roles_json(const uint32_t *roles, size_t n)
{
    struct value v = value_array();
    for (size_t i = 0; i < n; i++)
        value_add(&v, json_string(key_role_token(roles[i])));
    return v.json;
}

static json_t *vkey_json(const struct note_verifier *key)
{
    struct buf text = BUF_INIT;
    note_put_vkey(&text, key);
    json_t *json = buf_check(&text) ? NULL : value_text(buf_bytes(&text));
    buf_free(&text);
    return json;
}

int method_key_add(struct call *k)
{
    struct texts words = {0};
    struct bytes note = BYTES_NONE;
    struct officer_enrolment e;
    uint32_t roles[BODY_ROLES_MAX] = {0};
    struct draft d = {0};
    int err = CALL_ARGS(k, {"roles", ARG_TEXTS, true, &words});
    if (!err)
        err = call_note(k, &note);
    if (!err)
        err = read_roles(k, &words, roles);
    if (!err)
        err = read_enrolment(k, note, &e);
    if (err)
        return err;
    struct value v = value_object();
    value_set(&v, "licence", value_text(e.licence));
    value_set(&v, "name", value_text(e.name));
    value_set(&v, "vkey", vkey_json(&e.key));
    value_set(&v, "roles", roles_json(roles, words.count));
    const struct body body = {
        .notes = &note, .note_count = 1, .roles = roles, .role_count = words.count};
    return append_key(k, &d, &body, v.json);
}

/* ---- retiring ---- */

static int find_in_force(struct call *k, struct bytes licence, const struct officer **ret)
{
    int err = officers_find(k->c->officers, licence, ret);
    int len = call_clip(licence);
    if (err == COMITY_E_UNKNOWN_KEY) {
        call_fail(k, COMITY_E_NOT_FOUND, "licence", "no officer with licence %.*s is enrolled", len,
                  (const char *)licence.data);
        return call_hint(k, COMITY_E_NOT_FOUND, "comity key list");
    }
    if (err == COMITY_E_RETIRED)
        return call_fail(k, err, "licence", "the key of officer %.*s is retired already", len,
                         (const char *)licence.data);
    return err;
}

int method_key_retire(struct call *k)
{
    struct bytes licence = BYTES_NONE;
    const struct officer *f = NULL;
    struct content_of enrolment;
    struct hash leaf;
    struct bytes origin = bytes_of(ledger_origin(k->n->ledger));
    int err = CALL_ARGS(k, {"licence", ARG_TEXT, true, &licence});
    if (!err)
        err = find_in_force(k, licence, &f);
    if (!err)
        err = content_load(k->n, k->a, origin, f->index, &enrolment);
    if (!err)
        err = ledger_leaf(k->n->ledger, f->index, &leaf);
    if (err)
        return err;
    struct draft d = {.has_source = true,
                      .source = {.origin = origin,
                                 .has_index = true,
                                 .index = f->index,
                                 .leaf = call_keep(k, hash_bytes(&leaf))}};
    if (!d.source.leaf.data)
        return COMITY_E_NOMEM;
    struct value v = value_object();
    struct value enrolled = value_object();
    value_set_place(&enrolled, origin, f->index, &leaf);
    value_set(&v, "licence", json_string(f->licence));
    value_set(&v, "enrolled", enrolled.json);
    const struct body body = {.notes = enrolment.body.notes,
                              .note_count = enrolment.body.note_count};
    return append_key(k, &d, &body, v.json);
}

/* ---- listing ---- */

static void set_place_of(struct call *k, struct value *v, const char *key, uint64_t origin_id,
                         struct bytes origin, uint64_t index)
{
    struct hash leaf;
    bool has_leaf = origin_id == 0 && ledger_leaf(k->n->ledger, index, &leaf) == COMITY_OK;
    struct value place = value_object();
    value_set_place(&place, origin, index, has_leaf ? &leaf : NULL);
    value_set(v, key, place.json);
}

static json_t *officer_json(struct call *k, struct db_rows *rows, uint64_t id, struct bytes origin)
{
    struct value v = value_object();
    uint64_t bits = db_u64(rows, 4);
    uint32_t roles[BODY_ROLES_MAX];
    size_t count = 0;
    for (uint32_t role = 1; role <= ROLE_AUDITOR; role++)
        if (bits & (UINT64_C(1) << role))
            roles[count++] = role;
    value_set(&v, "licence", value_text(db_bytes(rows, 1)));
    value_set(&v, "name", value_text(db_bytes(rows, 2)));
    value_set(&v, "roles", roles_json(roles, count));
    value_set(&v, "vkey", value_text(db_bytes(rows, 3)));
    set_place_of(k, &v, "enrolled", id, origin, db_u64(rows, 0));
    value_set(&v, "time", value_time((int64_t)db_u64(rows, 5)));
    if (!db_is_null(rows, 6))
        set_place_of(k, &v, "retired", id, origin, db_u64(rows, 6));
    value_set(&v, "in_force", json_boolean(db_is_null(rows, 6)));
    return v.json;
}

static int list_officers(struct call *k, struct page *p, struct bytes origin, bool all)
{
    struct db_rows *rows = NULL;
    struct page_place after;
    uint64_t id = 0;
    int got = 0;
    int err = page_check(k, p);
    if (!err)
        err = page_place(k, p, &after);
    if (!err)
        err = record_origin_id(k->n, origin, &id);
    if (err == COMITY_E_NOT_FOUND) {
        call_fail(k, err, "origin", "nothing of the ledger '%.*s' came here", call_clip(origin),
                  (const char *)origin.data);
        return call_hint(k, err, "a ledger is NETWORK/MEMBER, as comity member list shows it");
    }
    if (err)
        return err;
    err = db_query(store_db(k->n->store), &rows,
                   "SELECT idx, licence, name, vkey, roles, time, retired FROM view_officer"
                   " WHERE origin = ?1 AND idx >= ?2 AND (?3 OR retired IS NULL) ORDER BY idx",
                   DB_U64(id), DB_U64(p->after.len ? after.index + 1 : 0), DB_U64(all));
    while (!err && (got = db_next(rows)) == DB_ROW)
        if (!page_add(p, officer_json(k, rows, id, origin),
                      &(struct page_place){.index = db_u64(rows, 0)}))
            break;
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

int method_key_list(struct call *k)
{
    struct page p;
    bool all = false;
    struct bytes origin = bytes_of(ledger_origin(k->n->ledger));
    page_init(&p);
    int err = CALL_ARGS(k, {"all", ARG_BOOL, false, &all}, {"origin", ARG_TEXT, false, &origin},
                        PAGE_ARGS(&p));
    if (!err)
        err = list_officers(k, &p, origin, all);
    if (!err)
        return page_finish(k, &p);
    json_decref(p.items.json);
    return err;
}
