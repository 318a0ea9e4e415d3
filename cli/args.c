/*
 * The command line: flags from tables, through base/options.h. See cli.h.
 */
#include "args.h"

#include "base/options.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

/* Flags that several commands take, and which of these take them (0: all). */
static const struct {
    unsigned uses;
    struct flag flag;
} common_flags[] = {
    {USES_TO,
     {"to", N_("MEMBER"), FLAG_MANY, N_("Send it to this member (id or unique name); repeatable")}},
    {USES_PAGES, {"limit", N_("N"), 0, N_("At most so many lines (default 50, at most 500)")}},
    {USES_PAGES,
     {"after", N_("PLACE"), 0, N_("Go on behind this place: the \"next\" of the page before")}},
    {USES_WAIT,
     {"wait", N_("STAGE[:TIME]"), 0,
      N_("Wait until it is accepted, received, decided about or recognised; TIME as 30s, 5m, 1h "
         "(default 30s)")}},
    {USES_PASSPHRASE,
     {"passphrase-file", N_("FILE"), FLAG_MANY,
      N_("First line of FILE opens the key; \"-\" is standard input, \"fd:N\" an open descriptor; "
         "repeatable, in the order of the keys")}},
    {USES_DRY_RUN,
     {"dry-run", NULL, 0, N_("Check everything, show what would be done, do nothing")}},
    {USES_YES, {"yes", NULL, 0, N_("Do not ask")}},
    {USES_NODE,
     {"node", N_("ADDRESS"), 0,
      N_("The node's socket, or its folder (default: COMITY_NODE, ./node.sock, ~/.comity)")}},
    {0, {"json", NULL, 0, N_("Print JSON")}},
    {0, {"lang", "zh|en", 0, N_("Speak Chinese or English, whatever LANG says")}},
    {0, {"help", NULL, 0, N_("Show this help")}},
};

enum { FIRST_KEY = 0x1000, SUGGEST_MAX = 40 };

struct values {
    const char **at;
    size_t count;
};

struct flag_values {
    const struct flag **flags;
    size_t count;
    struct values *values;
};

const struct flag **args_flags(struct cli *c, const struct command *command, size_t *ret_count)
{
    size_t n = 0;
    while (command->flags && command->flags[n].doc)
        n++;
    size_t common = sizeof common_flags / sizeof common_flags[0];
    const struct flag **flags = cli_alloc(c, (n + common) * sizeof *flags);
    for (size_t i = 0; i < n; i++)
        flags[i] = &command->flags[i];
    for (size_t i = 0; i < common; i++)
        if (common_flags[i].uses == 0 || (common_flags[i].uses & command->uses))
            flags[n++] = &common_flags[i].flag;
    *ret_count = n;
    return flags;
}

static void take(void *self, int key, char *value)
{
    struct cli *c = self;
    if (key == ARGP_KEY_ARG) {
        c->args[c->arg_count++] = value;
        return;
    }
    struct values *v = &c->values->values[key - FIRST_KEY];
    v->at[v->count++] = value ? value : "";
}

/* How many single-character changes make ${a} into ${b}. */
static size_t distance(const char *a, const char *b)
{
    size_t row[SUGGEST_MAX + 1];
    size_t len = strlen(b);
    if (len > SUGGEST_MAX || strlen(a) > SUGGEST_MAX)
        return SIZE_MAX;
    for (size_t k = 0; k <= len; k++)
        row[k] = k;
    for (size_t i = 0; a[i]; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < len; k++) {
            size_t change = corner + (a[i] != b[k]);
            corner = row[k + 1];
            size_t least = row[k] < row[k + 1] ? row[k] : row[k + 1];
            row[k + 1] = change < least + 1 ? change : least + 1;
        }
    }
    return row[len];
}

const char *args_nearest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t least = strlen(word) / 2 < 3 ? strlen(word) / 2 + 1 : 4;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, names[i]);
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

/* The flag that was probably meant by ${word}, or NULL. */
static const char *nearest_flag(struct cli *c, const char *word)
{
    const struct flag_values *v = c->values;
    const char **names = cli_alloc(c, v->count * sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < v->count; i++)
        if (v->flags[i]->name)
            names[n++] = v->flags[i]->name;
    return args_nearest(word + strspn(word, "-"), names, n);
}

static int fail_word(struct cli *c, const struct options_trouble *t)
{
    struct buf sentence = BUF_INIT;
    options_explain(&sentence, t);
    int err = cli_fail(c, COMITY_E_USAGE, "%s", buf_str(&sentence));
    buf_free(&sentence);
    const char *near = t->wrong == OPTIONS_UNKNOWN ? nearest_flag(c, t->word) : NULL;
    return near ? cli_hint(c, err, _("did you mean --%s?"), near) : err;
}

static int take_words(struct cli *c, int argc, char **argv)
{
    struct flag_values *v = c->values;
    struct argp_option *options = cli_alloc(c, (v->count + 1) * sizeof *options);
    struct options_trouble trouble;
    size_t n = 0;
    for (size_t i = 0; i < v->count; i++)
        if (v->flags[i]->name)
            options[n++] = (struct argp_option){.name = v->flags[i]->name,
                                                .key = FIRST_KEY + (int)i,
                                                .arg = v->flags[i]->value,
                                                .doc = v->flags[i]->doc};
    int err = options_parse(options, argc, argv, take, c, &trouble);
    if (err == COMITY_E_USAGE)
        return fail_word(c, &trouble);
    return err ? cli_fail_at(c, err, NULL) : COMITY_OK;
}

static int check_args(struct cli *c)
{
    const struct command *m = c->command;
    const char *name =
        cli_text(c, "comity %s%s%s", m->noun, m->verb ? " " : "", m->verb ? m->verb : "");
    int err = COMITY_OK;
    if (c->arg_count < m->args_min)
        err = cli_fail(c, COMITY_E_USAGE, _("%s needs %s"), name, m->args);
    else if (c->arg_count > m->args_max && m->args_max == 0)
        err = cli_fail(c, COMITY_E_USAGE, _("%s takes flags only, not \"%s\""), name, c->args[0]);
    else if (c->arg_count > m->args_max)
        err = cli_fail(c, COMITY_E_USAGE, _("\"%s\" is one argument too many: %s takes %s"),
                       c->args[m->args_max], name, m->args);
    return err ? cli_hint(c, err, "%s --help", name) : COMITY_OK;
}

int flag_fail_missing(struct cli *c, size_t count, const char *list)
{
    const struct command *m = c->command;
    int err = cli_fail(c, COMITY_E_USAGE,
                       ngettext("a flag is missing: %s", "flags are missing: %s", count), list);
    return cli_hint(c, err, "comity %s%s%s --help", m->noun, m->verb ? " " : "",
                    m->verb ? m->verb : "");
}

/* Every needed flag is there, and none twice that counts once. All that are missing are named at
 * once. */
static int check_flags(struct cli *c)
{
    struct buf missing = BUF_INIT;
    size_t count = 0;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < c->values->count; i++) {
        const struct flag *f = c->values->flags[i];
        size_t given = c->values->values[i].count;
        if (given > 1 && !(f->how & FLAG_MANY) && f->value)
            err = cli_fail(c, COMITY_E_USAGE, _("--%s is given more than once"), f->name);
        if (given == 0 && (f->how & FLAG_NEEDED)) {
            buf_printf(&missing, "%s--%s %s", count ? ", " : "", f->name,
                       f->value ? _(f->value) : "");
            count++;
        }
    }
    if (!err && count)
        err = flag_fail_missing(c, count, buf_str(&missing));
    buf_free(&missing);
    return err;
}

/* What is typed ends up in JSON and in records. */
static int check_utf8(struct cli *c, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!text_is_utf8(bytes_of(argv[i])))
            return cli_fail(c, COMITY_E_USAGE, _("argument %d is not UTF-8 text"), i);
    return COMITY_OK;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int args_parse(struct cli *c, int argc, char **argv, bool *ret_help)
{
    if (asks_for_help(argc, argv)) {
        *ret_help = true;
        return COMITY_OK;
    }
    c->args = cli_alloc(c, (size_t)argc * sizeof *c->args);
    c->arg_count = 0;
    struct flag_values *v = cli_alloc(c, sizeof *v);
    v->flags = args_flags(c, c->command, &v->count);
    v->values = cli_alloc(c, v->count * sizeof *v->values);
    for (size_t i = 0; i < v->count; i++)
        v->values[i].at = cli_alloc(c, (size_t)argc * sizeof *v->values[i].at);
    c->values = v;
    int err = check_utf8(c, argc, argv);
    if (!err)
        err = take_words(c, argc, argv);
    const char *lang = err ? NULL : flag_text(c, "lang");
    if (lang && strcmp(lang, "zh") != 0 && strcmp(lang, "en") != 0)
        err = cli_fail(c, COMITY_E_USAGE, _("--lang is zh or en, not \"%s\""), lang);
    if (!err)
        err = check_args(c);
    if (!err)
        err = check_flags(c);
    *ret_help = false;
    return err;
}

/* ---- reading flags ---- */

static const struct values *find(const struct cli *c, const char *name)
{
    for (size_t i = 0; c->values && i < c->values->count; i++)
        if (c->values->flags[i]->name && strcmp(c->values->flags[i]->name, name) == 0)
            return &c->values->values[i];
    return NULL;
}

bool flag_exists(const struct cli *c, const char *name)
{
    return find(c, name) != NULL;
}

size_t flag_count(const struct cli *c, const char *name)
{
    const struct values *v = find(c, name);
    assert(v);
    return v->count;
}

const char *flag_at(const struct cli *c, const char *name, size_t i)
{
    const struct values *v = find(c, name);
    assert(v && i < v->count);
    return v->at[i];
}

const char *flag_text(const struct cli *c, const char *name)
{
    size_t n = flag_count(c, name);
    return n ? flag_at(c, name, n - 1) : NULL;
}

bool flag_given(const struct cli *c, const char *name)
{
    return flag_count(c, name) > 0;
}

int flag_number(struct cli *c, const char *name, uint64_t min, uint64_t max, uint64_t otherwise,
                uint64_t *ret)
{
    const char *text = flag_text(c, name);
    uint64_t v = otherwise;
    if (text && (text_get_u64(bytes_of(text), &v) || v < min || v > max))
        return cli_fail(c, COMITY_E_USAGE, _("--%s is a number from %llu to %llu, not \"%s\""),
                        name, (unsigned long long)min, (unsigned long long)max, text);
    *ret = v;
    return COMITY_OK;
}
