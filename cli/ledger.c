/*
 * ledger: looking at a ledger, through the node or from its files, and taking proofs and copies out
 * of it.
 */
#include "ask.h"
#include "commands.h"
#include "domain/ref.h"
#include "files.h"
#include "offline.h"
#include "verify.h"
#include "json/ledger_json.h"
#include "json/value_json.h"

#include <string.h>

enum { BODY_ARENA_MAX = 16 * 1024 * 1024, LOG_MAX = 500 };

#define LEDGER_FLAG(words)             \
    {                                  \
        "ledger", N_("PATH"), 0, words \
    }

static const struct flag log_flags[] = {
    {"from", N_("INDEX"), 0, N_("Begin with this entry (default: the last ones)")},
    {"count", N_("N"), 0, N_("So many entries (default 50, at most 500)")},
    {"of", N_("ID"), 0, N_("Of an earlier ledger of this node: 330100-001, 330100-001.2 …")},
    LEDGER_FLAG(N_("Read this folder or exported file instead of asking the node")),
    {0},
};
static const struct flag show_flags[] = {
    LEDGER_FLAG(N_("Read this folder or exported file instead of asking the node")),
    {"out", N_("FILE"), 0, N_("Write the entry's exact bytes to this file")},
    {0},
};
static const struct flag prove_flags[] = {
    LEDGER_FLAG(
        N_("The node's or broker's folder, or an exported file (default: the own node's folder)")),
    {"out", N_("NAME"), 0, N_("Write NAME.tlog-proof and NAME.entry (default: the index)")},
    {0},
};
static const struct flag export_flags[] = {
    LEDGER_FLAG(N_("The node's or broker's folder (default: the own node's folder)")),
    {"out", N_("FILE"), FLAG_NEEDED, N_("The file to write")},
    {0},
};

static const struct view_field log_fields[] = {
    {"ref", N_("entry"), AS_WHOLE},        {"time", N_("time"), AS_TIME},
    {"kind", N_("kind"), AS_STATE},        {"title", N_("title"), AS_TEXT},
    {"source.origin", N_("of"), AS_WHOLE}, {"source.index|source.size", N_("at"), AS_NUMBER},
    {"to[].member", N_("to"), AS_TEXT},    {0},
};
static const struct view log_view = {
    .sections = (const struct view_section[]){
        {"items", NULL, log_fields, N_("The ledger is empty.")}, {0}}};

static const struct view_field show_fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"kind", N_("kind"), AS_STATE},
    {"time", N_("time"), AS_TIME},
    {"roster", N_("roster"), AS_NUMBER},
    {"leaf", N_("leaf"), AS_WHOLE},
    {"prev", N_("entry before"), AS_WHOLE},
    {"body_hash", N_("body hash"), AS_WHOLE},
    {"seal", N_("seal"), AS_WHOLE},
    {"source.origin", N_("of ledger"), AS_WHOLE},
    {"source.index", N_("its entry"), AS_NUMBER},
    {"source.size", N_("its size"), AS_NUMBER},
    {"source.root", N_("its root"), AS_WHOLE},
    {"ref_hex", N_("ref"), AS_WHOLE},
    {"body.record.kind", N_("record"), AS_RECORD},
    {"body.record.case_content.title|body.record.evidence.title", N_("title"), AS_WHOLE},
    {"body.record.recognition.evidence.ref", N_("evidence"), AS_WHOLE},
    {"body.record.recognition.decision", N_("decision"), AS_DECISION},
    {"body.record.recognition.reviewer.name", N_("reviewer"), AS_WHOLE},
    {"body.roles[]", N_("roles"), AS_STATE},
    {"body.request_id", N_("request id"), AS_WHOLE},
    {"body.remark", N_("remark"), AS_WHOLE},
    {"withheld", N_("content withheld"), AS_ALARM},
    {"erased", N_("content erased"), AS_ALARM},
    {"file", N_("written to"), AS_WHOLE},
    {0},
};
static const struct view_field to_fields[] = {
    {"member", N_("to"), AS_WHOLE}, {"pair_seq", N_("number"), AS_NUMBER}, {0}};
static const struct view show_view = {
    .sections = (const struct view_section[]){
        {NULL, NULL, show_fields, NULL}, {"to", N_("Recipients"), to_fields, NULL}, {0}}};

static const struct view_field prove_fields[] = {
    {"proof", N_("proof"), AS_WHOLE},
    {"entry", N_("entry's bytes"), AS_WHOLE},
    {"ref", N_("entry"), AS_WHOLE},
    {"size", N_("under the checkpoint of"), AS_NUMBER},
    {0},
};
static const struct view prove_view = {
    .done = N_("The proof is written, and was verified before."),
    .sections = (const struct view_section[]){{NULL, NULL, prove_fields, NULL}, {0}}};

static const struct view_field export_fields[] = {{"file", N_("file"), AS_WHOLE},
                                                  {"origin", N_("ledger"), AS_WHOLE},
                                                  {"entries", N_("entries"), AS_NUMBER},
                                                  {0}};
static const struct view export_view = {
    .done = N_("The ledger is exported: one file, readable without this program by any SQLite."),
    .sections = (const struct view_section[]){{NULL, NULL, export_fields, NULL}, {0}}};

/* ---- log ---- */

struct log {
    struct cli *c;
    struct offline *o;
    json_t *items;
};

static int log_one(void *self, uint64_t index, struct bytes bytes)
{
    struct log *l = self;
    struct entry e;
    struct hash leaf;
    json_t *item = NULL;
    (void)index;
    hash_leaf(ledger_suite(l->o->ledger), bytes, &leaf);
    int err = entry_decode(l->c->arena, cli_copy(l->c, bytes), &e);
    if (!err)
        err = entry_to_json(bytes_of(ledger_origin(l->o->ledger)), &e, &leaf, 0, &item);
    if (!err)
        json_array_append_new(l->items, item);
    return err;
}

static int log_offline(struct cli *c, uint64_t from, uint64_t count)
{
    struct offline o = {0};
    int err = offline_open(c, &o);
    if (err)
        return err;
    uint64_t size = ledger_size(o.ledger);
    if (from == UINT64_MAX)
        from = size > count ? size - count : 0;
    if (from > size)
        err = cli_fail(c, COMITY_E_NOT_FOUND,
                       _("%s has %llu entries that its checkpoint covers, no entry %llu"), o.path,
                       (unsigned long long)size, (unsigned long long)from);
    uint64_t to = size - from < count ? size : from + count;
    struct log l = {.c = c, .o = &o, .items = cli_json(json_array())};
    if (!err && (err = ledger_each(o.ledger, from, to, log_one, &l)) != 0)
        cli_fail_at(c, err, o.path);
    json_t *next =
        to < size ? json_string(cli_text(c, "%llu", (unsigned long long)to)) : json_null();
    int kept = cli_result(c, json_pack("{s:o, s:o}", "items", l.items, "next", next));
    offline_close(&o);
    return err ? err : kept;
}

static int ledger_log(struct cli *c)
{
    uint64_t from = 0;
    uint64_t count = 0;
    json_t *list = NULL;
    int err = flag_number(c, "from", 0, INT64_MAX, UINT64_MAX, &from);
    if (!err)
        err = flag_number(c, "count", 1, LOG_MAX, 50, &count);
    if (err)
        return err;
    if (flag_given(c, "ledger"))
        return log_offline(c, from, count);
    json_t *args = cli_json(json_pack("{s:I}", "count", (json_int_t)count));
    if (from != UINT64_MAX)
        json_object_set_new(args, "from", json_integer((json_int_t)from));
    if (flag_given(c, "of"))
        json_object_set_new(args, "of", cli_json(json_string(flag_text(c, "of"))));
    err = ask(c, "ledger.log", args, &list);
    if (err)
        return err;
    const char *next = json_string_value(json_object_get(list, "next"));
    if (next)
        cli_next(c, _("There is more: --from %s"), next);
    return cli_result(c, list);
}

/* ---- show ---- */

static int set_body(struct cli *c, struct offline *o, const struct entry *e, json_t *json)
{
    struct opening opening;
    struct body body;
    struct hash h;
    json_t *shown = NULL;
    struct bytes origin = bytes_of(ledger_origin(o->ledger));
    if (!e->body_hash.len)
        return COMITY_OK;
    int err = ledger_opening(o->ledger, origin, e->index, c->arena, &opening);
    if (err == COMITY_E_ERASED || err == COMITY_E_WITHHELD || err == COMITY_E_NOT_FOUND) {
        json_object_set_new(json, err == COMITY_E_ERASED ? "erased" : "withheld", json_true());
        return COMITY_OK;
    }
    if (!err) {
        ledger_body_hash(ledger_suite(o->ledger), origin, opening.salt, opening.body, &h);
        err = bytes_equal(hash_bytes(&h), e->body_hash) ? body_decode(c->arena, opening.body, &body)
                                                        : COMITY_E_BODY;
    }
    if (!err)
        err = body_to_json(c->arena, &body, 0, &shown);
    if (!err)
        json_object_set_new(json, "body", shown);
    return err ? cli_fail_at(c, err, c->args[0]) : COMITY_OK;
}

static int show_offline(struct cli *c, json_t **ret, struct bytes *ret_bytes)
{
    struct offline o = {0};
    struct entry e;
    struct hash leaf;
    struct buf b = BUF_INIT;
    uint64_t index = 0;
    json_t *json = NULL;
    int err = offline_open(c, &o);
    if (!err)
        err = offline_index(c, &o, c->args[0], &index);
    if (err) {
        offline_close(&o);
        return err;
    }
    err = ledger_entry(o.ledger, index, &b);
    *ret_bytes = cli_copy(c, buf_bytes(&b));
    buf_free(&b);
    if (!err)
        err = entry_decode(c->arena, *ret_bytes, &e);
    hash_leaf(ledger_suite(o.ledger), *ret_bytes, &leaf);
    if (!err)
        err = entry_to_json(bytes_of(ledger_origin(o.ledger)), &e, &leaf, ENTRY_JSON_HASHES, &json);
    if (err) {
        cli_fail_at(c, err, c->args[0]);
    } else {
        json_object_set_new(json, "entry", cli_json(value_base64(*ret_bytes)));
        err = set_body(c, &o, &e, json);
        *ret = json;
    }
    offline_close(&o);
    return err;
}

static int ledger_show(struct cli *c)
{
    json_t *json = NULL;
    struct bytes bytes = BYTES_NONE;
    struct ref ref;
    const char *out = flag_text(c, "out");
    struct comity_call call = {.method = "ledger.entry"};
    if (ref_get(bytes_of(c->args[0]), &ref) != 0)
        return cli_fail(c, COMITY_E_REF, _("\"%s\" is no entry's index, and no reference to one"),
                        c->args[0]);
    int err = out ? files_check_new(c, out) : COMITY_OK;
    if (!err)
        err = flag_given(c, "ledger")
                  ? show_offline(c, &json, &bytes)
                  : ask_with(c, &call, cli_json(json_pack("{s:s}", "ref", c->args[0])), &json,
                             &bytes);
    if (!err && out) {
        err = files_create(c, out, bytes);
        json_object_set_new(json, "file", cli_json(json_string(out)));
    }
    if (err) {
        json_decref(json);
        return err;
    }
    return cli_result(c, json);
}

/* ---- prove ---- */

/* Make the proof, and see that it leads from the entry to the signed root. */
static int make_proof(struct offline *o, uint64_t index, struct buf *proof, struct buf *entry,
                      uint64_t *ret_size)
{
    struct checkpoint cp;
    struct hash leaf;
    struct buf note = BUF_INIT;
    struct hash_list path = {0};
    struct tree_source tree = ledger_tree(o->ledger);
    int err = ledger_checkpoint_from(o->ledger, index + 1, &cp, &note);
    if (!err)
        err = ledger_entry(o->ledger, index, entry);
    if (!err)
        err = proof_inclusion(&tree, index, cp.size, &path);
    if (!err) {
        hash_leaf(ledger_suite(o->ledger), buf_bytes(entry), &leaf);
        err = proof_inclusion_verify(ledger_suite(o->ledger), &leaf, index, cp.size, path.at,
                                     path.count, &cp.root);
    }
    if (!err) {
        tlog_proof_put(proof, index, path.at, path.count, buf_bytes(&note));
        *ret_size = cp.size;
    }
    hash_list_free(&path);
    buf_free(&note);
    return err;
}

static int write_proof(struct cli *c, const struct offline *o, uint64_t index, struct buf *proof,
                       struct buf *entry, uint64_t size)
{
    const char *name = flag_text(c, "out");
    if (!name)
        name = cli_text(c, "%llu", (unsigned long long)index);
    const char *proof_path = cli_text(c, "%s.tlog-proof", name);
    const char *entry_path = cli_text(c, "%s.entry", name);
    struct buf ref = BUF_INIT;
    int err = files_check_new(c, proof_path);
    if (!err)
        err = files_check_new(c, entry_path);
    if (!err)
        err = files_create(c, entry_path, buf_bytes(entry));
    if (!err)
        err = files_create(c, proof_path, buf_bytes(proof));
    if (err)
        return err;
    value_put_ref(&ref, bytes_of(ledger_origin(o->ledger)), index);
    err = cli_result(c,
                     json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "proof", proof_path, "entry",
                               entry_path, "ref", buf_str(&ref), "origin", ledger_origin(o->ledger),
                               "index", (json_int_t)index, "size", (json_int_t)size));
    buf_free(&ref);
    return err;
}

static int ledger_prove(struct cli *c)
{
    struct offline o = {0};
    struct buf proof = BUF_INIT;
    struct buf entry = BUF_INIT;
    uint64_t index = 0;
    uint64_t size = 0;
    int err = offline_open(c, &o);
    if (err)
        return err;
    err = offline_index(c, &o, c->args[0], &index);
    if (!err && (err = make_proof(&o, index, &proof, &entry, &size)) != 0)
        cli_fail_at(c, err, c->args[0]);
    if (!err)
        err = write_proof(c, &o, index, &proof, &entry, size);
    buf_free(&proof);
    buf_free(&entry);
    offline_close(&o);
    return err;
}

/* ---- export ---- */

static int ledger_export(struct cli *c)
{
    struct offline o = {0};
    const char *out = flag_text(c, "out");
    int err = files_check_new(c, out);
    if (!err)
        err = offline_open(c, &o);
    if (err)
        return err;
    err = store_export(o.store, out);
    if (err)
        cli_fail_at(c, err, out);
    else
        err = cli_result(c, json_pack("{s:s, s:s, s:I}", "file", out, "origin",
                                      ledger_origin(o.ledger), "entries",
                                      (json_int_t)ledger_size(o.ledger)));
    cli_next(c, "comity ledger verify --ledger %s --network …", out);
    offline_close(&o);
    return err;
}

const struct command ledger_commands[] = {
    {.noun = "ledger",
     .verb = "log",
     .uses = USES_NODE,
     .doc = N_("Entries of a ledger, in order"),
     .flags = log_flags,
     .view = &log_view,
     .run = ledger_log},
    {.noun = "ledger",
     .verb = "show",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE,
     .doc = N_("One entry, with all that it commits to"),
     .flags = show_flags,
     .view = &show_view,
     .run = ledger_show},
    {.noun = "ledger",
     .verb = "prove",
     .args = "INDEX",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE,
     .doc = N_("Write the proof that an entry stands in the ledger, for tools that are not ours"),
     .more = N_("NAME.tlog-proof is a C2SP tlog-proof: the path from the entry to a signed "
                "checkpoint. NAME.entry is the "
                "entry's exact bytes; its leaf is SHA-256 of a zero byte and these. The daemon may "
                "run meanwhile."),
     .flags = prove_flags,
     .view = &prove_view,
     .run = ledger_prove},
    {.noun = "ledger",
     .verb = "export",
     .uses = USES_NODE,
     .doc = N_("Write the whole ledger to one file, for an auditor or as a copy"),
     .more = N_("Everything is in that file, contents too: give it only to those who may read "
                "them. The daemon may run "
                "meanwhile."),
     .flags = export_flags,
     .view = &export_view,
     .run = ledger_export},
    {.noun = "ledger",
     .verb = "verify",
     .uses = USES_NODE,
     .doc = N_("Check a ledger against its own checkpoints and the authority's keys"),
     .more = N_("The list of checks names only those that ran. The authority's keys come from "
                "--network; without it "
                "those of the folder are taken, which proves less: the output says so."),
     .flags = ledger_verify_flags,
     .view = &verify_view,
     .render = verify_render,
     .run = ledger_verify},
    {0},
};
