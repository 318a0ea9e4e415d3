/*
 * comity: find the command, run it, show its result or its failure.
 */
#include "args.h"
#include "ask.h"
#include "crypto/hash.h"
#include "secret.h"

#include <comity/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { ARENA_MAX = 1024 * 1024 * 1024, WORDS_MAX = 64 };

/* The value of a flag that must be known before the command line is parsed; "" for a switch; NULL
 * when it is not there. */
static const char *peek(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);
    const char *found = NULL;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], name, len) != 0)
            continue;
        if (argv[i][len] == '=')
            found = argv[i] + len + 1;
        else if (argv[i][len] == 0)
            found = i + 1 < argc ? argv[i + 1] : "";
    }
    return found;
}

/* Whether ${word} is a flag that may stand before the noun; ${ret_value}: its value is the next
 * word. */
static bool is_leading_flag(const char *word, bool *ret_value)
{
    *ret_value = strcmp(word, "--lang") == 0 || strcmp(word, "--node") == 0;
    return word[0] == '-' && word[1];
}

/* A command line, taken apart: what leads, noun, verb, and the rest. */
struct words {
    const char *noun;
    const char *verb;
    int noun_at;
    int verb_at;
};

static struct words split(int argc, char **argv)
{
    struct words w = {0};
    for (int i = 1; i < argc && !w.verb; i++) {
        bool has_value = false;
        if (is_leading_flag(argv[i], &has_value)) {
            i += has_value;
        } else if (!w.noun) {
            w.noun = argv[i];
            w.noun_at = i;
        } else {
            w.verb = argv[i];
            w.verb_at = i;
        }
    }
    return w;
}

static int fail_noun(struct cli *c, const char *noun)
{
    const char *names[WORDS_MAX];
    size_t n = 0;
    const struct command *m = NULL;
    for (size_t i = 0; n < WORDS_MAX && (m = cli_command(i)); i++)
        names[n++] = m->noun;
    int err = cli_fail(c, COMITY_E_USAGE, _("comity does not know \"%s\""), noun);
    const char *near = args_nearest(noun, names, n);
    return near ? cli_hint(c, err, _("did you mean %s?"), near) : cli_hint(c, err, "comity help");
}

static int fail_verb(struct cli *c, const char *noun, const char *verb)
{
    const char *names[WORDS_MAX];
    size_t n = 0;
    const struct command *m = NULL;
    struct buf list = BUF_INIT;
    for (size_t i = 0; n < WORDS_MAX && (m = cli_command(i)); i++)
        if (strcmp(m->noun, noun) == 0 && m->verb) {
            buf_printf(&list, "%s%s", n ? ", " : "", m->verb);
            names[n++] = m->verb;
        }
    int err =
        verb ? cli_fail(c, COMITY_E_USAGE, _("comity %s does not know \"%s\", but %s"), noun, verb,
                        buf_str(&list))
             : cli_fail(c, COMITY_E_USAGE, _("comity %s needs a verb: %s"), noun, buf_str(&list));
    buf_free(&list);
    const char *near = verb ? args_nearest(verb, names, n) : NULL;
    return near ? cli_hint(c, err, _("did you mean %s?"), near)
                : cli_hint(c, err, "comity %s --help", noun);
}

/* The command that ${w} names. A noun with a single command needs no verb. */
static int find_command(struct cli *c, const struct words *w, const struct command **ret)
{
    bool is_noun = false;
    const struct command *m = NULL;
    for (size_t i = 0; (m = cli_command(i)); i++) {
        if (strcmp(m->noun, w->noun) != 0)
            continue;
        is_noun = true;
        if (!m->verb || (w->verb && strcmp(m->verb, w->verb) == 0)) {
            *ret = m;
            return COMITY_OK;
        }
    }
    return is_noun ? fail_verb(c, w->noun, w->verb) : fail_noun(c, w->noun);
}

/* ---- output ---- */

static int print(struct cli *c, struct buf *out)
{
    bool bad = buf_check(out) != 0;
    if (!bad && out->len)
        bad = fwrite(out->data, 1, out->len, stdout) != out->len;
    bad = fflush(stdout) != 0 || bad;
    buf_free(out);
    return bad ? cli_fail(c, COMITY_E_IO, _("standard output cannot be written")) : COMITY_OK;
}

static const struct view *view_of(const struct cli *c)
{
    bool is_dry = flag_exists(c, "dry-run") && flag_given(c, "dry-run");
    return is_dry && c->command->dry_view ? c->command->dry_view : c->command->view;
}

static int print_result(struct cli *c)
{
    struct buf out = BUF_INIT;
    struct out_style style = out_style_of(1);
    if (c->is_json) {
        char *text = json_dumps(c->result, style.is_terminal ? JSON_INDENT(2) : JSON_COMPACT);
        if (!text)
            return cli_fail_at(c, COMITY_E_NOMEM, NULL);
        buf_printf(&out, "%s\n", text);
        free(text);
        return print(c, &out);
    }
    if (c->command->render && style.is_terminal)
        c->command->render(c, &style, &out);
    else if (view_of(c))
        out_render(view_of(c), c->result, &style, &out);
    int err = print(c, &out);
    if (style.is_terminal && c->next.len) {
        struct out_style where = out_style_of(2);
        buf_put_str(&out, "\n");
        out_put_coloured(&out, &where, OUT_DIM, buf_str(&c->next));
        fputs(buf_str(&out), stderr);
        buf_free(&out);
    }
    return err;
}

/* ---- running ---- */

static int help(struct cli *c, const struct words *w)
{
    struct buf out = BUF_INIT;
    const struct command *m = NULL;
    bool is_single = false;
    if (w->noun)
        for (size_t i = 0; (m = cli_command(i)); i++)
            if (strcmp(m->noun, w->noun) == 0 &&
                (!m->verb || (w->verb && strcmp(m->verb, w->verb) == 0))) {
                is_single = true;
                break;
            }
    if (is_single) {
        help_command(c, m, &out);
    } else if (w->noun && !w->verb) {
        for (size_t i = 0; (m = cli_command(i)) && strcmp(m->noun, w->noun) != 0; i++)
            ;
        if (!m)
            return fail_noun(c, w->noun);
        help_noun(c, w->noun, &out);
    } else if (w->noun) {
        return find_command(c, w, &m);
    } else {
        help_overview(c, &out);
    }
    return print(c, &out);
}

/* Take noun and verb out of the words, so that the rest is flags and arguments. */
static int run(struct cli *c, const struct words *w, int argc, char **argv)
{
    bool wants_help = false;
    char **rest = cli_alloc(c, ((size_t)argc + 1) * sizeof *rest);
    int n = 0;
    for (int i = 0; i < argc; i++)
        if (i == 0 || !((w->noun && i == w->noun_at) || (c->command->verb && i == w->verb_at)))
            rest[n++] = argv[i];
    int err = args_parse(c, n, rest, &wants_help);
    if (wants_help)
        return help(c, w->noun ? w : &(struct words){0});
    if (!err)
        c->is_json = flag_given(c, "json");
    if (!err)
        err = c->command->run(c);
    int shown = c->result && (!err || c->is_recorded) ? print_result(c) : COMITY_OK;
    return err ? err : shown;
}

/* `help`, `--help` and `--version` are no commands of the table. */
static int dispatch(struct cli *c, int argc, char **argv)
{
    struct words w = split(argc, argv);
    struct buf out = BUF_INIT;
    if (w.noun && strcmp(w.noun, "help") == 0) {
        struct words rest = split(argc - w.noun_at, argv + w.noun_at);
        return help(c, &rest);
    }
    if (!w.noun && (peek(argc, argv, "--version") || peek(argc, argv, "-V"))) {
        buf_put_str(&out, "comity " COMITY_VERSION "\n");
        return print(c, &out);
    }
    if (!w.noun && (peek(argc, argv, "--help") || peek(argc, argv, "-h")))
        return help(c, &w);
    struct words named = w;
    if (!named.noun)
        named.noun = "status";
    if (named.noun && !named.verb && (peek(argc, argv, "--help") || peek(argc, argv, "-h")))
        return help(c, &named);
    int err = find_command(c, &named, &c->command);
    return err ? err : run(c, &w, argc, argv);
}

int main(int argc, char **argv)
{
    struct cli c = {.arena = arena_new(ARENA_MAX), .is_json = peek(argc, argv, "--json") != NULL};
    prctl(PR_SET_DUMPABLE, 0);
    lang_init(peek(argc, argv, "--lang"), c.is_json);
    int err = c.arena ? crypto_init() : COMITY_E_NOMEM;
    if (!err)
        err = dispatch(&c, argc, argv);
    if (err) {
        if (c.failure.err != err)
            c.failure = (struct failure){.err = err};
        cli_show_failure(&c);
    }
    secret_forget(&c);
    comity_client_close(c.client);
    json_decref(c.result);
    json_decref(c.status);
    json_decref(c.fetched);
    buf_free(&c.next);
    arena_free(c.arena);
    return err ? comity_err_exit(err) : c.exit;
}
