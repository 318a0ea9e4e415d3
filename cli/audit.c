/*
 * audit: ledgers of several members held against one another.
 */
#include "audit/audit.h"

#include "authority.h"
#include "commands.h"
#include "files.h"
#include "verify.h"

#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 256 * 1024 * 1024 };

static const struct flag run_flags[] = {
    {"network", N_("FILE"), FLAG_NEEDED, N_("The authority's network file, from outside")},
    {"roster", N_("FILE"), FLAG_MANY, N_("A roster from outside, beside those in the ledgers")},
    {"proofs", N_("FOLDER"), 0, N_("Write the transferable proof of each finding there")},
    {"out", N_("FILE"), 0, N_("Write the report as JSON to this file, too")},
    {0},
};

static const struct flag explain_flags[] = {
    {"report", N_("FILE"), 0,
     N_("The report in which FINDING is a number: what audit run --out wrote")},
    {0},
};

static const struct view_field explain_fields[] = {
    {"id", N_("number"), AS_TEXT},
    {"code", N_("finding"), AS_WHOLE},
    {"class", N_("class"), AS_STATE},
    {"text", N_("what it says"), AS_WHOLE},
    {"limit", N_("what it does not prove"), AS_WHOLE},
    {"settle", N_("what would settle it"), AS_WHOLE},
    {"proof", N_("proof"), AS_WHOLE},
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
    if (!err && json_array_size(json_object_get(c->result, "findings")))
        cli_next(c, "comity audit explain F1 --report %s", out);
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

/* Digits of the number that a report gave: "F1", also in the name of a proof. 0: none. */
static size_t number_digits(const char *word)
{
    size_t n = word[0] == 'F' ? strspn(word + 1, "0123456789") : 0;
    return n && (word[1 + n] == 0 || word[1 + n] == '-') ? n : 0;
}

/* "tail_missing", or as the file of its proof is called: "F1-tail_missing.json". */
static int find_code(struct cli *c, const char *word, enum audit_code *ret)
{
    const char *token = word;
    size_t digits = number_digits(word);
    if (digits && token[1 + digits] == '-')
        token += digits + 2;
    *ret = audit_code_from_token(cli_text(c, "%.*s", (int)strcspn(token, "."), token));
    if (*ret != AUDIT_CODE_COUNT)
        return COMITY_OK;
    if (digits && token[1 + digits] == 0)
        return cli_hint(c,
                        cli_fail(c, COMITY_E_NOT_FOUND,
                                 _("%s is a number of one report; say which with --report"), word),
                        _("comity audit explain %s --report FILE, or the name that stands behind "
                          "the number: comity audit explain %s"),
                        word, "tail_missing");
    struct buf known = BUF_INIT;
    put_known(&known);
    int err = cli_hint(c, cli_fail(c, COMITY_E_NOT_FOUND, _("no finding is called \"%s\""), word),
                       _("there are: %s"), buf_str(&known));
    buf_free(&known);
    return err;
}

static json_t *explanation(const struct audit_code_info *info, const json_t *words)
{
    json_t *o =
        cli_json(json_pack("{s:s, s:s, s:o}", "code", info->token, "class",
                           audit_class_word(info->class), "text", sentence_of(info->text, words)));
    if (info->limit[0])
        json_object_set_new(o, "limit", sentence_of(info->limit, words));
    if (info->settle[0])
        json_object_set_new(o, "settle", sentence_of(info->settle, words));
    return o;
}

/* ---- a finding of a report ---- */

static int read_report(struct cli *c, const char *path, json_t **ret)
{
    struct bytes file;
    int err = files_read(c, path, REPORT_MAX, &file);
    if (err)
        return err;
    json_t *report = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(json_object_get(report, "findings"))) {
        json_decref(report);
        return cli_hint(c, cli_fail(c, COMITY_E_MALFORMED, _("%s is no report of an audit"), path),
                        "comity audit run … --out FILE");
    }
    *ret = report;
    return COMITY_OK;
}

static const json_t *finding_of(const json_t *report, const char *id)
{
    size_t i = 0;
    const json_t *f = NULL;
    json_array_foreach(json_object_get(report, "findings"), i, f)
    {
        const char *has = json_string_value(json_object_get(f, "id"));
        if (has && strcmp(has, id) == 0)
            return f;
    }
    return NULL;
}

/* Our sentences about it, filled with what was found; those of the report where it knows findings
 * that we do not. How grave this one is, and where its proof lies, the report alone knows. */
static json_t *explain_finding(const json_t *finding)
{
    static const char *const own[] = {"id", "code", "class", "proof"};
    static const char *const sentences[] = {"text", "limit", "settle"};
    const char *token = json_string_value(json_object_get(finding, "code"));
    enum audit_code code = token ? audit_code_from_token(token) : AUDIT_CODE_COUNT;
    bool is_known = code != AUDIT_CODE_COUNT;
    json_t *o = is_known ? explanation(audit_code_info(code), finding) : cli_json(json_object());
    for (size_t i = 0; !is_known && i < sizeof sentences / sizeof sentences[0]; i++)
        json_object_set(o, sentences[i], json_object_get(finding, sentences[i]));
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        json_object_set(o, own[i], json_object_get(finding, own[i]));
    return o;
}

static int explain_in_report(struct cli *c, const char *path, const char *word)
{
    json_t *report = NULL;
    const char *id = cli_text(c, "%.*s", (int)(1 + number_digits(word)), word);
    if (number_digits(word) == 0)
        return cli_fail(c, COMITY_E_USAGE,
                        _("--report goes with the number of a finding, such as F1, not \"%s\""),
                        word);
    int err = read_report(c, path, &report);
    if (err)
        return err;
    const json_t *finding = finding_of(report, id);
    size_t count = json_array_size(json_object_get(report, "findings"));
    if (finding)
        err = cli_result(c, explain_finding(finding));
    else if (count)
        err = cli_fail(c, COMITY_E_NOT_FOUND, _("%s has the findings F1 to F%zu, and no %s"), path,
                       count, id);
    else
        err = cli_fail(c, COMITY_E_NOT_FOUND, _("%s has no findings"), path);
    json_decref(report);
    return err;
}

static int audit_explain(struct cli *c)
{
    enum audit_code code = AUDIT_CODE_COUNT;
    const char *report = flag_text(c, "report");
    if (report)
        return explain_in_report(c, report, c->args[0]);
    int err = find_code(c, c->args[0], &code);
    if (err)
        return err;
    json_t *words = blanks();
    json_t *o = explanation(audit_code_info(code), words);
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
     .more =
         N_("FINDING is its name, such as tail_missing, or the file of its proof; with --report "
            "its number in that report, such as F1, and what was found is told, too."),
     .flags = explain_flags,
     .view = &explain_view,
     .run = audit_explain},
    {0},
};
