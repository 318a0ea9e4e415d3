/*
 * What every command of `comity` stands on: its flags, its memory, its result, its failure.
 *
 * A command is a row of a table (commands.c): a noun, a verb, flags, and a function that computes
 * one JSON result. The result is printed as it is (--json) or rendered through the command's view
 * (out.h). A function that fails returns what cli_fail returned; nobody else prints errors. Memory
 * for texts comes from an arena that lives as long as the command; a command that runs out of
 * memory says so and ends.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/bytes.h"
#include "base/lang.h"
#include "out.h"

#include <comity/client.h>
#include <comity/err.h>
#include <jansson.h>

enum { FLAG_MANY = 1, FLAG_NEEDED = 2 };

/* One flag. Without a name it is the heading of those behind it in the help. */
struct flag {
    const char *name;  /* without dashes */
    const char *value; /* what the help calls the value; NULL for a switch */
    unsigned how;      /* FLAG_… */
    const char *doc;
};

/* Which of the common flags a command takes. */
enum {
    USES_NODE = 1,
    USES_YES = 2,
    USES_DRY_RUN = 4,
    USES_WAIT = 8,
    USES_PASSPHRASE = 16,
    USES_TO = 32,
    USES_PAGES = 64
};

struct cli;

struct command {
    const char *noun;
    const char *verb; /* NULL: the noun is all */
    const char *args; /* as the help shows them */
    unsigned args_min;
    unsigned args_max;
    unsigned uses;
    const char *doc;          /* one sentence */
    const char *more;         /* paragraphs, or NULL */
    const struct flag *flags; /* ends with a row whose doc is NULL; or NULL */
    const struct view *view;
    const struct view *dry_view; /* of the record that a dry run shows; NULL: the same view */
    /* Instead of the view on a terminal, where a table will not do; or NULL. */
    void (*render)(const struct cli *c, const struct out_style *style, struct buf *out);
    int (*run)(struct cli *c);
};

/* The nth of all commands, NULL behind the last; those of one noun stand together. */
const struct command *cli_command(size_t n);

struct failure {
    int err;
    const char *message; /* a sentence, without its full stop */
    const char *hint;    /* what to do next */
    const char *field;   /* which argument or field is meant */
};

struct flag_values; /* args.c */
struct passphrases; /* secret.c */

struct cli {
    const struct command *command;
    struct arena *arena;
    struct flag_values *values;
    char **args;
    size_t arg_count;
    comity_client *client;
    const char *socket;
    json_t *status;  /* the node's, once asked */
    json_t *fetched; /* the record that was fetched last */
    struct passphrases *passphrases;
    json_t *result;
    struct failure failure;
    struct buf next; /* lines for people, behind the result */
    bool is_json;
    bool is_recorded; /* the result stands, whatever goes wrong behind it */
    int exit;         /* of a command that did what it was told, and found something */
};

/* ---- arguments ---- */

/*
 * Read the command line behind the noun and verb into ${c}. COMITY_E_USAGE through cli_fail.
 * ${ret_help}: --help was given, and nothing else was looked at.
 */
int args_parse(struct cli *c, int argc, char **argv, bool *ret_help)
    __attribute__((warn_unused_result));
/* The flag rows of ${command}, common ones behind its own; ${ret_count} of them. In the arena of
 * ${c}. */
const struct flag **args_flags(struct cli *c, const struct command *command, size_t *ret_count);

/* The last value of a flag, "" for a switch that was given; NULL when it was not. The command must
 * have such a flag. */
const char *flag_text(const struct cli *c, const char *name);
bool flag_given(const struct cli *c, const char *name);
size_t flag_count(const struct cli *c, const char *name);
const char *flag_at(const struct cli *c, const char *name, size_t i);
/* Whether the command has such a flag at all. */
bool flag_exists(const struct cli *c, const char *name);
/* A decimal number between ${min} and ${max}; ${otherwise} when the flag was not given.
 * COMITY_E_USAGE. */
int flag_number(struct cli *c, const char *name, uint64_t min, uint64_t max, uint64_t otherwise,
                uint64_t *ret) __attribute__((warn_unused_result));

/* COMITY_E_USAGE: ${count} flags are missing, which ${list} names. */
int flag_fail_missing(struct cli *c, size_t count, const char *list);

/* ---- help ---- */

void help_overview(struct cli *c, struct buf *out);
void help_command(struct cli *c, const struct command *command, struct buf *out);
/* All verbs of ${noun}. */
void help_noun(struct cli *c, const char *noun, struct buf *out);

/* ---- memory: never NULL ---- */

void *cli_alloc(struct cli *c, size_t n);
char *cli_text(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct bytes cli_copy(struct cli *c, struct bytes bytes);
/* The JSON value, or the end of the process: jansson says NULL for lack of memory, and for text
 * that is not UTF-8. */
json_t *cli_json(json_t *value);

/* ---- failing ---- */

/* Note the failure, in words that are a sentence of their own, and return ${err}. */
int cli_fail(struct cli *c, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "${what}: sentence of ${err}". ${what} may be NULL. */
int cli_fail_at(struct cli *c, int err, const char *what);
/* "sentence of ${err}: ${detail}", where detail is what a lower module wrote down, in English. */
int cli_fail_detail(struct cli *c, int err, struct buf *detail);
/* As the node said it; ${json} is the error object of a reply. */
int cli_fail_json(struct cli *c, int err, const char *json);
/* What to do next, and return ${err}. */
int cli_hint(struct cli *c, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Show the failure on stderr. */
void cli_show_failure(const struct cli *c);

/* ---- the result ---- */

/* Take ownership of ${json} as the command's result. */
int cli_result(struct cli *c, json_t *json) __attribute__((warn_unused_result));
/* One more line for people behind the result, on terminals only. */
void cli_next(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool cli_is_dry_run(const struct cli *c);

/*
 * Ask on the terminal whether to go on. --yes answers for it; without a terminal it is needed
 * (COMITY_E_USAGE). COMITY_E_INTERRUPTED when the answer is no.
 */
int cli_confirm(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)))
__attribute__((warn_unused_result));
/* Render ${json} through ${view} to stderr: what is to be confirmed. Nothing with --json or --yes
 * through a pipe. */
void cli_preview(struct cli *c, const struct view *view, const json_t *json);

#endif
