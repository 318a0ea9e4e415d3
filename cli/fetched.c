/*
 * Records of the node, checked on the officer's side. See fetched.h.
 */
#include "fetched.h"

#include "ask.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "msg/record.h"

#include <string.h>

static bool take_lp(struct bytes *rest, struct bytes *ret)
{
    if (rest->len < 4 || get_u32be(rest->data) > rest->len - 4)
        return false;
    *ret = bytes_slice(*rest, 4, get_u32be(rest->data));
    *rest = bytes_slice(*rest, 4 + ret->len, rest->len);
    return true;
}

/* The hash over the very bytes that are decoded and shown here, and the node's word for it. */
static int check_hash(struct cli *c, struct bytes record, struct bytes salt, struct fetched *f)
{
    const json_t *status = NULL;
    struct hash named;
    const char *text = json_string_value(json_object_get(f->json, "record_hash"));
    int err = ask_status(c, &status);
    if (err)
        return err;
    const struct suite *suite =
        suite_get((uint32_t)json_integer_value(json_object_get(status, "suite")));
    if (!suite)
        return cli_fail_at(c, COMITY_E_SUITE, f->origin);
    ledger_record_hash(suite, bytes_of(f->origin), salt, record, &f->hash);
    if (!text || text_get_hex(bytes_of(text), named.b, HASH_LEN) != 0 ||
        !hash_equal(&named, &f->hash))
        return cli_fail_at(c, COMITY_E_BODY, f->ref);
    return COMITY_OK;
}

int fetched_get(struct cli *c, const char *ref, struct fetched *ret)
{
    struct comity_call call = {.method = "record.get"};
    struct bytes chunk, record, salt;
    json_t *json = NULL;
    int err = ask_with(c, &call, cli_json(json_pack("{s:s}", "ref", ref)), &json, &chunk);
    if (err)
        return err;
    struct fetched f = {.json = json};
    json_decref(c->fetched);
    c->fetched = json;
    f.ref = json_string_value(json_object_get(json, "ref"));
    f.origin = json_string_value(json_object_get(json, "origin"));
    const char *leaf = json_string_value(json_object_get(json, "leaf"));
    if (!f.ref || !f.origin || !leaf || !take_lp(&chunk, &record) || !take_lp(&chunk, &salt) ||
        salt.len != SALT_LEN)
        return cli_fail_at(c, COMITY_E_MALFORMED, "record.get");
    f.index = (uint64_t)json_integer_value(json_object_get(json, "index"));
    f.leaf = bytes_of(leaf);
    err = record_decode(c->arena, record, &f.record);
    if (err)
        return cli_fail_at(c, err, ref);
    err = check_hash(c, record, salt, &f);
    if (!err)
        *ret = f;
    return err;
}

int fetched_fail_kind(struct cli *c, const struct fetched *f)
{
    int err = cli_fail(c, COMITY_E_STATE, _("%s is no evidence"), f->ref);
    return cli_hint(
        c, err, f->record.kind == RECORD_CASE ? "comity case show %s" : "comity track %s", f->ref);
}

static const struct view_field fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"kind", N_("kind"), AS_RECORD},
    {"record.evidence.title|record.case_content.title|record.recognition.basis", N_("title"),
     AS_WHOLE},
    {"record.evidence.kind", N_("kind of evidence"), AS_EVIDENCE},
    {"record.evidence.source", N_("source"), AS_WHOLE},
    {"record.evidence.taken", N_("taken"), AS_TIME},
    {"record.officers[].name", N_("collectors"), AS_WHOLE},
    {"record_hash", N_("record hash"), AS_WHOLE},
    {0},
};
static const struct view_field file_fields[] = {{"name", N_("file"), AS_TEXT},
                                                {"len", N_("size"), AS_SIZE},
                                                {"sha256", N_("SHA-256"), AS_WHOLE},
                                                {0}};
static const struct view preview_view = {
    .sections = (const struct view_section[]){
        {NULL, NULL, fields, NULL}, {"record.evidence.files", NULL, file_fields, NULL}, {0}}};

void fetched_preview(struct cli *c, const struct fetched *f)
{
    if (out_style_of(2).is_terminal)
        cli_preview(c, &preview_view, f->json);
}
