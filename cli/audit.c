/*
 * audit: ledgers of several members held against one another.
 */
#include "audit/audit.h"

#include "authority.h"
#include "commands.h"
#include "verify.h"

#include <stdlib.h>
#include <string.h>

static const struct flag run_flags[] = {
    {"network", N_("FILE"), FLAG_NEEDED, N_("The authority's network file, from outside")},
    {"roster", N_("FILE"), FLAG_MANY, N_("A roster from outside, beside those in the ledgers")},
    {"proofs", N_("FOLDER"), 0, N_("Write the transferable proof of each finding there")},
    {"out", N_("FILE"), 0, N_("Write the report as JSON to this file, too")},
    {0},
};

static const struct view_field explain_fields[] = {
    {"code", N_("finding"), AS_WHOLE},
    {"class", N_("class"), AS_STATE},
    {"text", N_("what it says"), AS_WHOLE},
    {"limit", N_("what it does not prove"), AS_WHOLE},
    {"settle", N_("what would settle it"), AS_WHOLE},
    {0},
};
static const struct view explain_view = {
    .sections = (const struct view_section[]){{NULL, NULL, explain_fields, NULL}, {0}}};

static int audit_run_command(struct cli *c)
{
    struct verify_plan plan = {.paths = (const char *const *)c->args,
                               .path_count = c->arg_count,
                               .proofs = flag_text(c, "proofs")};
    const char *out = flag_text(c, "out");
    int err = out ? files_check_new(c, out) : COMITY_OK;
    if (!err)
        err = authority_read_network(c, flag_text(c, "network"), &plan.anchor);
    if (!err)
        err = verify_run(c, &plan);
    if (err || !out)
        return err;
    char *text = json_dumps(c->result, JSON_INDENT(1));
    err = text ? files_create(c, out, bytes_of(text)) : cli_fail_at(c, COMITY_E_NOMEM, NULL);
    free(text);
    return err;
}

static int audit_explain(struct cli *c)
{
    const char *token = c->args[0];
    enum audit_code code = audit_code_from_token(token);
    if (code == AUDIT_CODE_COUNT)
        return cli_fail(c, COMITY_E_NOT_FOUND, _("no finding is called \"%s\""), token);
    const struct audit_code_info *info = audit_code_info(code);
    json_t *o = cli_json(json_pack("{s:s, s:s, s:s}", "code", info->token, "class",
                                   audit_class_word(info->class), "text", _(info->text)));
    if (info->limit[0])
        json_object_set_new(o, "limit", json_string(_(info->limit)));
    if (info->settle[0])
        json_object_set_new(o, "settle", json_string(_(info->settle)));
    return cli_result(c, o);
}

const struct command audit_commands[] = {
    {.noun = "audit",
     .verb = "run",
     .args = "LEDGER…",
     .args_min = 1,
     .args_max = 20000,
     .doc = N_("Verify ledgers and hold them against one another"),
     .more = N_(
         "LEDGER is a member's folder or an exported file. The authority's keys are given, never "
         "taken from what "
         "is audited. What cannot be settled by what was given is unresolved, and never called "
         "proven.\n\nExit "
         "code 0: consistent; 10: a contradiction is proven; 11: unresolved, or content withheld."),
     .flags = run_flags,
     .view = &verify_view,
     .render = verify_render,
     .run = audit_run_command},
    {.noun = "audit",
     .verb = "explain",
     .args = "FINDING",
     .args_min = 1,
     .args_max = 1,
     .doc = N_("What a finding means: what it proves, what not, what would settle it"),
     .view = &explain_view,
     .run = audit_explain},
    {0},
};
