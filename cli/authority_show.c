/*
 * authority show: what is in a file of the authority's, in words. See authority.h.
 */
#include "authority.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/keyfile.h"
#include "secret.h"
#include "json/ledger_json.h"

#include <string.h>

enum { SHOWN_FILE_MAX = ROSTER_FILE_MAX };

const struct flag authority_show_flags[] = {
    {"network", N_("FILE"), 0, N_("Verify a roster or witness file against this network file")},
    {"roster", N_("FILE"), 0, N_("Verify a witness file against the keys in this roster")},
    {0},
};

static const struct view_field fields[] = {
    {"type", N_("file"), AS_STATE},
    {"network", N_("network"), AS_TEXT},
    {"member", N_("member"), AS_WHOLE},
    {"role", N_("role"), AS_STATE},
    {"name", N_("name"), AS_WHOLE},
    {"use", N_("use"), AS_STATE},
    {"number", N_("number"), AS_NUMBER},
    {"issued", N_("issued"), AS_TIME},
    {"renew_by", N_("renew by"), AS_TIME},
    {"expired", N_("expired"), AS_ALARM},
    {"threshold", N_("threshold"), AS_NUMBER},
    {"complete", N_("signed by enough keys"), AS_VALID},
    {"verified", N_("against the network file"), AS_VERIFIED},
    {"origin", N_("ledger"), AS_WHOLE},
    {"size", N_("entries"), AS_NUMBER},
    {"root", N_("root"), AS_WHOLE},
    {"broker", N_("broker"), AS_WHOLE},
    {"routed", N_("routed"), AS_NUMBER},
    {"time", N_("time"), AS_TIME},
    {"vkey", N_("ledger key"), AS_WHOLE},
    {"curve", N_("connection key"), AS_WHOLE},
    {"seal", N_("seal key"), AS_WHOLE},
    {"public", N_("public key"), AS_WHOLE},
    {"endpoints[]", N_("endpoints"), AS_WHOLE},
    {"fingerprint", N_("SHA-256 of the file"), AS_HEX},
    {0},
};
static const struct view_field key_fields[] = {
    {"vkey", N_("public key"), AS_WHOLE}, {"signed", N_("signed"), AS_YES}, {0}};
static const struct view_field member_fields[] = {
    {"id", N_("member"), AS_WHOLE},
    {"role", N_("role"), AS_STATE},
    {"name", N_("name"), AS_TEXT},
    {"open", N_("open"), AS_YES},
    {"ledgers[].origin", N_("ledgers"), AS_WHOLE},
    {"closed.size", N_("closed at"), AS_NUMBER},
    {"closed.witness[].routed", N_("witnessed at"), AS_TEXT},
    {"endpoints[]", N_("endpoints"), AS_TEXT},
    {0},
};
const struct view authority_show_view = {
    .sections = (const struct view_section[]){{NULL, NULL, fields, NULL},
                                              {"authority", N_("Authority keys"), key_fields, NULL},
                                              {"members", N_("Members"), member_fields, NULL},
                                              {0}}};

static json_t *text_json(struct bytes b)
{
    return cli_json(json_stringn((const char *)b.data, b.len));
}

static json_t *base64_json(struct bytes b)
{
    struct buf out = BUF_INIT;
    text_put_base64(&out, b);
    json_t *json = cli_json(json_string(buf_str(&out)));
    buf_free(&out);
    return json;
}

static json_t *vkey_json(const struct note_verifier *v)
{
    struct buf out = BUF_INIT;
    note_put_vkey(&out, v);
    json_t *json = cli_json(json_string(buf_str(&out)));
    buf_free(&out);
    return json;
}

/* ---- network ---- */

static json_t *keys_json(const struct network *n, struct bytes note)
{
    bool signed_by[ROSTER_AUTHORITY_MAX] = {false};
    struct bytes text;
    json_t *keys = cli_json(json_array());
    bool has_note =
        note.len && note_open_many(note, n->authority, n->authority_count, signed_by, &text) == 0;
    for (size_t i = 0; i < n->authority_count; i++) {
        json_t *key = cli_json(json_pack("{s:s, s:o}", "name", n->authority[i].name, "vkey",
                                         vkey_json(&n->authority[i])));
        if (has_note)
            json_object_set_new(key, "signed", json_boolean(signed_by[i]));
        json_array_append_new(keys, key);
    }
    return keys;
}

static json_t *network_json(const struct network *n)
{
    return cli_json(json_pack("{s:s, s:s, s:i, s:o}", "type", "network", "network", n->name,
                              "threshold", (int)n->threshold, "authority",
                              keys_json(n, BYTES_NONE)));
}

/* ---- join ---- */

static json_t *join_json(const struct join_request *j)
{
    json_t *o = cli_json(
        json_pack("{s:s, s:o, s:s, s:o, s:s, s:i, s:o, s:o}", "type", "join", "member",
                  text_json(j->member), "role", member_role_word(j->role), "name",
                  text_json(j->name), "origin", j->ledger.name, "suite", (int)j->suite, "vkey",
                  vkey_json(&j->ledger), "curve", base64_json(BYTES(j->curve, sizeof j->curve))));
    if (j->has_seal)
        json_object_set_new(o, "seal", base64_json(BYTES(j->seal, sizeof j->seal)));
    if (j->endpoint[0].len)
        json_object_set_new(
            o, "endpoints",
            cli_json(json_pack("[o, o]", text_json(j->endpoint[0]), text_json(j->endpoint[1]))));
    return o;
}

/* ---- roster ---- */

static json_t *closed_json(const struct roster_ledger *l)
{
    json_t *witness = cli_json(json_array());
    for (size_t i = 0; i < l->witness_count; i++)
        json_array_append_new(
            witness, cli_json(json_pack("{s:o, s:I}", "broker", text_json(l->witness[i].broker),
                                        "routed", (json_int_t)l->witness[i].routed)));
    return cli_json(json_pack("{s:I, s:o, s:o}", "size", (json_int_t)l->closed_size, "root",
                              base64_json(l->closed_root), "witness", witness));
}

static json_t *member_json(const struct roster_member *m)
{
    json_t *ledgers = cli_json(json_array());
    json_t *seal = cli_json(json_array());
    json_t *o = cli_json(json_pack("{s:o, s:s, s:o, s:o, s:o}", "id", text_json(m->id), "role",
                                   member_role_word(m->role), "name", text_json(m->name), "ledgers",
                                   ledgers, "seal", seal));
    for (size_t i = 0; i < m->ledger_count; i++) {
        const struct roster_ledger *l = &m->ledgers[i];
        json_t *ledger = cli_json(json_pack("{s:o, s:i, s:o}", "origin", text_json(l->origin),
                                            "suite", (int)l->suite, "vkey", text_json(l->vkey)));
        if (l->is_closed)
            json_object_set_new(ledger, "closed", closed_json(l));
        json_array_append_new(ledgers, ledger);
    }
    for (size_t i = 0; i < m->seal_count; i++)
        json_array_append_new(seal, base64_json(m->seal[i]));
    const struct roster_ledger *last = m->ledger_count ? &m->ledgers[m->ledger_count - 1] : NULL;
    json_object_set_new(o, "open", json_boolean(last && !last->is_closed));
    if (last && last->is_closed)
        json_object_set_new(o, "closed", closed_json(last));
    if (m->curve.len)
        json_object_set_new(o, "curve", base64_json(m->curve));
    if (m->endpoint_count) {
        json_t *endpoints = cli_json(json_array());
        for (size_t i = 0; i < m->endpoint_count; i++)
            json_array_append_new(endpoints, text_json(m->endpoints[i]));
        json_object_set_new(o, "endpoints", endpoints);
    }
    return o;
}

/* A roster file taken apart, whoever has signed it. */
struct taken {
    struct bytes note;
    struct roster_doc doc;
    struct network authority; /* as it names it itself */
};

static int take_apart(struct cli *c, struct bytes file, struct taken *ret)
{
    struct bytes part[2];
    struct taken t = {0};
    struct network *n = &t.authority;
    for (int i = 0; i < 2; i++) { /* lp(note), lp(bytes) */
        if (file.len < 4 || get_u32be(file.data) > file.len - 4)
            return COMITY_E_NOT_A_ROSTER;
        part[i] = bytes_slice(file, 4, get_u32be(file.data));
        file = bytes_slice(file, 4 + part[i].len, file.len);
    }
    t.note = part[0];
    int err = roster_doc_decode(c->arena, part[1], &t.doc);
    if (err || t.doc.network.len >= sizeof n->name || t.doc.authority_count > ROSTER_AUTHORITY_MAX)
        return COMITY_E_NOT_A_ROSTER;
    memcpy(n->name, t.doc.network.data, t.doc.network.len);
    n->threshold = t.doc.threshold;
    n->authority_count = t.doc.authority_count;
    for (size_t i = 0; !err && i < n->authority_count; i++)
        err = note_verifier_parse(t.doc.authority[i], &n->authority[i]);
    *ret = t;
    return err;
}

const char *authority_network_of(struct cli *c, struct bytes file)
{
    struct taken t;
    return take_apart(c, file, &t) == COMITY_OK ? cli_text(c, "%s", t.authority.name) : NULL;
}

static int roster_json(const struct taken *t, bool is_verified, bool is_complete, json_t **ret)
{
    struct bytes text, signatures, lines[7];
    struct hash h;
    int64_t renew_by = 0;
    if (note_split(t->note, &text, &signatures) != 0 ||
        note_fields(text, "comity roster v1", lines, 7) != 0 ||
        text_get_time(lines[5], &renew_by) != 0)
        return COMITY_E_NOT_A_ROSTER;
    json_t *members = cli_json(json_array());
    for (size_t i = 0; i < t->doc.member_count; i++)
        json_array_append_new(members, member_json(&t->doc.members[i]));
    hash_of(suite_get(SUITE_1), &h, text);
    *ret = cli_json(json_pack(
        "{s:s, s:o, s:I, s:o, s:o, s:b, s:i, s:b, s:b, s:o, s:o, s:o}", "type", "roster", "network",
        text_json(t->doc.network), "number", (json_int_t)t->doc.number, "issued",
        text_json(lines[4]), "renew_by", text_json(lines[5]), "expired",
        clock_wall_ms(&clock_system) > renew_by, "threshold", (int)t->doc.threshold, "verified",
        is_verified, "complete", is_complete, "text_hash", base64_json(hash_bytes(&h)), "authority",
        keys_json(&t->authority, t->note), "members", members));
    return COMITY_OK;
}

/* Under the keys of --network; without it, whether it agrees with itself, and it need not have all
 * signatures yet. */
int authority_roster_json(struct cli *c, const char *path, struct bytes file,
                          const struct network *anchor, json_t **ret)
{
    struct taken t;
    struct roster *r = NULL;
    int err = take_apart(c, file, &t);
    if (err == COMITY_E_NOT_A_ROSTER)
        return cli_fail(c, err, _("%s is none of the authority's files"), path);
    if (!err)
        err = roster_open(file, anchor ? anchor : &t.authority, NULL, &r);
    bool is_complete = !err;
    roster_free(r);
    if (err == COMITY_E_AUTHORITY && !anchor)
        err = COMITY_OK;
    if (!err)
        err = roster_json(&t, anchor && is_complete, is_complete, ret);
    return err ? cli_fail_at(c, err, path) : COMITY_OK;
}

static int show_roster(struct cli *c, struct bytes file, json_t **ret)
{
    struct network anchor;
    bool is_anchored = flag_given(c, "network");
    int err = is_anchored ? authority_read_network(c, flag_text(c, "network"), &anchor) : COMITY_OK;
    return err ? err
               : authority_roster_json(c, c->args[0], file, is_anchored ? &anchor : NULL, ret);
}

/* ---- key, witness ---- */

static int show_key(struct cli *c, json_t **ret)
{
    struct key_public pub;
    int err = secret_public(c, c->args[0], &pub);
    if (err)
        return err;
    json_t *o = cli_json(json_pack("{s:s, s:s, s:s, s:o}", "type", "key", "use",
                                   key_use_word(pub.use), "name", pub.name, "public",
                                   base64_json(BYTES(pub.pub, sizeof pub.pub))));
    struct note_verifier v;
    bool signs = pub.use == KEY_LEDGER || pub.use == KEY_OFFICER || pub.use == KEY_AUTHORITY;
    if (signs && note_verifier_make(pub.name, NOTE_TYPE_SIGNATURE, pub.pub, &v) == 0)
        json_object_set_new(o, "vkey", vkey_json(&v));
    *ret = o;
    return COMITY_OK;
}

static int show_witness(struct cli *c, struct bytes text, json_t **ret)
{
    struct network anchor;
    struct roster *r = NULL;
    struct bytes file;
    struct witness w;
    struct buf time = BUF_INIT;
    if (!flag_given(c, "network") || !flag_given(c, "roster")) {
        json_t *o = cli_json(json_loadb((const char *)text.data, text.len, 0, NULL));
        json_object_set_new(o, "type", json_string("witness"));
        json_object_set_new(o, "verified", json_false());
        *ret = o;
        return COMITY_OK;
    }
    int err = authority_read_network(c, flag_text(c, "network"), &anchor);
    if (!err)
        err = files_read(c, flag_text(c, "roster"), ROSTER_FILE_MAX, &file);
    if (!err && (err = roster_open(file, &anchor, NULL, &r)) != 0)
        cli_fail_at(c, err, flag_text(c, "roster"));
    if (!err)
        err = witness_read(c, c->args[0], r, &w);
    if (!err) {
        text_put_time(&time, w.time_ms);
        *ret = cli_json(json_pack("{s:s, s:b, s:o, s:I, s:o, s:o, s:I, s:s}", "type", "witness",
                                  "verified", true, "origin", text_json(w.origin), "size",
                                  (json_int_t)w.size, "root", base64_json(hash_bytes(&w.root)),
                                  "broker", text_json(w.broker), "routed", (json_int_t)w.routed,
                                  "time", buf_str(&time)));
    }
    buf_free(&time);
    roster_free(r);
    return err;
}

int authority_show(struct cli *c)
{
    struct bytes file;
    struct network n;
    struct join_request j;
    const char *fingerprint = NULL;
    json_t *o = NULL;
    int err = files_read(c, c->args[0], SHOWN_FILE_MAX, &file);
    if (err)
        return err;
    if (bytes_has_prefix(file, "comity network v1\n")) {
        err = authority_read_network(c, c->args[0], &n);
        o = err ? NULL : network_json(&n);
    } else if (bytes_has_prefix(file, "comity join v1\n")) {
        err = authority_read_join(c, c->args[0], &j, &fingerprint);
        o = err ? NULL : join_json(&j);
    } else if (bytes_has_prefix(file, "comity key v1\n")) {
        err = show_key(c, &o);
    } else if (witness_is(file)) {
        err = show_witness(c, file, &o);
    } else {
        err = show_roster(c, file, &o);
    }
    if (err)
        return err;
    json_object_set_new(o, "fingerprint", cli_json(json_string(files_fingerprint(c, file))));
    return cli_result(c, o);
}
