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

/* What stands for the blanks of a sentence when no finding fills them. */
static json_t *blanks(void)
{
    return cli_json(json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ledger",
        _("the ledger"), "other", _("another ledger"), "member", _("a member"), "licence",
        _("of the licence"), "path", _("the file"), "why", _("reason"), "index", "N", "size", "N",
        "count", "N", "number", "N", "last", "N", "entry", "N", "level", "N", "tile", "N"));
}

static json_t *sentence_of(const char *text, const json_t *words)
{
    struct buf out = BUF_INIT;
    audit_fill(&out, _(text), words);
    json_t *json = cli_json(json_string(buf_str(&out)));
    buf_free(&out);
    return json;
}

static void put_known(struct buf *out)
{
    for (int i = 0; i < AUDIT_CODE_COUNT; i++)
        buf_printf(out, "%s%s", i ? ", " : "", audit_code_info((enum audit_code)i)->token);
}

/* "tail_missing", or as the file of its proof is called: "F1-tail_missing.json". A mere "F1" is
 * known to its report alone. */
static int find_code(struct cli *c, const char *word, enum audit_code *ret)
{
    const char *token = word;
    size_t digits = token[0] == 'F' ? strspn(token + 1, "0123456789") : 0;
    if (digits && token[1 + digits] == '-')
        token += digits + 2;
    *ret = audit_code_from_token(cli_text(c, "%.*s", (int)strcspn(token, "."), token));
    if (*ret != AUDIT_CODE_COUNT)
        return COMITY_OK;
    if (digits && token[1 + digits] == 0)
        return cli_hint(c,
                        cli_fail(c, COMITY_E_NOT_FOUND,
                                 _("%s is a number of one report; what is explained is the name "
                                   "behind it"),
                                 word),
                        _("for example: comity audit explain %s"), "tail_missing");
    struct buf known = BUF_INIT;
    put_known(&known);
    int err = cli_hint(c, cli_fail(c, COMITY_E_NOT_FOUND, _("no finding is called \"%s\""), word),
                       _("there are: %s"), buf_str(&known));
    buf_free(&known);
    return err;
}

static int audit_explain(struct cli *c)
{
    enum audit_code code = AUDIT_CODE_COUNT;
    int err = find_code(c, c->args[0], &code);
    if (err)
        return err;
    const struct audit_code_info *info = audit_code_info(code);
    json_t *words = blanks();
    json_t *o =
        cli_json(json_pack("{s:s, s:s, s:o}", "code", info->token, "class",
                           audit_class_word(info->class), "text", sentence_of(info->text, words)));
    if (info->limit[0])
        json_object_set_new(o, "limit", sentence_of(info->limit, words));
    if (info->settle[0])
        json_object_set_new(o, "settle", sentence_of(info->settle, words));
    json_decref(words);
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
