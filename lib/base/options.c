/*
 * Taking a command line apart, and telling which of its words is wrong. See options.h.
 */
#include "base/options.h"

#include "base/lang.h"

#include <comity/err.h>
#include <errno.h>
#include <string.h>

/* ---- what is wrong ---- */

static struct options_trouble trouble(enum options_wrong wrong, const char *word,
                                      const struct argp_option *option)
{
    return (struct options_trouble){.wrong = wrong, .word = word, .option = option};
}

/* "--name" or "--name=value"; as getopt has it, the beginning of a name is enough. */
static struct options_trouble judge_long(const struct argp_option *options, const char *word,
                                         bool is_last)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    size_t found = 0;
    const struct argp_option *meant = NULL;
    for (const struct argp_option *o = options; len && o->name; o++) {
        if (strncmp(o->name, name, len) != 0)
            continue;
        meant = o;
        found++;
        if (o->name[len] == 0) {
            found = 1;
            break;
        }
    }
    if (found == 0)
        return trouble(OPTIONS_UNKNOWN, word, NULL);
    if (found > 1)
        return trouble(OPTIONS_AMBIGUOUS, word, NULL);
    if (!meant->arg && name[len] == '=')
        return trouble(OPTIONS_VALUE, word, meant);
    if (meant->arg && name[len] == 0 && is_last)
        return trouble(OPTIONS_VALUE_NEEDED, word, meant);
    return trouble(OPTIONS_RIGHT, word, meant);
}

/* "-x", or several letters, of which the first that takes a value has the rest. */
static struct options_trouble judge_short(const struct argp_option *options, const char *word,
                                          bool is_last)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const struct argp_option *o = options;
        while (o->name && o->key != *letter)
            o++;
        if (!o->name)
            return trouble(OPTIONS_UNKNOWN, word, NULL);
        if (o->arg && !letter[1] && is_last)
            return trouble(OPTIONS_VALUE_NEEDED, word, o);
        if (o->arg)
            break;
    }
    return trouble(OPTIONS_RIGHT, word, NULL);
}

static struct options_trouble judge(const struct argp_option *options, int argc, char **argv,
                                    int at)
{
    const char *word = at > 0 && at < argc ? argv[at] : "";
    bool is_last = at + 1 >= argc;
    if (word[0] != '-' || !word[1])
        return trouble(OPTIONS_RIGHT, word, NULL);
    return word[1] == '-' ? judge_long(options, word, is_last)
                          : judge_short(options, word, is_last);
}

/* argp stops behind a word, or still at it when more letters follow in it. */
static struct options_trouble find(const struct argp_option *options, int argc, char **argv,
                                   int stopped_at)
{
    struct options_trouble before = judge(options, argc, argv, stopped_at - 1);
    struct options_trouble at = judge(options, argc, argv, stopped_at);
    if (before.wrong != OPTIONS_RIGHT)
        return before;
    if (at.wrong != OPTIONS_RIGHT)
        return at;
    return trouble(OPTIONS_UNKNOWN, before.word, NULL);
}

void options_explain(struct buf *out, const struct options_trouble *t)
{
    switch (t->wrong) {
    case OPTIONS_AMBIGUOUS:
        buf_printf(out, _("%s can be several flags"), t->word);
        break;
    case OPTIONS_VALUE:
        buf_printf(out, _("--%s takes no value"), t->option->name);
        break;
    case OPTIONS_VALUE_NEEDED:
        buf_printf(out, _("--%s needs a value: %s"), t->option->name, _(t->option->arg));
        break;
    default:
        buf_printf(out, _("there is no flag %s here"), t->word);
    }
}

/* ---- parsing ---- */

struct parse {
    void (*take)(void *self, int key, char *value);
    void *self;
    int stopped_at;
};

static error_t on_key(int key, char *arg, struct argp_state *state)
{
    struct parse *p = state->input;
    if (key == ARGP_KEY_ERROR)
        p->stopped_at = state->next;
    if (key >= ARGP_KEY_END) /* argp's own events */
        return ARGP_ERR_UNKNOWN;
    p->take(p->self, key, arg);
    return 0;
}

int options_parse(const struct argp_option *options, int argc, char **argv,
                  void (*take)(void *self, int key, char *value), void *self,
                  struct options_trouble *ret)
{
    struct parse p = {.take = take, .self = self};
    const struct argp argp = {.options = options, .parser = on_key};
    error_t bad =
        argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT, NULL, &p);
    if (!bad)
        return COMITY_OK;
    if (bad == ENOMEM)
        return COMITY_E_NOMEM;
    *ret = find(options, argc, argv, p.stopped_at);
    return COMITY_E_USAGE;
}
