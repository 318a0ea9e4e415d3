/*
 * Help, rendered from the tables of commands and flags. See cli.h.
 */
#include "cli.h"

#include <string.h>

enum { COLUMN_MAX = 34, MARGIN = 2, GAP = 2 };

static size_t line_width(void)
{
    struct out_style style = out_style_of(1);
    size_t w = style.is_terminal ? style.width : 100;
    return w > 110 ? 110 : w;
}

/* "  left     right", the right part wrapped; it begins on a line of its own when the left one is
 * too wide. */
static void put_pair(struct buf *out, const char *left, const char *right, size_t column)
{
    size_t w = out_width(bytes_of(left));
    size_t start = MARGIN + column + GAP;
    buf_printf(out, "%*s%s", MARGIN, "", left);
    if (w > column)
        buf_printf(out, "\n%*s", (int)start, "");
    else
        buf_printf(out, "%*s", (int)(start - MARGIN - w), "");
    out_put_wrapped(out, right, line_width() - start, start);
    buf_put_u8(out, '\n');
}

static void put_heading(struct buf *out, const char *text)
{
    struct out_style style = out_style_of(1);
    buf_put_u8(out, '\n');
    out_put_coloured(out, &style, OUT_BOLD, text);
    buf_put_u8(out, '\n');
}

static const char *command_name(struct cli *c, const struct command *m)
{
    return cli_text(c, "%s%s%s", m->noun, m->verb ? " " : "", m->verb ? m->verb : "");
}

static void put_commands(struct cli *c, struct buf *out, const char *noun)
{
    size_t column = 0;
    const struct command *m = NULL;
    for (size_t i = 0; (m = cli_command(i)); i++)
        if (!noun || strcmp(m->noun, noun) == 0) {
            size_t w = out_width(bytes_of(command_name(c, m))) +
                       (m->args ? 1 + out_width(bytes_of(m->args)) : 0);
            column = w > column && w <= COLUMN_MAX ? w : column;
        }
    const char *last = NULL;
    for (size_t i = 0; (m = cli_command(i)); i++) {
        if (noun && strcmp(m->noun, noun) != 0)
            continue;
        if (!noun && last && strcmp(last, m->noun) != 0 && m->verb)
            buf_put_u8(out, '\n');
        last = m->noun;
        put_pair(
            out,
            cli_text(c, "%s%s%s", command_name(c, m), m->args ? " " : "", m->args ? m->args : ""),
            _(m->doc), column);
    }
}

void help_overview(struct cli *c, struct buf *out)
{
    buf_put_str(out, _("Usage: comity NOUN VERB [ARGUMENTS] [--FLAGS]"));
    buf_put_str(out, "\n\n");
    out_put_wrapped(
        out,
        _("Exchange signed, sealed evidence with other bureaus. `comity` alone shows how things "
          "stand; `comity NOUN VERB --help` explains a command."),
        line_width(), 0);
    buf_put_str(out, "\n\n");
    put_commands(c, out, NULL);
    put_heading(out, _("Places"));
    out_put_wrapped(
        out,
        _("A REF is a place in a ledger: 330106-001/1042, or 1042 for the own one. Members are "
          "named by id or by a part of their name that only one has."),
        line_width(), 0);
    buf_put_str(out, "\n");
    put_heading(out, _("Exit codes"));
    static const struct {
        const char *code;
        const char *means;
    } codes[] = {
        {"0", N_("done, durable in our ledger")},
        {"1", N_("another failure")},
        {"2", N_("the command line is wrong; nothing was done")},
        {"3", N_("refused by a rule, a state, a role or a code's check; nothing was written")},
        {"4", N_("a key is locked, or access is refused")},
        {"5", N_("not found, or ambiguous")},
        {"6", N_("safe here, but the stage of --wait was not reached in time")},
        {"7", N_("the node or broker cannot be reached")},
        {"8", N_("the disk is full, or a limit is reached")},
        {"10", N_("verification: a contradiction is proven")},
        {"11", N_("verification: incomplete or unresolved")},
        {"12", N_("not a valid ledger, package or message")},
        {"20", N_("the own ledger or key is damaged")},
        {"130", N_("interrupted")},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        put_pair(out, codes[i].code, _(codes[i].means), 3);
}

void help_noun(struct cli *c, const char *noun, struct buf *out)
{
    buf_printf(out, _("Usage: comity %s VERB [ARGUMENTS] [--FLAGS]"), noun);
    buf_put_str(out, "\n\n");
    put_commands(c, out, noun);
}

static void put_flags(struct cli *c, struct buf *out, const struct command *m)
{
    size_t n = 0;
    size_t own = 0;
    size_t column = 0;
    const struct flag **flags = args_flags(c, m, &n);
    const char **left = cli_alloc(c, n * sizeof *left);
    while (m->flags && m->flags[own].doc)
        own++;
    for (size_t i = 0; i < n; i++) {
        const struct flag *f = flags[i];
        if (!f->name)
            continue;
        left[i] = cli_text(c, "--%s%s%s%s", f->name, f->value ? " " : "",
                           f->value ? _(f->value) : "", f->how & FLAG_MANY ? " …" : "");
        size_t w = out_width(bytes_of(left[i]));
        column = w > column && w <= COLUMN_MAX ? w : column;
    }
    for (size_t i = 0; i < n; i++) {
        if (!flags[i]->name) {
            put_heading(out, _(flags[i]->doc));
            continue;
        }
        if (i == own)
            put_heading(out, _("Common flags"));
        else if (i == 0)
            put_heading(out, _("Flags"));
        const char *doc = flags[i]->how & FLAG_NEEDED
                              ? cli_text(c, _("%s (needed)"), _(flags[i]->doc))
                              : _(flags[i]->doc);
        put_pair(out, left[i], doc, column);
    }
}

void help_command(struct cli *c, const struct command *m, struct buf *out)
{
    buf_printf(out, _("Usage: comity %s%s%s [--FLAGS]"), command_name(c, m), m->args ? " " : "",
               m->args ? m->args : "");
    buf_put_str(out, "\n\n");
    out_put_wrapped(out, _(m->doc), line_width(), 0);
    buf_put_str(out, "\n");
    if (m->more) {
        buf_put_str(out, "\n");
        out_put_wrapped(out, _(m->more), line_width(), 0);
        buf_put_str(out, "\n");
    }
    put_flags(c, out, m);
}
