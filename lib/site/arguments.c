/*
 * The command line of a daemon. See arguments.h.
 */
#include "site/arguments.h"

#include "base/lang.h"
#include "base/options.h"

#include <assert.h>
#include <comity/err.h>
#include <comity/version.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPTIONS_MAX = 16 };

static const struct argp_option common[] = {
    {"config", 'c', N_("FILE"), 0, N_("The configuration; its folder is the daemon's"), 0},
    {"passphrase-file", 'p', N_("FILE"), 0,
     N_("First line of FILE opens the keys; \"-\" is standard input, \"fd:N\" an open descriptor"),
     0},
    {"help", 'h', NULL, 0, N_("Show this help"), 0},
    {"version", 'V', NULL, 0, N_("Show the version"), 0},
};
/* The last two stand behind a program's own. */
enum { COMMON_COUNT = sizeof common / sizeof common[0], COMMON_LAST = 2 };

/* What the words asked for. */
struct taken {
    const struct arguments_program *program;
    struct arguments args;
    bool wants_help;
    bool wants_version;
    const char *excess; /* the first word that is no option */
};

static void take(void *self, int key, char *value)
{
    struct taken *t = self;
    if (key == 'c')
        t->args.config = value;
    else if (key == 'p')
        t->args.passphrase_file = value;
    else if (key == 'h')
        t->wants_help = true;
    else if (key == 'V')
        t->wants_version = true;
    else if (key == ARGP_KEY_ARG)
        t->excess = t->excess ? t->excess : value;
    for (const struct arguments_switch *s = t->program->switches; s && s->name; s++)
        if (s->letter == key)
            *s->ret = true;
}

/* ${ret} has room for all: ends with an empty row. */
static void list_options(const struct arguments_program *p, struct argp_option *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < COMMON_COUNT - COMMON_LAST; i++)
        ret[n++] = common[i];
    for (const struct arguments_switch *s = p->switches; s && s->name; s++) {
        assert(n < OPTIONS_MAX - COMMON_LAST - 1);
        ret[n++] = (struct argp_option){.name = s->name, .key = s->letter, .doc = s->doc};
    }
    for (size_t i = COMMON_COUNT - COMMON_LAST; i < COMMON_COUNT; i++)
        ret[n++] = common[i];
    ret[n] = (struct argp_option){0};
}

/* ---- what is said ---- */

static void put_option(struct buf *out, const struct arguments_program *p,
                       const struct argp_option *o)
{
    buf_printf(out, "  -%c, --%s%s%s\n        ", o->key, o->name, o->arg ? " " : "",
               o->arg ? _(o->arg) : "");
    if (o->key == 'c')
        buf_printf(out, _("%s (default: %s)"), _(o->doc), p->config);
    else
        buf_put_str(out, _(o->doc));
    buf_put_u8(out, '\n');
}

static void put_help(struct buf *out, const struct arguments_program *p,
                     const struct argp_option *options)
{
    buf_printf(out, _("Usage: %s [--FLAGS]"), p->name);
    buf_printf(out, "\n\n%s\n\n%s\n", _(p->doc), _("Flags"));
    for (const struct argp_option *o = options; o->name; o++)
        put_option(out, p, o);
}

static void __attribute__((noreturn)) end(FILE *where, struct buf *said, int code)
{
    bool is_written = fputs(buf_str(said), where) >= 0 && fflush(where) == 0;
    buf_free(said);
    exit(code || is_written ? code : comity_err_exit(COMITY_E_IO));
}

static void __attribute__((noreturn)) refuse(const struct arguments_program *p, int err,
                                             const struct options_trouble *t, const char *excess)
{
    struct buf said = BUF_INIT;
    if (err == COMITY_E_USAGE) {
        buf_printf(&said, "%s: ", p->name);
        options_explain(&said, t);
    } else if (err) {
        buf_printf(&said, "%s: %s", p->name, _(comity_err_text(err)));
    } else { /* a sentence about the program names it itself */
        buf_printf(&said, _("%s takes flags only, not \"%s\""), p->name, excess);
        err = COMITY_E_USAGE;
    }
    buf_printf(&said, " [%s]\n  %s --help\n", comity_err_token(err), p->name);
    end(stderr, &said, comity_err_exit(err));
}

void arguments_parse(const struct arguments_program *p, int argc, char **argv,
                     struct arguments *ret)
{
    struct argp_option options[OPTIONS_MAX];
    struct taken t = {.program = p, .args = {.config = p->config}};
    struct options_trouble trouble;
    struct buf said = BUF_INIT;
    list_options(p, options);
    int err = options_parse(options, argc, argv, take, &t, &trouble);
    if (!err && !t.wants_help && !t.wants_version && !t.excess) {
        *ret = t.args;
        return;
    }
    lang_init(NULL, false);
    if (err || (t.excess && !t.wants_help && !t.wants_version))
        refuse(p, err, &trouble, t.excess);
    if (t.wants_help)
        put_help(&said, p, options);
    else
        buf_printf(&said, "%s %s\n", p->name, COMITY_VERSION);
    end(stdout, &said, 0);
}
