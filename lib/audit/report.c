/*
 * The report as JSON: see audit.h for its shape.
 */
#include "audit/finding.h"
#include "audit/internal.h"
#include "audit/parcels.h"
#include "audit/rosters.h"

#include "domain/role.h"
#include "json/ledger_json.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *token;
    const char *text;
} check_words[CHECK_COUNT] = {
    [CHECK_ENTRIES] = {"entries",
                       "every entry has the one canonical encoding and stands at its index"},
    [CHECK_LINKS] = {"links", "every entry names the hash of the one before it"},
    [CHECK_ROOTS] = {"roots", "the tree over the entries has the root of every stored checkpoint"},
    [CHECK_NOTES] =
        {"checkpoints",
         "every stored checkpoint is signed with the key that the roster gives this ledger"},
    [CHECK_TILES] = {"tiles", "stored hashes are those of the entries"},
    [CHECK_NUMBERS] = {"numbers", "numbers of entries, deliveries and parcels follow one another"},
    [CHECK_FORMS] = {"forms",
                     "source, reference and recipients are such as the kind of entry needs"},
    [CHECK_BODIES] = {"content", "content is what its entry commits to"},
    [CHECK_OFFICERS] = {"officers",
                        "officers' signatures verify under enrolled keys that were not retired"},
    [CHECK_ROSTERS] = {"rosters", "rosters are the authority's, and entries name them"},
    [CHECK_CLOSED] = {"closing",
                      "the ledger is, at the size where it was closed, the one that was closed"},
    [CHECK_PARCELS] = {"parcels", "parcels verify again, and are those that the entries name"},
    [CHECK_STATEMENTS] = {"statements",
                          "the broker's statements verify, and are about these parcels"},
    [CHECK_CLOCK] = {"clock", "times of entries do not go backwards"},
    [CHECK_FOREIGN] = {"foreign_checkpoints",
                       "what ledgers hold of one another has the same roots everywhere"},
    [CHECK_HELD] = {"held_entries", "entries that others hold with proof are in their own ledger"},
    [CHECK_ACCEPTED] = {"accepted_parcels", "what the broker accepted has arrived"},
    [CHECK_TIMES] = {"provable_times", "times of entries lie within what other ledgers prove"},
};

static const char *const limits[] = {
    "What was never written into any ledger, and never sent, cannot be found.",
    "Two parties that act together can rewrite what no honest third party holds a checkpoint of.",
    ("Times are those of each ledger's own clock; differences of less than ten minutes are not "
     "looked at."),
    "That content is true, or was lawfully collected, is not for this audit to say.",
};

static json_t *report_authority(const struct audit *a)
{
    struct value v = value_object();
    struct value keys = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < a->anchor.authority_count; i++) {
        struct buf vkey = BUF_INIT;
        note_put_vkey(&vkey, &a->anchor.authority[i]);
        value_add(&keys, value_text(buf_bytes(&vkey)));
        buf_free(&vkey);
    }
    value_set(&v, "network", json_string(a->anchor.name));
    value_set(&v, "threshold", value_u64(a->anchor.threshold));
    value_set(&v, "keys", keys.json);
    return value_finish(&v, &json) ? NULL : json;
}

static json_t *report_ledger(struct audit_copy *c)
{
    struct value v = value_object();
    struct hash root;
    json_t *json = NULL;
    value_set(&v, "path", json_string(c->path));
    value_set(&v, "ledger", json_string(c->origin->name));
    value_set(&v, "member", value_text(c->origin->member));
    value_set(&v, "role", json_string(c->is_broker ? "broker" : "bureau"));
    value_set(&v, "suite", value_u64(c->suite_number));
    value_set(&v, "size", value_u64(c->size));
    if (c->covered && leaves_root(&c->tree, c->covered, &root) == COMITY_OK) {
        value_set(&v, "checkpoint", value_u64(c->covered));
        value_set(&v, "root", value_base64(hash_bytes(&root)));
    }
    if (c->has_digest)
        value_set(&v, "sha256", value_hex(hash_bytes(&c->digest)));
    value_set(&v, "live", json_boolean(c->is_live));
    value_set(&v, "sound", json_boolean(c->is_sound));
    if (c->time_ms.count) {
        value_set(&v, "first_time", value_time((int64_t)c->time_ms.at[0]));
        value_set(&v, "last_time", value_time((int64_t)c->time_ms.at[c->time_ms.count - 1]));
    }
    value_set(&v, "known_outside", value_u64(c->known_outside));
    return value_finish(&v, &json) ? NULL : json;
}

static json_t *report_ledgers(const struct audit *a)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < a->copies.count; i++)
        value_add(&v, report_ledger(a->copies.at[i]));
    return value_finish(&v, &json) ? NULL : json;
}

/* ---- checks ---- */

static void add_check(struct value *list, const char *ledger, size_t check, const uint64_t did[2])
{
    if (!did[0])
        return;
    struct value v = value_object();
    value_set(&v, "check", json_string(check_words[check].token));
    if (ledger)
        value_set(&v, "ledger", json_string(ledger));
    value_set(&v, "count", value_u64(did[0]));
    value_set(&v, "failed", value_u64(did[1]));
    value_set(&v, "text", json_string(check_words[check].text));
    value_add(list, v.json);
}

static json_t *report_checks(const struct audit *a)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < a->copies.count; i++)
        for (size_t k = 0; k < CHECK_COUNT; k++)
            add_check(&v, a->copies.at[i]->origin->name, k, a->copies.at[i]->checked[k]);
    for (size_t k = 0; k < CHECK_COUNT; k++)
        add_check(&v, NULL, k, a->checked[k]);
    return value_finish(&v, &json) ? NULL : json;
}

/* ---- findings, pairs, officers ---- */

static json_t *report_findings(const struct audit *a)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < a->findings.count; i++)
        value_add(&v, json_copy(a->findings.at[i].json.json));
    return value_finish(&v, &json) ? NULL : json;
}

static int compare_pairs(const struct pair_row *x, const struct pair_row *y)
{
    int order = strcmp(x->key.from->name, y->key.from->name);
    return order ? order : bytes_compare(x->member, y->member);
}

static json_t *report_pairs(struct audit *a)
{
    struct value list = value_array();
    json_t *json = NULL;
    HASH_SORT(a->pairs, compare_pairs);
    for (const struct pair_row *r = a->pairs; r; r = r->hh.next) {
        struct value v = value_object();
        value_set(&v, "sender", json_string(r->key.from->name));
        value_set(&v, "recipient", value_text(r->member));
        if (r->has_sent)
            value_set(&v, "sent", value_u64(r->sent));
        value_set(&v, "accepted", value_u64(r->accepted));
        value_set(&v, "received", value_u64(r->received));
        value_set(&v, "receipted", value_u64(r->receipted));
        value_set(&v, "refused", value_u64(r->refused));
        value_set(&v, "open", value_u64(r->open));
        value_add(&list, v.json);
    }
    return value_finish(&list, &json) ? NULL : json;
}

static int compare_origins(const struct origin_node *x, const struct origin_node *y)
{
    return strcmp(x->name, y->name);
}

static json_t *report_officer(const struct origin_node *o, size_t i)
{
    const struct officer_key *k = &o->keys.at[i];
    struct value v = value_object();
    struct value roles = value_array();
    json_t *json = NULL;
    for (size_t r = 0; r < k->role_count; r++)
        value_add(&roles, json_string(key_role_token(k->roles[r])));
    value_set(&v, "ledger", json_string(o->name));
    value_set(&v, "licence", value_text(k->enrolment.licence));
    value_set(&v, "name", value_text(k->enrolment.name));
    value_set(&v, "roles", roles.json);
    value_set(&v, "enrolled", value_u64(k->index));
    for (size_t n = i + 1; n < o->keys.count; n++) {
        if (!bytes_equal(o->keys.at[n].enrolment.licence, k->enrolment.licence))
            continue;
        if (o->keys.at[n].is_retired)
            value_set(&v, "retired", value_u64(o->keys.at[n].index));
        break;
    }
    value_set(&v, "signatures", value_u64(o->signed_by.at[i]));
    return value_finish(&v, &json) ? NULL : json;
}

static json_t *report_officers(struct audit *a)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (const struct origin_node *o = a->origins; o; o = o->hh.next)
        for (size_t i = 0; i < o->keys.count; i++)
            if (!o->keys.at[i].is_retired)
                value_add(&v, report_officer(o, i));
    return value_finish(&v, &json) ? NULL : json;
}

static json_t *report_absent(struct audit *a)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (const struct origin_node *o = a->origins; o; o = o->hh.next)
        if (!o->copies.count)
            value_add(&v, json_string(o->name));
    return value_finish(&v, &json) ? NULL : json;
}

static json_t *report_rosters(const struct audit *a)
{
    struct value list = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < a->rosters.count; i++) {
        struct value v = value_object();
        value_set(&v, "number", value_u64(a->rosters.at[i].number));
        value_set(&v, "issued_by_authority", json_boolean(a->rosters.at[i].roster != NULL));
        value_add(&list, v.json);
    }
    return value_finish(&list, &json) ? NULL : json;
}

/* ---- all of it ---- */

static size_t count_class(const struct audit *a, enum audit_class class)
{
    size_t n = 0;
    for (size_t i = 0; i < a->findings.count; i++)
        n += a->findings.at[i].class == class;
    return n;
}

static json_t *sentence(const struct audit *a)
{
    struct buf out = BUF_INIT;
    size_t proven = count_class(a, AUDIT_CLASS_CONTRADICTION);
    size_t open = count_class(a, AUDIT_CLASS_UNRESOLVED);
    size_t copies = 0;
    for (size_t i = 0; i < a->copies.count; i++) /* sorted: those of one ledger together */
        copies += i == 0 || a->copies.at[i]->origin != a->copies.at[i - 1]->origin;
    const char *ledgers = copies == 1 ? "ledger" : "ledgers";
    switch (audit_verdict(a)) {
    case AUDIT_CONTRADICTION:
        buf_printf(&out, "%s proven: %zu in %zu %s.",
                   proven == 1 ? "A contradiction is" : "Contradictions are", proven, copies,
                   ledgers);
        break;
    case AUDIT_UNRESOLVED:
        buf_printf(&out, "No contradiction was found in %zu %s; %zu %s unresolved.", copies,
                   ledgers, open, open == 1 ? "question is" : "questions are");
        break;
    case AUDIT_WITHHELD:
        buf_printf(&out, "%zu %s consistent; some content was erased or is withheld.", copies,
                   copies == 1 ? "ledger is" : "ledgers are");
        break;
    case AUDIT_CONSISTENT:
        buf_printf(&out, "%zu %s consistent.", copies, copies == 1 ? "ledger is" : "ledgers are");
        break;
    }
    json_t *json = buf_check(&out) ? NULL : value_text(buf_bytes(&out));
    buf_free(&out);
    return json;
}

static json_t *report_limits(void)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        value_add(&v, json_string(limits[i]));
    return value_finish(&v, &json) ? NULL : json;
}

int audit_to_json(struct audit *a, json_t **ret)
{
    struct value v = value_object();
    enum audit_verdict verdict = audit_verdict(a);
    HASH_SORT(a->origins, compare_origins);
    value_set(&v, "verdict", json_string(audit_verdict_word(verdict)));
    value_set(&v, "exit", json_integer(audit_verdict_exit(verdict)));
    value_set(&v, "sentence", sentence(a));
    value_set(&v, "authority", report_authority(a));
    value_set(&v, "ledgers", report_ledgers(a));
    value_set(&v, "absent", report_absent(a));
    value_set(&v, "rosters", report_rosters(a));
    value_set(&v, "checks", report_checks(a));
    value_set(&v, "findings", report_findings(a));
    value_set(&v, "pairs", report_pairs(a));
    value_set(&v, "officers", report_officers(a));
    value_set(&v, "limits", report_limits());
    return value_finish(&v, ret);
}
