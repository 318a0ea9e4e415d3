/*
 * A command as the tests of the command line need it: made from flags and words, run nowhere.
 */
#ifndef CLI_RIG_H
#define CLI_RIG_H

#include "../../../cli/cli.h"

#include "crypto/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct cli c;
    struct command command;
};

static inline int rig_setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    if (!r || crypto_init() != 0)
        return -1;
    lang_init("en", false);
    r->c.arena = arena_new(64 * 1024 * 1024);
    r->command = (struct command){.noun = "thing", .verb = "do", .doc = "do a thing"};
    r->c.command = &r->command;
    *state = r;
    return r->c.arena ? 0 : -1;
}

static inline int rig_teardown(void **state)
{
    struct rig *r = *state;
    json_decref(r->c.result);
    buf_free(&r->c.next);
    arena_free(r->c.arena);
    free(r);
    return 0;
}

/* Parse words, the last of which is NULL, as what stands behind noun and verb. */
static inline int rig_parse(struct rig *r, const char *const *words)
{
    char *argv[32] = {"comity"};
    int argc = 1;
    bool wants_help = false;
    for (; words[argc - 1]; argc++)
        argv[argc] = strdup(words[argc - 1]);
    char **copy = cli_alloc(&r->c, sizeof argv);
    memcpy(copy, argv, sizeof argv);
    for (int i = 1; i < argc; i++) {
        copy[i] = cli_text(&r->c, "%s", argv[i]);
        free(argv[i]);
    }
    int err = args_parse(&r->c, argc, copy, &wants_help);
    assert_false(wants_help);
    return err;
}
#define RIG_PARSE(r, ...) rig_parse((r), (const char *const[]){__VA_ARGS__, NULL})

#endif
