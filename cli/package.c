/*
 * package: what a court's expert gets, and checks with tools that are not ours.
 */
#include "package/package.h"

#include "authority.h"
#include "base/clock.h"
#include "commands.h"
#include "offline.h"
#include "secret.h"

#include <string.h>
#include <sys/stat.h>

static const struct flag make_flags[] = {
    {"out", N_("NAME"), FLAG_NEEDED, N_("The folder to make, or NAME.zip")},
    {"officer", N_("KEYFILE"), FLAG_NEEDED, N_("Key of the officer who seals the package")},
    {"network", N_("FILE"), 0, N_("The authority's network file (default: the one in the folder)")},
    {"ledger", N_("PATH"), 0,
     N_("The node's folder, or an exported file (default: the own node's folder)")},
    {"files", N_("FOLDER"), 0,
     N_("Where the files lie by SHA-256 (default: files/ in the folder)")},
    {0},
};
static const struct flag verify_flags[] = {
    {"network", N_("FILE"), FLAG_NEEDED, N_("The authority's network file, from outside")},
    {0},
};

static const struct view_field make_fields[] = {{"package", N_("package"), AS_WHOLE},
                                                {"ref", N_("record"), AS_WHOLE},
                                                {"verdict", N_("verified at once"), AS_STAGE},
                                                {0}};
static const struct view make_view = {
    .done = N_("The package is made."),
    .sections = (const struct view_section[]){{NULL, NULL, make_fields, NULL}, {0}}};

static const struct view_field fact_fields[] = {
    {"verdict", NULL, AS_WHOLE},
    {"sentence", NULL, AS_WHOLE},
    {"record.ref", N_("record"), AS_WHOLE},
    {"record.kind", N_("kind"), AS_RECORD},
    {"record.title", N_("title"), AS_WHOLE},
    {"record.time", N_("recorded"), AS_TIME},
    {"sealed_by.name", N_("sealed by"), AS_WHOLE},
    {"sealed_by.licence", N_("licence"), AS_WHOLE},
    {"sealed_by.time", N_("sealed"), AS_TIME},
    {0},
};
static const struct view_field check_fields[] = {{"ok", NULL, AS_VALID},
                                                 {"check", NULL, AS_WHOLE},
                                                 {"what", NULL, AS_WHOLE},
                                                 {"files[]", NULL, AS_WHOLE},
                                                 {0}};
static const struct view_field signature_fields[] = {{"name", N_("person"), AS_TEXT},
                                                     {"licence", N_("licence"), AS_WHOLE},
                                                     {"role", N_("role"), AS_STATE},
                                                     {"time", N_("signed at"), AS_TIME},
                                                     {0}};
static const struct view_field receipt_fields[] = {
    {"member", N_("received by"), AS_WHOLE}, {"time", N_("time"), AS_TIME}, {0}};
static const struct view_field recognition_fields[] = {{"decision", N_("decision"), AS_DECISION},
                                                       {"member", N_("bureau"), AS_WHOLE},
                                                       {"reviewer", N_("reviewer"), AS_TEXT},
                                                       {"licence", N_("licence"), AS_WHOLE},
                                                       {"time", N_("time"), AS_TIME},
                                                       {"proven", N_("proven"), AS_VERIFIED},
                                                       {"limits", N_("limits"), AS_TEXT},
                                                       {0}};
static const struct view_field file_fields[] = {
    {"name", N_("file"), AS_TEXT}, {"sha256", N_("SHA-256"), AS_WHOLE}, {0}};
static const struct view report_view = {
    .sections =
        (const struct view_section[]){{NULL, NULL, fact_fields, NULL},
                                      {"signatures", N_("Signatures"), signature_fields, NULL},
                                      {"files", N_("Files"), file_fields, NULL},
                                      {"receipts", N_("Receipts"), receipt_fields, NULL},
                                      {"recognitions", N_("Decisions"), recognition_fields, NULL},
                                      {"checks", NULL, check_fields, NULL},
                                      {0}}};

static const struct view facts_view = {
    .sections =
        (const struct view_section[]){{NULL, NULL, fact_fields, NULL},
                                      {"signatures", N_("Signatures"), signature_fields, NULL},
                                      {"files", N_("Files"), file_fields, NULL},
                                      {"receipts", N_("Receipts"), receipt_fields, NULL},
                                      {"recognitions", N_("Decisions"), recognition_fields, NULL},
                                      {0}}};

/* ---- for people ---- */

/* What a check looks at, and what it means that it failed or is open; the tokens are those of
 * VERIFY.txt in the package. */
static const struct check_word {
    const char *token;
    const char *text;
    const char *failed;
} check_words[] = {
    {"sums", N_("every file has the SHA-256 in the list"),
     N_("not as in the list of SHA-256 values:")},
    {"complete", N_("no file is missing from the list"), N_("not in the list:")},
    {"roster", N_("the roster is the one that its note is about"),
     N_("the roster is not the one that its note is about")},
    {"authority", N_("enough of the authority's keys have signed the roster"),
     N_("too few of the authority's keys have signed the roster")},
    {"entry", N_("the entry stands in its owner's ledger, under a signed checkpoint"),
     N_("it is not proven that the entry stands in its owner's ledger")},
    {"content", N_("the content is what the entry commits to"),
     N_("the content is not what the entry commits to, or is missing")},
    {"signature", N_("the officer signed this very record, with an enrolled key"),
     N_("it is not proven that an officer signed this record with an enrolled key")},
    {"collectors", N_("two different officers signed as collectors"),
     N_("no two different officers signed as collectors")},
    {"sent", N_("the record stood in what was sent"),
     N_("it is not proven that the record stood in what was sent")},
    {"broker", N_("the broker accepted what was sent"),
     N_("it is not proven that the broker accepted what was sent")},
    {"receipt", N_("the recipient received it, opened it, and every content matched"),
     N_("it is not proven that the recipient received it")},
    {"recognition", N_("a reviewer decided about this evidence, and signed that"),
     N_("this decision is not proven to be about this evidence")},
    {"file", N_("the file is the one that the record names, by SHA-256 and SM3"),
     N_("the file is not the one that the record names, or is missing:")},
    {"seal", N_("an officer of the bureau sealed the package"),
     N_("no valid seal of an officer of the bureau covers the list of files")},
    {"closed", N_("whether the checkpoint was good, since the roster closed that ledger"),
     N_("what was closed is not shown to hold all that this checkpoint did")},
};

static const struct check_word *words_of(const char *token)
{
    for (size_t i = 0; token && i < sizeof check_words / sizeof check_words[0]; i++)
        if (strcmp(check_words[i].token, token) == 0)
            return &check_words[i];
    return NULL;
}

/* The names of files that a check failed for; not all of very many. */
static void put_names(struct buf *out, const json_t *files)
{
    enum { SHOWN_MAX = 8 };
    size_t n = json_array_size(files);
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        const char *name = json_string_value(json_array_get(files, i));
        buf_put_str(out, i ? ", " : " ");
        out_put_shown(out, bytes_of(name ? name : "?"), 0);
    }
    if (n > SHOWN_MAX) {
        size_t more = n - SHOWN_MAX;
        buf_put_u8(out, ' ');
        buf_printf(out, ngettext("and one more", "and %zu more", more), more);
    }
}

static void put_check(struct buf *out, const struct out_style *style, const json_t *check)
{
    const json_t *ok = json_object_get(check, "ok");
    const char *token = json_string_value(json_object_get(check, "check"));
    const char *what = json_string_value(json_object_get(check, "what"));
    const struct check_word *w = words_of(token);
    struct buf words = BUF_INIT;
    buf_put_str(out, "  ");
    out_put_coloured(out, style,
                     json_is_true(ok)    ? OUT_GREEN
                     : json_is_false(ok) ? OUT_RED
                                         : OUT_YELLOW,
                     json_is_true(ok)    ? "✓"
                     : json_is_false(ok) ? "✗"
                                         : "!");
    buf_put_u8(out, ' ');
    out_put_shown(&words, bytes_of(what ? what : ""), 0);
    /* "closed" is worded as the open question that it mostly is */
    bool is_failed =
        json_is_false(ok) || (!json_is_boolean(ok) && w && strcmp(w->token, "closed") != 0);
    buf_printf(&words, ": %s", w ? _(is_failed ? w->failed : w->text) : token ? token : "?");
    put_names(&words, json_object_get(check, "files"));
    out_put_wrapped(out, buf_str(&words), style->width - 6, 4);
    buf_put_u8(out, '\n');
    buf_free(&words);
}

/* A sentence of its own below the verdict. */
static void put_remark(struct buf *out, const struct out_style *style, const char *text)
{
    buf_put_str(out, "  ");
    out_put_wrapped(out, text, style->width - 2, 2);
    buf_put_u8(out, '\n');
}

static void put_other_keys(struct buf *out, const struct out_style *style, const char *network)
{
    struct buf words = BUF_INIT;
    buf_printf(
        &words,
        _("The roster in it is signed by other keys than those in %s. Compare the SHA-256 of "
          "that file with what the authority has made public."),
        network ? network : "--network");
    put_remark(out, style, buf_str(&words));
    buf_free(&words);
}

static void put_verdict(struct buf *out, const struct out_style *style, const json_t *checks)
{
    size_t failed = 0;
    size_t open = 0;
    struct buf words = BUF_INIT;
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *ok = json_object_get(json_array_get(checks, i), "ok");
        failed += json_is_false(ok);
        open += !json_is_boolean(ok);
    }
    if (failed)
        buf_printf(&words,
                   ngettext("The package is not authentic: one check failed.",
                            "The package is not authentic: %zu checks failed.", failed),
                   failed);
    else if (open)
        buf_printf(&words,
                   ngettext("Nothing is wrong, and one check is not settled by what is here.",
                            "Nothing is wrong, and %zu checks are not settled by what is here.",
                            open),
                   open);
    else
        buf_put_str(&words, _("The package is authentic: every check passed."));
    out_put_coloured(out, style,
                     failed ? OUT_RED
                     : open ? OUT_YELLOW
                            : OUT_GREEN,
                     failed ? "✗"
                     : open ? "!"
                            : "✓");
    buf_put_u8(out, ' ');
    out_put_coloured(out, style, OUT_BOLD, buf_str(&words));
    buf_put_u8(out, '\n');
    buf_free(&words);
}

static void render(const struct cli *c, const struct out_style *style, struct buf *out)
{
    const json_t *checks = json_object_get(c->result, "checks");
    put_verdict(out, style, checks);
    if (json_is_true(json_object_get(c->result, "wrapping_alone")))
        put_remark(
            out, style,
            _("Only files that explain the package, or the list of files and its seal, differ: "
              "the record, its entries, the signatures and the evidence files hold."));
    if (json_is_true(json_object_get(c->result, "other_keys")))
        put_other_keys(out, style, flag_text(c, "network"));
    out_render(&facts_view, c->result, style, out);
    buf_put_u8(out, '\n');
    out_put_coloured(out, style, OUT_BOLD, _("Checks that were made"));
    buf_put_u8(out, '\n');
    for (size_t i = 0; i < json_array_size(checks); i++)
        put_check(out, style, json_array_get(checks, i));
}

/* ---- the commands ---- */

/* Those of --network, else those of the folder that the package is made from. */
static int find_network(struct cli *c, const char *site, struct network *ret)
{
    struct stat st;
    const char *path = flag_text(c, "network");
    const char *own = cli_text(c, "%s/network", site);
    if (!path && stat(own, &st) != 0)
        return cli_fail(c, COMITY_E_USAGE,
                        _("say with --network whose keys count: NET.network of the authority"));
    return authority_read_network(c, path ? path : own, ret);
}

/* A package that does not verify here will not do so in court. */
static int check_made(struct cli *c, const char *out, const struct network *n)
{
    json_t *report = NULL;
    int err = package_verify(out, n, &report);
    if (err)
        return cli_fail_at(c, err, out);
    c->exit = (int)json_integer_value(json_object_get(report, "exit"));
    json_t *o =
        json_pack("{s:s, s:s, s:O, s:O}", "package", out, "ref", c->args[0], "verdict",
                  json_object_get(report, "verdict"), "exit", json_object_get(report, "exit"));
    json_decref(report);
    return cli_result(c, o);
}

static int package_make_command(struct cli *c)
{
    struct network network;
    struct note_signer *officer = NULL;
    struct buf detail = BUF_INIT;
    const char *site = NULL;
    const char *out = flag_text(c, "out");
    int err = files_check_new(c, out);
    if (!err)
        err = offline_path(c, &site);
    if (!err)
        err = find_network(c, site, &network);
    if (!err)
        err = secret_open(c, 0, flag_text(c, "officer"), KEY_OFFICER, &officer);
    if (err)
        return err;
    const struct package_plan plan = {.site = site,
                                      .files = flag_text(c, "files"),
                                      .ref = c->args[0],
                                      .out = out,
                                      .anchor = &network,
                                      .officer = officer,
                                      .now_ms = clock_wall_ms(&clock_system)};
    err = package_make(&plan, &detail);
    if (err)
        cli_fail_detail(c, err, &detail);
    else
        err = check_made(c, out, &network);
    cli_next(c, _("An expert needs no software of ours: sh verify.sh in the package. The "
                  "authority's key comes from elsewhere."));
    note_signer_free(officer);
    buf_free(&detail);
    return err;
}

static int package_verify_command(struct cli *c)
{
    struct network network;
    json_t *report = NULL;
    int err = authority_read_network(c, flag_text(c, "network"), &network);
    if (!err && (err = package_verify(c->args[0], &network, &report)) != 0)
        cli_fail_at(c, err, c->args[0]);
    if (err)
        return err;
    c->exit = (int)json_integer_value(json_object_get(report, "exit"));
    return cli_result(c, report);
}

const struct command package_commands[] = {
    {.noun = "package",
     .verb = "make",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE | USES_PASSPHRASE,
     .doc = N_("Make the evidence package of a record, for a court"),
     .more = N_("A folder or zip with the files, the record, its proofs, signatures and receipts, "
                "and a script that "
                "checks them with openssl, sha256sum and base64. An officer's key seals it. The "
                "node's files are read "
                "where they lie, so this runs where the node does, or on an exported ledger with "
                "--files."),
     .flags = make_flags,
     .view = &make_view,
     .run = package_make_command},
    {.noun = "package",
     .verb = "verify",
     .args = "PACKAGE",
     .args_min = 1,
     .args_max = 1,
     .doc = N_("Check an evidence package"),
     .more = N_("The authority's key comes from outside: website, gazette or letter, never from "
                "the package. Exit code "
                "0: authentic; 10: contradicted; 11: not everything could be settled."),
     .flags = verify_flags,
     .view = &report_view,
     .render = render,
     .run = package_verify_command},
    {0},
};
