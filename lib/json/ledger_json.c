/*
 * Entries, bodies, checkpoints and members as JSON. See ledger_json.h.
 */
#include "json/ledger_json.h"

#include "base/text.h"
#include "domain/role.h"
#include "msg/record.h"
#include "json/record_json.h"

#include <comity/err.h>

static json_t *source_json(const struct entry_source *s)
{
    struct value v = value_object();
    json_t *json = NULL;
    value_set(&v, "origin", value_text(s->origin));
    if (s->has_index)
        value_set(&v, "index", value_u64(s->index));
    if (s->leaf.len)
        value_set(&v, "leaf", value_base64(s->leaf));
    if (s->has_size)
        value_set(&v, "size", value_u64(s->size));
    if (s->root.len)
        value_set(&v, "root", value_base64(s->root));
    return value_finish(&v, &json) ? NULL : json;
}

static json_t *to_json(const struct entry *e)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < e->to_count; i++) {
        struct value to = value_object();
        value_set(&to, "member", value_text(e->to[i].member));
        value_set(&to, "pair_seq", value_u64(e->to[i].pair_seq));
        value_add(&v, to.json);
    }
    return value_finish(&v, &json) ? NULL : json;
}

static void set_hex(struct value *v, const char *key, struct bytes b)
{
    if (b.len)
        value_set(v, key, value_hex(b));
}

int entry_to_json(struct bytes origin, const struct entry *e, const struct hash *leaf,
                  unsigned flags, json_t **ret)
{
    struct value v = value_object();
    value_set_place(&v, origin, e->index, leaf);
    value_set(&v, "kind", json_string(entry_kind_word(e->kind)));
    value_set(&v, "time", value_time((int64_t)e->time_ms));
    value_set(&v, "roster", value_u64(e->roster));
    if (e->to_count)
        value_set(&v, "to", to_json(e));
    if (e->has_source)
        value_set(&v, "source", source_json(&e->source));
    if (flags & ENTRY_JSON_HASHES) {
        value_set(&v, "prev", value_base64(e->prev));
        set_hex(&v, "body_hash", e->body_hash);
        set_hex(&v, "seal", e->seal);
        set_hex(&v, "ref_hex", e->ref);
    }
    return value_finish(&v, ret);
}

static json_t *text_or_base64(struct bytes b)
{
    return text_is_utf8(b) ? value_text(b) : value_base64(b);
}

static void set_record(struct value *v, struct arena *a, struct bytes bytes, unsigned flags)
{
    struct record record = {0};
    json_t *json = NULL;
    if (record_decode(a, bytes, &record) == COMITY_OK &&
        record_to_json(&record, flags, &json) == COMITY_OK)
        value_set(v, "record", json);
    else
        value_set(v, "record_bytes", value_base64(bytes));
}

int body_to_json(struct arena *a, const struct body *b, unsigned flags, json_t **ret)
{
    struct value v = value_object();
    if (b->record.len)
        set_record(&v, a, b->record, flags);
    if (b->note_count) {
        struct value notes = value_array();
        for (size_t i = 0; i < b->note_count; i++)
            value_add(&notes, text_or_base64(b->notes[i]));
        value_set(&v, "notes", notes.json);
    }
    if (b->role_count) {
        struct value roles = value_array();
        for (size_t i = 0; i < b->role_count; i++) {
            const char *token = key_role_token(b->roles[i]);
            value_add(&roles, token ? json_string(token) : value_u64(b->roles[i]));
        }
        value_set(&v, "roles", roles.json);
    }
    value_set_text(&v, "remark", b->remark);
    if (b->request_id.len)
        value_set(&v, "request_id", text_or_base64(b->request_id));
    return value_finish(&v, ret);
}

const char *member_role_word(uint32_t role)
{
    static const char *const word[] = {
        [MEMBER_BUREAU] = "bureau", [MEMBER_BROKER] = "broker", [MEMBER_AUDITOR] = "auditor"};
    return role < sizeof word / sizeof word[0] ? word[role] : NULL;
}

int member_to_json(const struct roster *r, const struct roster_member *m, json_t **ret)
{
    struct value v = value_object();
    const char *role = member_role_word(m->role);
    value_set(&v, "id", value_text(m->id));
    value_set(&v, "role", role ? json_string(role) : json_integer(m->role));
    value_set(&v, "name", value_text(m->name));
    if (m->ledger_count)
        value_set(&v, "origin", value_text(m->ledgers[m->ledger_count - 1].origin));
    value_set(&v, "open", json_boolean(roster_current_origin(r, m) != NULL));
    if (m == roster_broker(r))
        value_set(&v, "broker", json_true());
    return value_finish(&v, ret);
}
