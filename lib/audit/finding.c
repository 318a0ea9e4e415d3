/*
 * Findings: collected, those of one cause put together, sorted, numbered, and worded.
 */
#include "audit/finding.h"
#include "audit/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finding *finding_add(struct audit *a, enum audit_code code, const struct origin_node *of)
{
    const struct finding f = {
        .code = code, .of = of, .class = audit_code_info(code)->class, .json = value_object()};
    if (LIST_ADD(a->findings, f)) {
        json_decref(f.json.json);
        return NULL;
    }
    struct finding *added = &a->findings.at[a->findings.count - 1];
    if (of)
        value_set(&added->json, "ledger", json_string(of->name));
    return added;
}

void finding_set(struct finding *f, const char *key, json_t *item)
{
    value_set(&f->json, key, item);
}

void finding_number(struct finding *f, const char *key, uint64_t v)
{
    value_set(&f->json, key, value_u64(v <= INT64_MAX ? v : INT64_MAX));
}

void finding_index(struct finding *f, uint64_t index)
{
    finding_number(f, "index", index);
    value_set(&f->json, "ref", value_ref(bytes_of(f->of->name), index));
}

int finding_check(const struct finding *f)
{
    return f && f->json.json ? COMITY_OK : COMITY_E_NOMEM;
}

/* ---- groups ---- */

int group_add(struct audit *a, const struct group_key *key, uint64_t index, uint64_t time_ms,
              struct group **ret)
{
    struct group *g = NULL;
    struct group_key k;
    memset(&k, 0, sizeof k);
    k.code = key->code;
    k.of = key->of;
    k.other = key->other;
    HASH_FIND(hh, a->groups, &k, sizeof k, g);
    if (!g) {
        if (!(g = arena_alloc(a->arena, sizeof *g)))
            return COMITY_E_NOMEM;
        g->key = k;
        g->index = index;
        HASH_ADD(hh, a->groups, key, sizeof g->key, g);
    }
    g->count++;
    g->index = index < g->index ? index : g->index;
    if (time_ms && (!g->earliest_ms || time_ms < g->earliest_ms))
        g->earliest_ms = time_ms;
    g->latest_ms = time_ms > g->latest_ms ? time_ms : g->latest_ms;
    *ret = g;
    return COMITY_OK;
}

/* Of these, what was counted are entries of the ledger that the finding is about. */
static bool has_index(enum audit_code code)
{
    switch (code) {
    case AUDIT_SUPPRESSED:
    case AUDIT_NOT_RECEIVED:
    case AUDIT_ON_THE_WAY:
    case AUDIT_NUMBERS_MISSING:
    case AUDIT_NEVER_SENT:
        return false;
    default:
        return true;
    }
}

static int settle_group(struct audit *a, struct group *g)
{
    struct finding *f = finding_add(a, g->key.code, g->key.of);
    if (!f)
        return COMITY_E_NOMEM;
    if (has_index(g->key.code))
        finding_index(f, g->index);
    finding_set(f, "other", json_string(g->key.other->name));
    finding_number(f, "count", g->count);
    if (g->has_number)
        finding_number(f, "number", g->number);
    if (g->earliest_ms)
        finding_set(f, "earliest", value_time((int64_t)g->earliest_ms));
    if (g->latest_ms)
        finding_set(f, "latest", value_time((int64_t)g->latest_ms));
    f->proof = g->proof;
    g->proof = NULL;
    return finding_check(f);
}

static int groups_settle(struct audit *a)
{
    int err = COMITY_OK;
    for (struct group *g = a->groups; g && !err; g = g->hh.next)
        err = settle_group(a, g);
    return err;
}

/* ---- order and words ---- */

static int compare_json(const struct finding *x, const struct finding *y, const char *key)
{
    json_int_t a = json_integer_value(json_object_get(x->json.json, key));
    json_int_t b = json_integer_value(json_object_get(y->json.json, key));
    return (a > b) - (a < b);
}

static int compare_text(const struct finding *x, const struct finding *y, const char *key)
{
    const char *a = json_string_value(json_object_get(x->json.json, key));
    const char *b = json_string_value(json_object_get(y->json.json, key));
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_findings(const void *p, const void *q)
{
    const struct finding *x = p;
    const struct finding *y = q;
    if (x->class != y->class)
        return x->class > y->class ? -1 : 1;
    int order = strcmp(x->of ? x->of->name : "", y->of ? y->of->name : "");
    if (!order)
        order = (x->code > y->code) - (x->code < y->code);
    if (!order)
        order = compare_json(x, y, "index");
    if (!order)
        order = compare_json(x, y, "size");
    if (!order)
        order = compare_text(x, y, "other");
    if (!order)
        order = compare_text(x, y, "member");
    if (!order)
        order = compare_text(x, y, "path");
    if (!order)
        order = compare_text(x, y, "licence");
    return order ? order : compare_json(x, y, "number");
}

static json_t *fill(const char *text, const json_t *finding)
{
    struct buf out = BUF_INIT;
    audit_fill(&out, text, finding);
    json_t *json = buf_check(&out) ? NULL : value_text(buf_bytes(&out));
    buf_free(&out);
    return json;
}

static int word(struct finding *f, size_t number)
{
    const struct audit_code_info *info = audit_code_info(f->code);
    char id[64];
    snprintf(id, sizeof id, "F%zu", number);
    value_set(&f->json, "id", json_string(id));
    value_set(&f->json, "code", json_string(info->token));
    value_set(&f->json, "class", json_string(audit_class_word(f->class)));
    value_set(&f->json, "text", fill(info->text, f->json.json));
    if (*info->limit)
        value_set(&f->json, "limit", fill(info->limit, f->json.json));
    if (*info->settle)
        value_set(&f->json, "settle", fill(info->settle, f->json.json));
    if (f->proof) {
        char name[128];
        snprintf(name, sizeof name, "%s-%s.json", id, info->token);
        value_set(&f->json, "proof", json_string(name));
    }
    return finding_check(f);
}

int findings_settle(struct audit *a)
{
    int err = groups_settle(a);
    if (err)
        return err;
    if (a->findings.count)
        qsort(a->findings.at, a->findings.count, sizeof *a->findings.at, compare_findings);
    for (size_t i = 0; !err && i < a->findings.count; i++)
        err = word(&a->findings.at[i], i + 1);
    return err;
}
