/*
 * Audits as commands. See verify.h; what is checked, and what it means, is lib/audit's.
 */
#include "verify.h"

#include "audit/audit.h"
#include "authority.h"
#include "offline.h"
#include "term.h"

#include <string.h>
#include <sys/stat.h>

const struct flag ledger_verify_flags[] = {
    {"ledger", N_("PATH"), 0,
     N_("The node's or broker's folder, or an exported file (default: the own node's folder)")},
    {"network", N_("FILE"), 0, N_("The authority's network file, from outside")},
    {0},
};

static const struct view_field verdict_fields[] = {
    {"verdict", N_("verdict"), AS_STATE}, {"sentence", N_("in words"), AS_WHOLE}, {0}};
static const struct view_field ledger_fields[] = {
    {"ledger", N_("ledger"), AS_WHOLE},
    {"size", N_("entries"), AS_NUMBER},
    {"sound", N_("intact in itself"), AS_VALID},
    {"checkpoint", N_("signed up to"), AS_NUMBER},
    {"known_outside", N_("known to others up to"), AS_NUMBER},
    {"first_time", N_("begins"), AS_TIME},
    {"last_time", N_("ends"), AS_TIME},
    {"path", N_("copy"), AS_TEXT},
    {0},
};
static const struct view_field finding_fields[] = {
    {"id", NULL, AS_WHOLE},   {"class", NULL, AS_WHOLE}, {"code", NULL, AS_WHOLE},
    {"text", NULL, AS_WHOLE}, {"proof", NULL, AS_WHOLE}, {0}};
static const struct view_field check_fields[] = {{"check", NULL, AS_WHOLE},
                                                 {"ledger", NULL, AS_WHOLE},
                                                 {"count", NULL, AS_NUMBER},
                                                 {"failed", NULL, AS_NUMBER},
                                                 {0}};
static const struct view_field pair_fields[] = {
    {"sender", N_("sender"), AS_WHOLE},
    {"recipient", N_("recipient"), AS_WHOLE},
    {"sent", N_("sent"), AS_NUMBER},
    {"accepted", N_("accepted"), AS_NUMBER},
    {"received", N_("received"), AS_NUMBER},
    {"receipted", N_("receipted"), AS_NUMBER},
    {"refused", N_("refused"), AS_NUMBER},
    {"open", N_("unsettled"), AS_NUMBER},
    {0},
};
const struct view verify_view = {
    .sections = (const struct view_section[]){{NULL, NULL, verdict_fields, NULL},
                                              {"ledgers", N_("Ledgers"), ledger_fields, NULL},
                                              {"findings", N_("Findings"), finding_fields, NULL},
                                              {"checks", N_("Checks"), check_fields, NULL},
                                              {"pairs", N_("Sent and received"), pair_fields, NULL},
                                              {0}}};
static const struct view ledgers_view = {.sections = (const struct view_section[]){
                                             {"ledgers", N_("Ledgers"), ledger_fields, NULL}, {0}}};
static const struct view pairs_view = {
    .sections = (const struct view_section[]){
        {"pairs", N_("Sent and received, in entries"), pair_fields, NULL}, {0}}};

/* ---- running ---- */

enum { LEFT_OUT_MAX = 64 };

static int on_progress(void *self, uint64_t done, uint64_t total)
{
    return progress_step(self, done, total);
}

/* Copies that turned out to be unreadable, so far. */
struct left_out {
    size_t which[LEFT_OUT_MAX];
    int why[LEFT_OUT_MAX];
    size_t count;
};

static bool is_unreadable(int err)
{
    return err == COMITY_E_LEDGER_DAMAGED || err == COMITY_E_INTERNAL || err == COMITY_E_IO;
}

static int leave_out(struct cli *c, struct left_out *l, const struct verify_plan *plan,
                     size_t which, int why)
{
    if (plan->path_count == 1 || l->count == LEFT_OUT_MAX)
        return cli_hint(c,
                        cli_fail(c, COMITY_E_NOT_A_LEDGER,
                                 _("%s is damaged or cut off and cannot be read"),
                                 plan->paths[which]),
                        _("ask for another copy"));
    l->which[l->count] = which;
    l->why[l->count++] = why;
    return COMITY_OK;
}

static int add_copies(struct cli *c, struct audit *a, const struct verify_plan *plan,
                      struct left_out *l)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < plan->path_count; i++) {
        size_t k = 0;
        while (k < l->count && l->which[k] != i)
            k++;
        if (k == l->count) {
            int got = audit_add(a, plan->paths[i]);
            if (is_unreadable(got))
                err = leave_out(c, l, plan, i, got);
            else if (got)
                err = cli_fail_at(c, got, plan->paths[i]);
            if (err || !got)
                continue;
        }
        if ((err = audit_add_unreadable(a, plan->paths[i], l->why[k])) != 0)
            cli_fail_at(c, err, plan->paths[i]);
    }
    if (!err && l->count == plan->path_count)
        err = cli_fail(c, COMITY_E_NOT_A_LEDGER, _("none of the copies can be read"));
    return err;
}

static int add_all(struct cli *c, struct audit *a, const struct verify_plan *plan,
                   struct left_out *l)
{
    int err = add_copies(c, a, plan, l);
    for (size_t i = 0; !err && flag_exists(c, "roster") && i < flag_count(c, "roster"); i++) {
        struct bytes file;
        err = files_read(c, flag_at(c, "roster", i), ROSTER_FILE_MAX, &file);
        if (!err && (err = audit_add_roster(a, file)) != 0)
            cli_fail_at(c, err, flag_at(c, "roster", i));
    }
    return err;
}

/* A proof that is not written is not named. */
static void name_proofs(struct cli *c, json_t *report, const char *folder)
{
    bool is_unwritten = false;
    json_t *f;
    size_t i;
    json_array_foreach(json_object_get(report, "findings"), i, f)
    {
        const char *name = json_string_value(json_object_get(f, "proof"));
        if (name && folder)
            json_object_set_new(f, "proof", json_sprintf("%s/%s", folder, name));
        else if (name)
            is_unwritten = json_object_del(f, "proof") == 0;
    }
    if (is_unwritten)
        cli_next(c, _("Transferable proofs are written with: comity audit run … --proofs FOLDER"));
}

static int take_report(struct cli *c, struct audit *a, const struct verify_plan *plan)
{
    json_t *report = NULL;
    int err = plan->proofs ? audit_write_proofs(a, plan->proofs) : COMITY_OK;
    if (err)
        return cli_fail_at(c, err, plan->proofs);
    err = audit_to_json(a, &report);
    if (err)
        return cli_fail_at(c, err, NULL);
    name_proofs(c, report, plan->proofs);
    json_object_set_new(report, "own_anchor", json_boolean(plan->is_own_anchor));
    c->exit = audit_verdict_exit(audit_verdict(a));
    return cli_result(c, report);
}

/* One try. ${ret_again}: a copy could not be read to its end, is now among those left out, and all
 * begins anew. */
static int run_once(struct cli *c, const struct verify_plan *plan, struct left_out *l,
                    bool *ret_again)
{
    struct audit *a = NULL;
    struct progress bar;
    int why = 0;
    int err = audit_new(&plan->anchor, &a);
    if (err)
        return cli_fail_at(c, err, NULL);
    err = add_all(c, a, plan, l);
    if (!err) {
        progress_begin(&bar, _("verifying"));
        audit_set_progress(a, on_progress, &bar);
        err = audit_run(a);
        progress_end(&bar);
        const char *path = is_unreadable(err) ? audit_find_unreadable(a, &why) : NULL;
        size_t which = 0;
        while (path && which < plan->path_count && strcmp(plan->paths[which], path) != 0)
            which++;
        if (path && which < plan->path_count) {
            err = leave_out(c, l, plan, which, why);
            *ret_again = !err;
        } else if (err) {
            cli_fail_at(c, err, NULL);
        }
    }
    if (!err && !*ret_again)
        err = take_report(c, a, plan);
    audit_free(a);
    return err;
}

int verify_run(struct cli *c, const struct verify_plan *plan)
{
    struct left_out l = {.count = 0};
    bool again = true;
    int err = COMITY_OK;
    while (!err && again) {
        again = false;
        err = run_once(c, plan, &l, &again);
    }
    return err;
}

/* The keys in the folder itself, when none came from outside. */
static int find_anchor(struct cli *c, const char *path, struct verify_plan *plan)
{
    struct stat st;
    const char *network = flag_text(c, "network");
    const char *own = cli_text(c, "%s/network", path);
    plan->is_own_anchor = !network;
    if (!network && stat(own, &st) != 0)
        return cli_fail(c, COMITY_E_USAGE,
                        _("say with --network whose keys count: NET.network of the authority"));
    return authority_read_network(c, network ? network : own, &plan->anchor);
}

int ledger_verify(struct cli *c)
{
    struct verify_plan plan = {.path_count = 1};
    const char *path = NULL;
    int err = offline_path(c, &path);
    if (!err)
        err = find_anchor(c, path, &plan);
    plan.paths = &path;
    return err ? err : verify_run(c, &plan);
}

/* ---- for people ---- */

struct class_look {
    const char *word;
    const char *mark;
    enum out_colour colour;
};

static const struct class_look *look_of(const char *word)
{
    static const struct class_look looks[] = {
        {"contradiction", "✗", OUT_RED}, {"unresolved", "!", OUT_YELLOW},
        {"withheld", "!", OUT_YELLOW},   {"consistent", "✓", OUT_GREEN},
        {"note", "-", OUT_PLAIN},        {NULL, "-", OUT_PLAIN}};
    const struct class_look *l = looks;
    while (l->word && (!word || strcmp(l->word, word) != 0))
        l++;
    return l;
}

static size_t count_class(const json_t *findings, const char *class)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const char *has = json_string_value(json_object_get(json_array_get(findings, i), "class"));
        n += has && strcmp(has, class) == 0;
    }
    return n;
}

/* Those of one ledger stand behind one another, however many copies were given. */
static size_t count_ledgers(const json_t *ledgers)
{
    size_t n = 0;
    const char *last = "";
    for (size_t i = 0; i < json_array_size(ledgers); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(ledgers, i), "ledger"));
        n += name && strcmp(name, last) != 0;
        last = name ? name : last;
    }
    return n;
}

static void put_verdict(const json_t *report, const struct out_style *style, struct buf *out)
{
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    const json_t *findings = json_object_get(report, "findings");
    const struct class_look *look = look_of(verdict);
    size_t n = count_ledgers(json_object_get(report, "ledgers"));
    size_t proven = count_class(findings, "contradiction");
    size_t open = count_class(findings, "unresolved");
    struct buf words = BUF_INIT;
    if (look->colour == OUT_RED)
        buf_printf(&words,
                   ngettext("A contradiction is proven.", "%zu contradictions are proven.", proven),
                   proven);
    else if (verdict && strcmp(verdict, "unresolved") == 0)
        buf_printf(&words,
                   ngettext("No contradiction was found; one question is unresolved.",
                            "No contradiction was found; %zu questions are unresolved.", open),
                   open);
    else if (verdict && strcmp(verdict, "withheld") == 0)
        buf_put_str(
            &words,
            _("Everything that was shown is consistent; some content was erased or is withheld."));
    else
        buf_printf(&words,
                   ngettext("The ledger is consistent.", "The %zu ledgers are consistent.", n), n);
    out_put_coloured(out, style, look->colour, look->mark);
    buf_put_u8(out, ' ');
    out_put_coloured(out, style, OUT_BOLD, buf_str(&words));
    buf_put_u8(out, '\n');
    buf_free(&words);
}

static void put_title(struct buf *out, const struct out_style *style, const char *title)
{
    buf_put_u8(out, '\n');
    out_put_coloured(out, style, OUT_BOLD, title);
    buf_put_u8(out, '\n');
}

/* A sentence of the table of findings, translated, its blanks filled in, wrapped behind ${label}.
 */
static void put_sentence(struct buf *out, const struct out_style *style, const char *label,
                         const char *text, const json_t *finding)
{
    struct buf words = BUF_INIT;
    if (!text[0])
        return;
    buf_put_str(&words, label);
    audit_fill(&words, _(text), finding);
    buf_put_str(out, "     ");
    out_put_wrapped(out, buf_str(&words), style->width - 6, 5);
    buf_put_u8(out, '\n');
    buf_free(&words);
}

static void put_finding(struct buf *out, const struct out_style *style, const json_t *f)
{
    const struct class_look *look = look_of(json_string_value(json_object_get(f, "class")));
    const char *token = json_string_value(json_object_get(f, "code"));
    const char *id = json_string_value(json_object_get(f, "id"));
    const char *proof = json_string_value(json_object_get(f, "proof"));
    enum audit_code code = token ? audit_code_from_token(token) : AUDIT_CODE_COUNT;
    buf_put_str(out, "  ");
    out_put_coloured(out, style, look->colour, look->mark);
    buf_printf(out, " %s  ", id ? id : "");
    out_put_coloured(out, style, OUT_BOLD, token ? token : "?");
    buf_put_u8(out, '\n');
    if (code == AUDIT_CODE_COUNT)
        return;
    const struct audit_code_info *info = audit_code_info(code);
    put_sentence(out, style, "", info->text, f);
    if (info->limit[0])
        put_sentence(out, style, _("It does not prove: "), info->limit, f);
    if (info->settle[0])
        put_sentence(out, style, _("What would settle it: "), info->settle, f);
    if (proof)
        buf_printf(out, "     %s%s\n", _("Proof: "), proof);
}

/* A failed check that proves nothing is no cross: what is behind it stands among the findings. */
static void put_checks(struct buf *out, const struct out_style *style, const json_t *report)
{
    const json_t *checks = json_object_get(report, "checks");
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    bool is_proven = verdict && strcmp(verdict, "contradiction") == 0;
    const char *last = "";
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *check = json_array_get(checks, i);
        bool failed = json_integer_value(json_object_get(check, "failed")) > 0;
        const char *ledger = json_string_value(json_object_get(check, "ledger"));
        const char *text = json_string_value(json_object_get(check, "text"));
        struct buf words = BUF_INIT;
        if (!ledger)
            ledger = _("the ledgers against one another");
        if (strcmp(ledger, last) != 0)
            buf_printf(out, "  %s\n", ledger);
        last = ledger;
        buf_printf(&words, "%s (%lld)", text ? _(text) : "",
                   (long long)json_integer_value(json_object_get(check, "count")));
        buf_put_str(out, "  ");
        out_put_coloured(out, style,
                         !failed     ? OUT_GREEN
                         : is_proven ? OUT_RED
                                     : OUT_YELLOW,
                         !failed     ? "✓"
                         : is_proven ? "✗"
                                     : "!");
        buf_put_u8(out, ' ');
        out_put_wrapped(out, buf_str(&words), style->width - 6, 4);
        buf_put_u8(out, '\n');
        buf_free(&words);
    }
}

static void put_texts(struct buf *out, const struct out_style *style, const char *title,
                      const json_t *texts)
{
    if (json_array_size(texts) == 0)
        return;
    put_title(out, style, title);
    for (size_t i = 0; i < json_array_size(texts); i++) {
        const char *text = json_string_value(json_array_get(texts, i));
        buf_put_str(out, "  - ");
        out_put_wrapped(out, text && text[0] ? _(text) : "", style->width - 6, 4);
        buf_put_u8(out, '\n');
    }
}

void verify_render(const struct cli *c, const struct out_style *style, struct buf *out)
{
    const json_t *report = c->result;
    const json_t *findings = json_object_get(report, "findings");
    put_verdict(report, style, out);
    if (json_array_size(findings))
        put_title(out, style, _("Findings"));
    for (size_t i = 0; i < json_array_size(findings); i++)
        put_finding(out, style, json_array_get(findings, i));
    out_render(&ledgers_view, report, style, out);
    out_render(&pairs_view, report, style, out);
    put_title(out, style, _("Checks that were made"));
    put_checks(out, style, report);
    put_texts(out, style, _("Of these ledgers no copy was given"),
              json_object_get(report, "absent"));
    put_texts(out, style, _("What no audit can show"), json_object_get(report, "limits"));
    if (json_is_true(json_object_get(report, "own_anchor"))) {
        buf_put_u8(out, '\n');
        out_put_wrapped(
            out,
            _("! The authority's keys were taken from the folder itself. Give the network file "
              "that the "
              "authority published with --network to rule out that they were exchanged."),
            style->width - 2, 2);
        buf_put_u8(out, '\n');
    }
}
